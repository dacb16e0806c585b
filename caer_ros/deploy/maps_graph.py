"""BENet's maps and their decoding in one ONNX file, out of which only people come."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.deploy.onnx_file import trace
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.decode import DecodeGraph
from caer_ros.perception.benet_decode import BenetDecode

MULTIPLE = 64


@dataclass(frozen=True)
class MapsOptions:
    """What a BENet bundle fixes.

    Attributes:
        short_side: pixels of the input's shorter side; the published test size is 512. Rounded up
            to a multiple of 64.
        top_k: most people in a frame. Rows cost nearly nothing.
        threshold: least score of a person; 0.1 is the published one, for average precision. The
            robot may raise or lower it.

    Raises:
        InputError: a value out of its range.
    """

    short_side: int = 512
    top_k: int = 30
    threshold: float = 0.1

    def __post_init__(self) -> None:
        if not MULTIPLE <= self.short_side <= 4096:
            raise InputError(f"short_side is {self.short_side}.", f"Use {MULTIPLE} to 4096 pixels.")
        BenetDecode(self.top_k, self.threshold)


class RobotGraph(nn.Module):
    """BENet from pictures to people: what is exported.

    `forward(images)`: uint8 [B, H, W, 3], RGB, H and W multiples of 64 -> boxes [B, K, 4], scores
    [B, K], emotions [B, K, E] and peaks [B] as in DecodedRows, then vad [B, K, 3] where the network
    has it, then heat [B, H / 2, W / 2], both resolutions together after the sigmoid.

    `heat` is the decoding's own first step, so that it costs nothing but its copy, and only those
    who draw it ask for it. Emotion maps do not leave: at 512 x 704 they are 9 MB.
    """

    def __init__(self, network: BENet, options: MapsOptions) -> None:
        super().__init__()
        self.maps = network.inference_part()
        self.decode = DecodeGraph(options.top_k, options.threshold)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        maps = self.maps(images)
        rows = self.decode(maps)
        quarter, half = (part.heat for part in maps)
        doubled = nn.functional.interpolate(
            quarter, scale_factor=2.0, mode="bilinear", align_corners=False
        )
        heat = (doubled.sigmoid() + half.sigmoid()) / 2
        vad = () if rows.vad is None else (rows.vad,)
        return rows.boxes, rows.scores, rows.emotions, rows.peaks, *vad, heat[:, 0]


def output_names(network: BENet) -> list[str]:
    """Of RobotGraph, in order."""
    vad = ["vad"] if network.config.vad else []
    return ["boxes", "scores", "emotions", "peaks", *vad, "heat"]


def maps_to_onnx(network: BENet, options: MapsOptions) -> bytes:
    """RobotGraph as ONNX: batch, height and width dynamic.

    Raises:
        InputError: the network has no detection head.
    """
    names = output_names(network)
    axes: dict[str, dict[int, str]] = {name: {0: "images"} for name in names}
    axes["heat"] |= {1: "heat_height", 2: "heat_width"}
    axes["images"] = {0: "images", 1: "height", 2: "width"}
    example = (torch.zeros(2, MULTIPLE, 2 * MULTIPLE, 3, dtype=torch.uint8),)
    return trace(RobotGraph(network, options).eval(), example, ["images"], names, axes)
