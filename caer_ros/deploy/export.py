"""From a checkpoint to a bundle's fp32.onnx, checked against the network it came from."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch

from caer_ros.bundles.files import write_atomically
from caer_ros.core import CaerError, InputError
from caer_ros.deploy.card import (
    FP32,
    INT8,
    INT8_ONNXRUNTIME,
    caer_net_s_card,
    file_entry,
    write_card,
)
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.networks.caer_net_s import CONTEXT_SIZE, FACE_SIZE, CaerNetS
from caer_ros.networks.checkpoint import load_checkpoint, read_meta
from caer_ros.networks.inputs import CaerNetSGraph

OPSET = 17
TOLERANCE = 1e-4
INPUTS = ("face", "context", "scene")
OUTPUTS = ("logits", "fusion", "attention")
_PICTURES = (".png", ".jpg", ".jpeg")
_MOST_PICTURES = 32


@dataclass(frozen=True)
class Parity:
    """Largest absolute difference between the network and its ONNX file, on so many people."""

    difference: float
    people: int


class ParityError(CaerError):
    """The ONNX file does not compute what the network computes."""


def to_onnx(network: CaerNetS) -> bytes:
    """The network as ONNX: uint8 pictures in, batch norm folded, people and scenes dynamic.

    Inputs face uint8 [people, 96, 96, 3], context uint8 [scenes, 224, 224, 3], scene int64
    [people]; outputs logits, fusion, attention as in CaerNetSOutput.
    """
    graph = CaerNetSGraph(network).eval()
    example = (
        torch.zeros(2, FACE_SIZE, FACE_SIZE, 3, dtype=torch.uint8),
        torch.zeros(2, CONTEXT_SIZE, CONTEXT_SIZE, 3, dtype=torch.uint8),
        torch.tensor([0, 1]),
    )
    people, scenes = {0: "people"}, {0: "scenes"}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The tracing exporter is deprecated; its successor writes opset 18 and up, which TensorRT 8
        # and older ONNX Runtimes do not read.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            example,
            buffer,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes={
                "face": people,
                "context": scenes,
                "scene": people,
                "logits": people,
                "fusion": people,
                "attention": scenes,
            },
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


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
                worst = max(worst, float(np.abs(tensor.numpy() - got[name]).max()))
            people += len(arrays["face"])
    if not worst <= TOLERANCE:
        raise ParityError(
            f"ONNX differs from the network by {worst:.2e}, more than {TOLERANCE:.0e}.",
            "Nothing was written. Report it with the versions of torch, onnx and onnxruntime.",
        )
    return Parity(worst, people)


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
        InputError: there is none.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _PICTURES)
    if not paths:
        raise InputError(f"No picture below {folder}.", "Name a folder with PNG or JPEG files.")
    step = -(-len(paths) // _MOST_PICTURES)
    images = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths[::step]]
    return [cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in images if image is not None]


def export_bundle(
    checkpoint: Path,
    bundle: Path,
    pictures: Sequence[np.ndarray],
    version: str,
    demonstration: bool,
    notice: str,
) -> Parity:
    """Write fp32.onnx and model.yaml into `bundle`; INT8 files of an earlier export are removed.

    Raises:
        InputError: the checkpoint is unusable.
        ParityError: the ONNX file computes something else; the bundle is left as it was.
    """
    network = load_checkpoint(checkpoint)
    bundle.mkdir(parents=True, exist_ok=True)
    candidate = bundle / f".{FP32}"
    try:
        candidate.write_bytes(to_onnx(network))
        parity = check_parity(network, candidate, pictures)
        write_atomically(bundle / FP32, candidate.read_bytes())
    finally:
        candidate.unlink(missing_ok=True)
    for stale in (INT8, INT8_ONNXRUNTIME):
        (bundle / stale).unlink(missing_ok=True)
    card = caer_net_s_card(
        bundle.resolve().name, version, read_meta(checkpoint)["extra"], demonstration, notice
    )
    card["files"] = {"fp32": file_entry(bundle / FP32)}
    write_card(bundle, card)
    return parity
