"""Maps in which n people are drawn, and an engine that sees them, whatever picture it is given.

What BENet costs does not depend on its weights, but how many people it finds does. To time it with
n people and without a trained network, the network runs on the frame, and then maps that say
"n people" are decoded by the graph that decodes its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.deploy.onnx_file import trace
from caer_ros.engines import Engine
from caer_ros.engines.base import EngineBase
from caer_ros.networks.benet.decode import DecodeGraph
from caer_ros.networks.benet.maps import BenetMaps
from caer_ros.training.benet.targets import ImagePeople, map_targets

STRIDES = (4, 2)
# Cells at 1/2 of the input; nearer ones may be one peak.
_APART = 8
# Heat in a map that a network may put out: logits stay finite.
_CERTAIN = 1e-4


def grid_boxes(count: int, height: int, width: int) -> np.ndarray:
    """Boxes float32 [count, 4] of equal size, side by side, row by row, in width x height pixels.

    Raises:
        InputError: they would be too near to each other to be told apart.
    """
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cell_w, cell_h = width / columns, height / rows
    if min(cell_w, cell_h) < 2 * _APART:
        raise InputError(
            f"{count} people do not fit into {width}x{height} pixels.",
            "Use fewer people or a larger input.",
        )
    places = np.stack([np.arange(count) % columns, np.arange(count) // columns], axis=1)
    centres = (places + 0.5) * (cell_w, cell_h)
    half = np.array([0.3 * cell_w, 0.4 * cell_h])
    return np.hstack([centres - half, centres + half]).astype(np.float32)


def drawn_maps(
    boxes: np.ndarray, height: int, width: int, emotions: int, vad: bool
) -> dict[str, np.ndarray]:
    """Logits of both resolutions that say "people of this size here", as DecodeOnly's inputs.

    Heat is the training target's logit: a Gaussian round each centre. Sizes are the same all over,
    emotions and VAD are noise: what they are changes nothing.

    Args:
        boxes: float [n, 4] of one size, in pixels of an input of `height` x `width`; n >= 1.
    """
    rng = np.random.default_rng(0)
    blank = [np.zeros((len(boxes), columns), np.float32) for columns in (emotions, emotions, 3)]
    people = ImagePeople(boxes, *blank)
    maps: dict[str, np.ndarray] = {}
    for stride in STRIDES:
        targets = map_targets([people], height, width, stride, emotions)
        heat = targets.heat.clamp(_CERTAIN, 1 - _CERTAIN).logit().numpy()
        shape = heat.shape[2:]
        size = np.broadcast_to(targets.sizes[0].numpy()[:, None, None], (1, 2, *shape))
        maps[f"heat_{stride}"] = heat
        maps[f"size_{stride}"] = np.ascontiguousarray(size, np.float32)
        maps[f"emotion_{stride}"] = rng.normal(size=(1, emotions, *shape)).astype(np.float32)
        if vad:
            maps[f"vad_{stride}"] = rng.normal(size=(1, 3, *shape)).astype(np.float32)
    return maps


class DecodeOnly(nn.Module):
    """The exported network's decoding with a map an input; outputs as RobotGraph's without heat."""

    def __init__(self, top_k: int, threshold: float, vad: bool) -> None:
        super().__init__()
        self.decode = DecodeGraph(top_k, threshold)
        self.fields = 4 if vad else 3

    def forward(self, *maps: Tensor) -> tuple[Tensor, ...]:
        quarter, half = (
            BenetMaps(*part, *[None] * (4 - self.fields))
            for part in (maps[: self.fields], maps[self.fields :])
        )
        rows = self.decode((quarter, half))
        vad = () if rows.vad is None else (rows.vad,)
        return rows.boxes, rows.scores, rows.emotions, rows.peaks, *vad


def decode_to_onnx(top_k: int, threshold: float, maps: Mapping[str, np.ndarray]) -> bytes:
    """DecodeOnly as ONNX, for maps like these."""
    vad = "vad_2" in maps
    outputs = ["boxes", "scores", "emotions", "peaks", *(["vad"] if vad else [])]
    axes = {name: {0: "images", 2: f"h{name[-1]}", 3: f"w{name[-1]}"} for name in maps}
    example = tuple(torch.from_numpy(array) for array in maps.values())
    graph = DecodeOnly(top_k, threshold, vad).eval()
    return trace(graph, example, list(maps), outputs, axes | {n: {0: "images"} for n in outputs})


class DrawnPeople(EngineBase):
    """An Engine: runs `network` on the frame, then hands out the rows of drawn maps.

    Attributes:
        people: how many to see; a key of `maps`.
    """

    def __init__(
        self, network: Engine, decode: Engine, maps: Mapping[int, dict[str, np.ndarray]]
    ) -> None:
        self.backend = network.backend
        self.inputs, self.outputs = network.inputs, network.outputs
        self.people = min(maps)
        self._network, self._decode, self._maps = network, decode, maps

    def run(
        self, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """See Engine.run."""
        self._network.run(arrays, outputs)
        return self._decode.run(self._maps[self.people], outputs)

    def close(self) -> None:
        """Release both."""
        self._network.close()
        self._decode.close()
