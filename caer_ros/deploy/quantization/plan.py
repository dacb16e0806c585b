"""A network as calibration sees it: its layers, which of them stay as they are, what to watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from caer_ros.core import InputError
from caer_ros.deploy.quantization.graph import Graph, prepared
from caer_ros.deploy.quantization.layers import Layer, find_layers, groups, protected
from caer_ros.deploy.quantization.ranges import Ranges
from caer_ros.deploy.quantization.scales import Scales, make_scales
from caer_ros.deploy.quantization.thresholds import thresholds

# Of the layers that could be INT8, so many may be given up before the file is not worth having.
_MOST_KEPT = 0.5


@dataclass(frozen=True, eq=False)
class Plan:
    """See above.

    Attributes:
        graph: FP32, prepared.
        layers: all that could be INT8.
        reasons: name -> why, of those that stay in higher precision from the start.
        groups: tensors that share a scale.
    """

    graph: Graph
    layers: list[Layer]
    reasons: Mapping[str, str]
    groups: list[tuple[str, ...]]

    @classmethod
    def of(cls, source: Path, keep: Sequence[str] = ()) -> Plan:
        """Read an ONNX file.

        Args:
            keep: names or patterns (`*head*`) of layers to leave in higher precision.

        Raises:
            InputError: no ONNX file, no layer in it, or a pattern that fits none.
        """
        graph = Graph(prepared(source))
        layers = find_layers(graph)
        if not layers:
            raise InputError(f"{source} has no convolution to quantise.", "It stays FP32.")
        reasons = protected(graph, layers)
        for pattern in keep:
            chosen = [layer.name for layer in layers if fnmatchcase(layer.name, pattern)]
            if not chosen:
                raise InputError(
                    f"No layer's name fits '{pattern}'.", f"The first is {layers[0].name}."
                )
            reasons = {**reasons, **dict.fromkeys(chosen, "asked for")}
        return cls(graph, layers, reasons, groups(graph, layers))

    @property
    def tensors(self) -> tuple[str, ...]:
        """All tensors that need a scale."""
        return tuple(name for members in self.groups for name in members)

    @property
    def free(self) -> list[Layer]:
        """Layers that may become INT8."""
        return [layer for layer in self.layers if layer.name not in self.reasons]

    def scales(self, ranges: Ranges, method: str, percentile: float) -> Scales:
        """The table for what was seen.

        Raises:
            InputError: unknown method or impossible percentile.
        """
        limits = thresholds(ranges, method, percentile)
        reach = dict(zip(ranges.tensors, limits.tolist(), strict=True))
        return make_scales(self.graph, self.layers, self.groups, reach)

    def ladder(self, worst_first: Sequence[str]) -> Iterator[dict[str, str]]:
        """Sets of layers to keep in higher precision, name -> why: first those of the start alone,
        then with the worst 1, 2, 4, ... up to half of the others.
        """
        most = int(len(worst_first) * _MOST_KEPT)
        steps = [0, *(2**power for power in range(16))]
        for count in dict.fromkeys(min(step, most) for step in steps):
            lost = dict.fromkeys(worst_first[:count], "cost most in the sweep")
            yield {**self.reasons, **lost}


def seen_limits(ranges: Ranges) -> dict[str, tuple[float, float]]:
    """Tensor -> least and largest value seen."""
    pairs = np.stack([ranges.low, ranges.high], axis=1).tolist()
    return {name: (low, high) for name, (low, high) in zip(ranges.tensors, pairs, strict=True)}
