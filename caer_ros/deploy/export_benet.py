"""BENet as a bundle: its ONNX file, checked against the network, and its card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from caer_ros.core import CAER7, EMOTIC26, HECO8, InputError
from caer_ros.deploy.bundle_thresholds import carried_thresholds
from caer_ros.deploy.card import FP32, About, common_card, file_entry, write_card
from caer_ros.deploy.maps_graph import (
    MULTIPLE,
    MapsOptions,
    RobotGraph,
    maps_to_onnx,
    output_names,
)
from caer_ros.deploy.maps_parity import rows_differ
from caer_ros.deploy.onnx_file import Parity, judge, write_fp32
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.networks.benet.benet import BENet
from caer_ros.perception.benet import TASK
from caer_ros.perception.benet_decode import BenetDecode
from caer_ros.perception.benet_maps import arrays_of
from caer_ros.perception.fit_frame import fit_short_side

__all__ = ["MapsOptions", "RobotGraph", "benet_card", "export_benet", "export_for_timing"]

# After the sigmoid. Ten times CAER-Net-S's: in a hundred layers rounding adds up to some 1e-5 of
# the logits, which reach tens.
TOLERANCE = 1e-3
# Torch takes seconds for a picture of full size.
_MOST_PICTURES = 6
_NOISE = ((2, 128, 192), (1, 192, 128))
# Of thresholds that come with the checkpoint; those of `caer temperature` are measured.
_CHOSEN = {"chosen_on": "validation pictures of the training, at the true centres of people"}
_SUMMARY = "BENet (Cladière et al., ACIVS 2023): people and their emotions from whole pictures."
_LABELS = {len(names): names for names in (CAER7, HECO8, EMOTIC26)}


def export_benet(
    network: BENet,
    bundle: Path,
    pictures: Sequence[np.ndarray],
    about: About,
    options: MapsOptions,
) -> Parity:
    """Write fp32.onnx and model.yaml into `bundle`.

    Args:
        pictures: uint8 RGB, to compare on; six of them, evenly spread, are.

    Raises:
        InputError: the network has no detection head, there are no names for its outputs, or the
            thresholds that its checkpoint carries are damaged.
        ParityError: the ONNX file computes something else; the bundle is left as it was.
    """
    return _write(
        network,
        bundle,
        about,
        options,
        lambda path: check_maps_parity(network, path, pictures, options),
    )


def export_for_timing(network: BENet, bundle: Path, about: About, options: MapsOptions) -> None:
    """A bundle that nothing was compared on, to be timed and thrown away.

    Raises:
        InputError: as export_benet.
    """
    _write(network, bundle, about, options, lambda path: Parity(0.0, "nothing"))


def _write(
    network: BENet,
    bundle: Path,
    about: About,
    options: MapsOptions,
    check: Callable[[Path], Parity],
) -> Parity:
    card = benet_card(network, about, options)
    parity = write_fp32(bundle, maps_to_onnx(network, options), check)
    write_card(bundle, card | {"files": {"fp32": file_entry(bundle / FP32)}})
    return parity


def check_maps_parity(
    network: BENet, onnx_file: Path, pictures: Sequence[np.ndarray], options: MapsOptions
) -> Parity:
    """The file on ONNX Runtime against torch's maps, decoded by the robot's numpy code.

    Compared after the sigmoid, on noise in batches of one and two, and on `pictures` at the size
    that the robot gives them: the whole heat map, every row's score, emotions, size and place.

    Raises:
        ParityError: something differs by more than TOLERANCE (sizes: relatively).
    """
    graph = network.inference_part().eval()
    decode = BenetDecode(options.top_k, options.threshold)
    worst, images = 0.0, 0
    with OnnxRuntimeEngine(onnx_file) as engine:
        for batch in _batches(pictures, options.short_side):
            with torch.inference_mode():
                maps = graph(torch.from_numpy(batch))
            rows = engine.run({"images": batch})
            for row in range(len(batch)):
                pair = arrays_of(maps[0], row), arrays_of(maps[1], row)
                one = {name: array[row] for name, array in rows.items()}
                worst = float(np.maximum(worst, rows_differ(one, pair, decode)))
            images += len(batch)
    return judge(worst, f"{images} pictures", TOLERANCE)


def benet_card(network: BENet, about: About, options: MapsOptions) -> dict[str, Any]:
    """model.yaml of a BENet, without its files.

    Raises:
        InputError: there are no names for the network's outputs, or the thresholds that the
            checkpoint carries are damaged.
    """
    classes, rows = network.config.num_classes, ["images", options.top_k]
    if classes not in _LABELS:
        raise InputError(
            f"This BENet has {classes} emotions, for which there are no names.",
            f"Export one with {', '.join(map(str, sorted(_LABELS)))}.",
        )
    labels = _LABELS[classes]
    card = common_card(about, _SUMMARY, TASK, labels)
    decode: dict[str, Any] = {"top_k": options.top_k, "threshold": options.threshold}
    thresholds = carried_thresholds(about.extra, labels).thresholds
    if thresholds is not None:
        decode["thresholds"] = thresholds
        card["metrics"]["thresholds"] = dict(_CHOSEN)
    shapes = {
        "boxes": [*rows, 4],
        "scores": rows,
        "emotions": [*rows, classes],
        "peaks": ["images"],
        "vad": [*rows, 3],
        "heat": ["images", "heat_height", "heat_width"],
    }
    return card | {
        "multi_label": True,
        "inputs": {
            "images": {
                "dtype": "uint8",
                "shape": ["images", "height", "width", 3],
                "color": "rgb",
                "short_side": options.short_side,
                "multiple_of": MULTIPLE,
            }
        },
        "outputs": {
            name: {"dtype": "int64" if name == "peaks" else "float32", "shape": list(shapes[name])}
            for name in output_names(network)
        },
        "decode": decode,
    }


def _batches(pictures: Sequence[np.ndarray], short_side: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for images, height, width in _NOISE:
        yield rng.integers(0, 256, (images, height, width, 3), dtype=np.uint8)
    for picture in pictures[:: -(-len(pictures) // _MOST_PICTURES) or 1]:
        height, width = picture.shape[:2]
        yield fit_short_side(width, height, short_side, MULTIPLE).apply(picture)[None]
