"""The table of scales: one for all files of a bundle, whatever zero points they want."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from caer_ros.bundles.files import write_atomically
from caer_ros.deploy.quantization.graph import Graph
from caer_ros.deploy.quantization.layers import Layer

LARGEST = 127
_NOT_NEGATIVE = frozenset({"Relu", "Sigmoid"})
_SAME_SIGN = frozenset({"MaxPool", "DepthToSpace"})
# An INT32 bias of a layer has the product of its two scales for a scale.
_LARGEST_BIAS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Scales:
    """What one step of INT8 is worth.

    Attributes:
        activation: tensor -> scale; value = scale x signed byte.
        not_negative: tensors that can not be below zero: unsigned bytes of them start at zero.
        weight: layer -> float32 [output channels]; weight = scale x signed byte.
    """

    activation: Mapping[str, float]
    not_negative: frozenset[str]
    weight: Mapping[str, np.ndarray]

    def with_activation(self, changed: Mapping[str, float]) -> Scales:
        """The same with some activations' scales exchanged."""
        return replace(self, activation={**self.activation, **changed})


def make_scales(
    graph: Graph,
    layers: Sequence[Layer],
    groups: Sequence[tuple[str, ...]],
    limits: Mapping[str, float],
) -> Scales:
    """Scales of all layers.

    Args:
        groups: tensors that share a scale.
        limits: tensor -> |value| that INT8 must reach; in a group the largest counts.
    """
    activation = {}
    for members in groups:
        reach = max(limits[name] for name in members)
        for name in members:
            # A tensor that is always zero needs some scale, whichever.
            activation[name] = float(np.float32(reach / LARGEST)) if reach > 0 else 1.0
    signs = {name for name in activation if _is_not_negative(graph, name)}
    # Within a group all must be, or their zero points would differ.
    whole = [members for members in groups if signs.issuperset(members)]
    return Scales(
        activation,
        frozenset(name for members in whole for name in members),
        weight_scales(graph, layers, activation),
    )


def weight_scales(
    graph: Graph, layers: Sequence[Layer], activation: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Layer -> float32 [output channels]: the largest |weight| of each is 127."""
    scales = {}
    for layer in layers:
        weights = graph.weights[layer.weight]
        others = tuple(a for a in range(weights.ndim) if a != layer.axis)
        scale = np.abs(weights).max(axis=others).astype(np.float64) / LARGEST
        if layer.bias in graph.weights:
            # Nearly dead channels: their bias must still fit into 32 bits.
            bias = np.abs(graph.weights[layer.bias].astype(np.float64))
            scale = np.maximum(scale, bias / activation[layer.input] / (_LARGEST_BIAS / 2))
        scales[layer.name] = np.where(scale > 0, scale, 1.0).astype(np.float32)
    return scales


def rounded_weights(weights: np.ndarray, scale: np.ndarray, axis: int) -> np.ndarray:
    """int8 weights of float ones; scale float32 [output channels]."""
    shape = [1] * weights.ndim
    shape[axis] = -1
    steps = np.rint(weights.astype(np.float64) / scale.reshape(shape))
    return np.clip(steps, -LARGEST, LARGEST).astype(np.int8)


def write_scales(
    path: Path,
    scales: Scales,
    limits: Mapping[str, tuple[float, float]],
    about: Mapping[str, object],
    kept: Mapping[str, str],
) -> None:
    """Write the table as JSON.

    Args:
        limits: tensor -> least and largest value seen.
        about: what was calibrated and how.
        kept: layer that is not INT8 -> why.
    """
    table = {
        **about,
        "higher_precision": dict(kept),
        "activations": {
            name: {
                "scale": scale,
                "seen": [float(f"{value:.6g}") for value in limits[name]],
                "zero_point_int8": 0,
                "zero_point_uint8": zero_point(scales, name),
            }
            for name, scale in scales.activation.items()
        },
        "weights": {
            name: [float(f"{value:.9g}") for value in scale]
            for name, scale in scales.weight.items()
            if name not in kept
        },
    }
    write_atomically(path, (json.dumps(table, indent=1) + "\n").encode())


def zero_point(scales: Scales, tensor: str) -> int:
    """Of unsigned bytes with the scale of the signed ones: the same steps, counted from there."""
    return 0 if tensor in scales.not_negative else 128


def _is_not_negative(graph: Graph, tensor: str) -> bool:
    node = graph.producer.get(tensor)
    while node is not None and node.op_type in _SAME_SIGN:
        node = graph.producer.get(node.input[0])
    return node is not None and node.op_type in _NOT_NEGATIVE
