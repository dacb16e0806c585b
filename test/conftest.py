"""What every test may ask for: the demo photographs, an open pipeline, real pictures of people."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
# Development data beside the checkout; not everybody has it.
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Development data; the test skips where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"development data is not at {SHARED_DATA.name} beside the checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def photos() -> Path:
    """Folder of the demo photographs: astronaut.png and grace_hopper.jpg, one face each."""
    from caer_ros.bundles.install import photos_folder
    from caer_ros.core import InputError

    try:
        return photos_folder()
    except InputError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def astronaut(photos: Path) -> np.ndarray:
    """Photograph of a smiling woman, uint8 [512, 512, 3], BGR; one face near (226, 118)."""
    from caer_ros.perception.sources import read_image

    return read_image(photos / "astronaut.png")


@pytest.fixture(scope="session")
def hopper(photos: Path) -> np.ndarray:
    """Photograph of a woman in uniform, uint8 [600, 512, 3], BGR; one face."""
    from caer_ros.perception.sources import read_image

    return read_image(photos / "grace_hopper.jpg")


@pytest.fixture(scope="session")
def crowd(astronaut: np.ndarray, hopper: np.ndarray) -> np.ndarray:
    """A mosaic of 20 people, uint8 [1280, 1600, 3], BGR."""
    import cv2

    cells = [cv2.resize(image, (320, 320)) for image in (astronaut[:420], hopper[:500])]
    rows = [np.hstack([cells[(r + c) % 2] for c in range(5)]) for r in range(4)]
    return np.vstack(rows)


@pytest.fixture(scope="session")
def pipeline(photos: Path):
    """The default pipeline on ONNX Runtime, which is always there."""
    from caer_ros.perception import Pipeline, PipelineConfig

    with Pipeline.open(PipelineConfig(backend="onnxruntime", tracking="never")) as opened:
        yield opened
