"""CAER-Net, the network of clips, as a bundle: its ONNX file, checked, and its card."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from caer_ros.core import CAER7, InputError
from caer_ros.datasets.clips import RATE, STRIDE
from caer_ros.datasets.cuts import Cut, scaled_size
from caer_ros.deploy.card import (
    FACE_FILL,
    FACE_MARGIN,
    FP32,
    About,
    common_card,
    file_entry,
    write_card,
)
from caer_ros.deploy.onnx_file import Parity, judge, write_fp32
from caer_ros.deploy.people_onnx import INPUTS, OUTPUTS, to_onnx
from caer_ros.engines import Engine
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.networks.caer_net import CLIP_FRAMES, CONTEXT_SIZE, FACE_SIZE, CaerNet
from caer_ros.networks.inputs import CaerNetSGraph
from caer_ros.perception.clip_inputs import TASK

Arrays = dict[str, np.ndarray]
# Torch takes half a second for a clip.
_MOST_PICTURES = 4
_NOISE = ((1, 1), (3, 2))


def export_clip(
    network: CaerNet, bundle: Path, pictures: Sequence[np.ndarray], about: About
) -> Parity:
    """Write fp32.onnx and model.yaml into `bundle`.

    Args:
        pictures: uint8 RGB; clips that pan over up to four of them, evenly spread, are compared on.

    Raises:
        InputError: the network lacks a stream, or there are no names for its outputs.
        ParityError: the ONNX file computes something else; the bundle is left as it was.
    """
    card = caer_net_card(network, about)
    batches = [*noise_batches(), clip_batch([pan(picture) for picture in _some(pictures)])]
    parity = write_fp32(
        bundle, to_onnx(network), lambda path: check_clip_parity(network, path, batches)
    )
    write_card(bundle, card | {"files": {"fp32": file_entry(bundle / FP32)}})
    return parity


def check_clip_parity(network: CaerNet, onnx_file: Path, batches: Sequence[Arrays]) -> Parity:
    """Compare the file with the network on ONNX Runtime and, where it is installed, OpenVINO.

    Args:
        batches: the network's inputs; see clip_batch.

    Raises:
        ParityError: an output differs by more than TOLERANCE.
    """
    graph = CaerNetSGraph(network).eval()
    wanted = []
    for arrays in batches:
        with torch.inference_mode():
            outputs = graph(*(torch.from_numpy(arrays[name]) for name in INPUTS))
        wanted.append([tensor.numpy() for tensor in outputs])
    worst, backends = 0.0, _backends()
    for opened in backends.values():
        with opened(onnx_file) as engine:
            # numpy's, unlike Python's, keeps a NaN.
            worst = float(np.maximum(worst, _difference(engine, batches, wanted)))
    people = sum(len(arrays["face"]) for arrays in batches)
    return judge(worst, f"{people} clips ({' and '.join(backends)})")


def caer_net_card(network: CaerNet, about: About) -> dict[str, Any]:
    """model.yaml of a CAER-Net, without its files.

    Raises:
        InputError: the network lacks a stream, or there are no names for its outputs.
    """
    config = network.config
    if config.streams != "both" or config.num_classes != len(CAER7):
        raise InputError(
            f"This CAER-Net reads {config.streams} and has {config.num_classes} classes.",
            f"Export one that reads both face and context, with {len(CAER7)} classes.",
        )
    summary = "CAER-Net (Lee et al., ICCV 2019): seven emotions from clips of face and scene."
    return common_card(about, summary, TASK, CAER7) | {
        "inputs": {
            "face": {
                "dtype": "uint8",
                "shape": ["people", CLIP_FRAMES, FACE_SIZE, FACE_SIZE, 3],
                "color": "rgb",
                "margin": FACE_MARGIN,
            },
            "context": {
                "dtype": "uint8",
                "shape": ["scenes", CLIP_FRAMES, CONTEXT_SIZE, CONTEXT_SIZE, 3],
                "color": "rgb",
                "hide_faces": True,
                "fill": FACE_FILL,
                "frame": list(scaled_size(Cut(context=CONTEXT_SIZE, cropped=True))),
            },
            "scene": {"dtype": "int64", "shape": ["people"]},
        },
        "outputs": {
            "logits": {"dtype": "float32", "shape": ["people", len(CAER7)]},
            "fusion": {"dtype": "float32", "shape": ["people", 2]},
            "attention": {"dtype": "float32", "shape": ["scenes", *network.attention_shape]},
        },
        "decode": {"temperature": 1.0, "rate": RATE, "hop": STRIDE},
    }


def noise_batches() -> Iterator[Arrays]:
    """Clips of noise, with several numbers of people and scenes."""
    rng = np.random.default_rng(0)
    for people, scenes in _NOISE:
        yield {
            "face": rng.integers(0, 256, (people, *_shape(FACE_SIZE)), dtype=np.uint8),
            "context": rng.integers(0, 256, (scenes, *_shape(CONTEXT_SIZE)), dtype=np.uint8),
            "scene": np.arange(people, dtype=np.int64) % scenes,
        }


def clip_batch(clips: Sequence[np.ndarray]) -> Arrays:
    """A network's inputs in which every clip, uint8 RGB [16, H, W, 3], is somebody's face, and the
    first one everybody's context."""
    return {
        "face": np.stack([_resized(clip, FACE_SIZE) for clip in clips]),
        "context": _resized(clips[0], CONTEXT_SIZE)[None],
        "scene": np.zeros(len(clips), np.int64),
    }


def pan(picture: np.ndarray) -> np.ndarray:
    """A clip in which the camera crosses a picture, uint8 [H, W, 3], from corner to corner."""
    height, width = picture.shape[:2]
    rows, columns = max(1, height * 3 // 4), max(1, width * 3 // 4)
    places = np.linspace(0, 1, CLIP_FRAMES)
    corners = [(round((height - rows) * t), round((width - columns) * t)) for t in places]
    return np.stack([picture[y : y + rows, x : x + columns] for y, x in corners])


def _some(pictures: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    return pictures[:: -(-len(pictures) // _MOST_PICTURES) or 1]


def _shape(size: int) -> tuple[int, int, int, int]:
    return CLIP_FRAMES, size, size, 3


def _resized(clip: np.ndarray, size: int) -> np.ndarray:
    return np.stack([cv2.resize(frame, (size, size)) for frame in clip])


def _backends() -> dict[str, Callable[[Path], Engine]]:
    """Engines that keep nothing in the cache: the file may never become a bundle's."""
    backends: dict[str, Callable[[Path], Engine]] = {"ONNX Runtime": OnnxRuntimeEngine}
    if importlib.util.find_spec("openvino") is not None:
        from caer_ros.engines.open_vino import OpenVinoEngine

        backends["OpenVINO"] = OpenVinoEngine
    return backends


def _difference(
    engine: Engine, batches: Sequence[Arrays], wanted: Sequence[Sequence[np.ndarray]]
) -> float:
    worst = 0.0
    for arrays, outputs in zip(batches, wanted, strict=True):
        got = engine.run(arrays)
        for name, array in zip(OUTPUTS, outputs, strict=True):
            worst = float(np.maximum(worst, np.abs(array - got[name]).max()))
    return worst
