"""The heads that draw maps (sections 2.1, 2.2 and 3.1): emotions, centres of people, their sizes.

All three have the form of HigherHRNet's (Cheng et al., 2020): an answer at 1/4 of the input, then a
transposed convolution of features and answer together, and an answer at 1/2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from caer_ros.networks.benet.blocks import BasicBlock
from caer_ros.networks.benet.initialise import CERTAIN, OPEN, start_at
from caer_ros.networks.benet.maps import BenetMaps

VAD = 3
_BLOCKS = 3


class Answer(nn.Sequential):
    """3x3 convolution to the mean of both widths, BN, ReLU, 1x1: [n, C, h, w] -> [n, o, h, w]."""

    def __init__(self, channels: int, outputs: int) -> None:
        hidden = (channels + outputs) // 2
        super().__init__(
            nn.Conv2d(channels, hidden, 3, padding=1),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, outputs, 1),
        )


class MapHead(nn.Module):
    """A branch of its own for one kind of map, at both resolutions; raw outputs, no sigmoid.

    `forward(features)`: float [n, C, H/4, W/4] -> [n, o, H/4, W/4], [n, o, H/2, W/2], and the same
    of 3 channels for valence, arousal and dominance with `vad`, else two Nones. VAD reads the
    features only, so that nothing that the paper has depends on it.
    """

    def __init__(self, channels: int, outputs: int, attention: bool, vad: bool = False) -> None:
        super().__init__()
        self.quarter_blocks = _blocks(channels, attention)
        self.quarter_answer = Answer(channels, outputs)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(channels + outputs, channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )
        self.half_blocks = _blocks(channels, attention)
        self.half_answer = Answer(channels, outputs)
        self.quarter_vad = Answer(channels, VAD) if vad else None
        self.half_vad = Answer(channels, VAD) if vad else None

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        quarter = self.quarter_blocks(features)
        answer = self.quarter_answer(quarter)
        half = self.half_blocks(self.up(torch.cat([quarter, answer], dim=1)))
        if self.quarter_vad is None or self.half_vad is None:
            return answer, self.half_answer(half), None, None
        return answer, self.half_answer(half), self.quarter_vad(quarter), self.half_vad(half)

    def start(self, bias: float, noise: float) -> None:
        """Both resolutions answer about `bias` at first, VAD 0; `noise`: see `start_at`."""
        start_at(self.quarter_answer[-1], bias, noise)
        start_at(self.half_answer[-1], bias, noise)
        for vad in (self.quarter_vad, self.half_vad):
            if vad is not None:
                start_at(vad[-1], noise=noise)


class MapHeads(nn.Module):
    """Bottom-up and detection heads: the finest features -> BenetMaps at 1/4 and at 1/2.

    Without `detection`, heat and size are None and the boxes must come from elsewhere.
    """

    def __init__(
        self, channels: int, num_classes: int, attention: bool, detection: bool, vad: bool
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.emotion = MapHead(channels, num_classes, attention, vad)
        self.heat = MapHead(channels, 1, attention) if detection else None
        self.size = MapHead(channels, 2, attention) if detection else None

    def forward(self, features: Tensor) -> tuple[BenetMaps, BenetMaps]:
        emotion, emotion_half, vad, vad_half = self.emotion(features)
        heat, heat_half = (None, None) if self.heat is None else self.heat(features)[:2]
        size, size_half = (None, None) if self.size is None else self.size(features)[:2]
        return (
            BenetMaps(heat, size, emotion, vad),
            BenetMaps(heat_half, size_half, emotion_half, vad_half),
        )

    def nothing(self, features: Tensor) -> tuple[BenetMaps, BenetMaps]:
        """What no image gives: the shapes of `forward`, with 0 rows."""
        height, width = features.shape[2:]
        return self._empty(features, height, width), self._empty(features, 2 * height, 2 * width)

    def _empty(self, like: Tensor, height: int, width: int) -> BenetMaps:
        def zeros(channels: int) -> Tensor:
            return like.new_zeros(0, channels, height, width)

        heat, size = (None, None) if self.heat is None else (zeros(1), zeros(2))
        vad = None if self.emotion.half_vad is None else zeros(VAD)
        return BenetMaps(heat, size, zeros(self.num_classes), vad)

    def start(self, heat_bias: float) -> None:
        """Heat answers `heat_bias` at first, all others about 0."""
        self.emotion.start(0.0, OPEN)
        if self.heat is not None and self.size is not None:
            self.heat.start(heat_bias, CERTAIN)
            self.size.start(0.0, CERTAIN)


def _blocks(channels: int, attention: bool) -> nn.Sequential:
    return nn.Sequential(*[BasicBlock(channels, attention) for _ in range(_BLOCKS)])
