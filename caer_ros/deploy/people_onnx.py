"""CAER-Net-S and CAER-Net as ONNX: people and scenes dynamic, uint8 pictures in."""

from __future__ import annotations

import torch
from torch import Tensor

from caer_ros.deploy.onnx_file import trace
from caer_ros.networks.inputs import CaerNetSGraph
from caer_ros.networks.two_stream import TwoStream

INPUTS = ("face", "context", "scene")
OUTPUTS = ("logits", "fusion", "attention")


def to_onnx(network: TwoStream) -> bytes:
    """The network as ONNX: uint8 pictures or clips in, batch norm folded.

    Inputs face uint8 [people, 96, 96, 3], context uint8 [scenes, 224, 224, 3], scene int64
    [people]; of CAER-Net [people, 16, 96, 96, 3] and [scenes, 16, 112, 112, 3]. Outputs logits,
    fusion, attention as in NetworkOutput.
    """
    example = (_black(network.face_shape), _black(network.context_shape), torch.tensor([0, 1]))
    people, scenes = {0: "people"}, {0: "scenes"}
    axes = dict.fromkeys((*INPUTS, *OUTPUTS), people) | {"context": scenes, "attention": scenes}
    return trace(CaerNetSGraph(network).eval(), example, INPUTS, OUTPUTS, axes)


def _black(shape: tuple[int, ...]) -> Tensor:
    """Two inputs of a network's shape [3, ...], as uint8 [2, ..., 3]."""
    return torch.zeros(2, *shape[1:], 3, dtype=torch.uint8)
