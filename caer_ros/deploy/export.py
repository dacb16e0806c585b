"""From a checkpoint to a bundle's fp32.onnx, checked against the network it came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch

from caer_ros.core import InputError
from caer_ros.deploy.card import FP32, NOTICES, About, caer_net_s_card, file_entry, write_card
from caer_ros.deploy.export_benet import MapsOptions, export_benet
from caer_ros.deploy.export_clip import export_clip
from caer_ros.deploy.onnx_file import OPSET, Parity, ParityError, judge, write_fp32
from caer_ros.deploy.people_onnx import INPUTS, OUTPUTS, to_onnx
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_s import CONTEXT_SIZE, FACE_SIZE, CaerNetS
from caer_ros.networks.checkpoint import load_benet, load_checkpoint, load_network, read_meta
from caer_ros.networks.inputs import CaerNetSGraph

__all__ = [
    "INPUTS",
    "OPSET",
    "OUTPUTS",
    "MapsOptions",
    "Parity",
    "ParityError",
    "export_bundle",
    "to_onnx",
]

_PICTURES = (".png", ".jpg", ".jpeg")
_MOST_PICTURES = 32


def check_parity(network: CaerNetS, onnx_file: Path, pictures: Sequence[np.ndarray]) -> Parity:
    """Compare on noise and on `pictures` (uint8 RGB), with several numbers of people and scenes.

    Raises:
        ParityError: an output differs by more than TOLERANCE.
    """
    graph = CaerNetSGraph(network).eval()
    worst, people = 0.0, 0
    with OnnxRuntimeEngine(onnx_file) as engine:
        for arrays in _batches(pictures):
            with torch.inference_mode():
                wanted = graph(*(torch.from_numpy(arrays[name]) for name in INPUTS))
            got = engine.run(arrays)
            for name, tensor in zip(OUTPUTS, wanted, strict=True):
                # numpy's, unlike Python's, keeps a NaN.
                worst = float(np.maximum(worst, np.abs(tensor.numpy() - got[name]).max()))
            people += len(arrays["face"])
    return judge(worst, f"{people} people")


def _batches(pictures: Sequence[np.ndarray]) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (240, 320, 3), dtype=np.uint8) for _ in range(5)]
    batches = []
    for people, scenes, source in ((1, 1, noise), (5, 2, noise), (len(pictures), 3, pictures)):
        faces = [cv2.resize(source[i % len(source)], (FACE_SIZE,) * 2) for i in range(people)]
        rooms = [cv2.resize(source[i % len(source)], (CONTEXT_SIZE,) * 2) for i in range(scenes)]
        batches.append(
            {
                "face": np.stack(faces),
                "context": np.stack(rooms),
                "scene": np.arange(people, dtype=np.int64) % scenes,
            }
        )
    return batches


def read_pictures(folder: Path) -> list[np.ndarray]:
    """Up to 32 pictures below a folder, evenly spread over it, as uint8 RGB.

    Raises:
        InputError: there is none, or none of them can be read.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _PICTURES)
    if not paths:
        raise InputError(f"No picture below {folder}.", "Name a folder with PNG or JPEG files.")
    step = -(-len(paths) // _MOST_PICTURES)
    images = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths[::step]]
    read = [cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in images if image is not None]
    if not read:
        raise InputError(
            f"None of the pictures below {folder} can be read.", "Name a folder with good ones."
        )
    return read


def export_bundle(
    checkpoint: Path,
    bundle: Path,
    pictures: Sequence[np.ndarray],
    version: str,
    demonstration: bool,
    notice: str | None = None,
    maps: MapsOptions | None = None,
) -> Parity:
    """Write fp32.onnx and model.yaml into `bundle`; what was calibrated earlier goes.

    Args:
        checkpoint: of a CAER-Net-S, a CAER-Net or a BENet.
        pictures: uint8 RGB, to compare on.
        notice: what the node prints at start-up of a demonstration; None is the network's own.
        maps: for a BENet only.

    Raises:
        InputError: the checkpoint is unusable.
        ParityError: the ONNX file computes something else; the bundle is left as it was.
    """
    meta = read_meta(checkpoint, architecture=None)
    architecture = meta["architecture"]
    if notice is None:
        notice = NOTICES.get(architecture, "")
    name = bundle.resolve().name
    about = About(name, version, meta["extra"], demonstration, notice if demonstration else "")
    if architecture == BENet.architecture:
        return export_benet(load_benet(checkpoint), bundle, pictures, about, maps or MapsOptions())
    if architecture == CaerNet.architecture:
        clips = cast(CaerNet, load_network(checkpoint, architecture))
        return export_clip(clips, bundle, pictures, about)
    network = load_checkpoint(checkpoint)
    parity = write_fp32(
        bundle, to_onnx(network), lambda path: check_parity(network, path, pictures)
    )
    write_card(bundle, caer_net_s_card(about) | {"files": {"fp32": file_entry(bundle / FP32)}})
    return parity
