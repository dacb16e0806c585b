"""The paper's baselines: a published network's convolutions, and two layers to classify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from caer_ros.core import InputError
from caer_ros.networks.blocks import average
from caer_ros.networks.caer_net_config import check_choice, check_head
from caer_ros.networks.extractors.base import Extractor
from caer_ros.networks.interface import EmotionNetwork, NetworkOutput, uniform_attention

Flatten = Literal["average", "cells"]


@dataclass(frozen=True)
class BaselineConfig:
    """Switches of a baseline. The paper says "we adopt two fully-connected layers as classifiers".

    It gives neither their width nor what they read. Here `hidden` is 128, as in CAER-Net's own
    classifier, and by default they read the maps' average over space (and time): so the networks
    are compared by their features, and a class activation map is exact, which [34] gets by just
    this change. `pooling` "cells" reads all cells, as the published classifiers do.
    `frozen` keeps the extractor as it was loaded, BN statistics too (Table 4's "ImageNet-..." and
    Table 5's "Sports-1M-..."); without it all is trained ("Fine-tuned ...").

    Raises:
        InputError: a switch has a value that does not exist.
    """

    num_classes: int = 7
    dropout: float = 0.5
    hidden: int = 128
    pooling: Flatten = "average"
    frozen: bool = False

    def __post_init__(self) -> None:
        check_head(self.num_classes, self.dropout)
        check_choice("pooling", self.pooling, ("average", "cells"))
        check_choice("frozen", self.frozen, (True, False))
        if isinstance(self.hidden, bool) or not isinstance(self.hidden, int) or self.hidden < 1:
            raise InputError(f"hidden is {self.hidden}.", "Use a whole number, at least 1.")


class Baseline(EmotionNetwork):
    """An extractor and two fully-connected layers, reading the whole picture (Tables 4 and 5).

    `forward(face, context, scene, face_present=None)`: `context` is the scene with all its faces,
    [M, *context_shape]; `face` and `face_present` are ignored. People of one scene get the same
    logits: these networks know of no persons. fusion is (0, 1), attention uniform.
    """

    reads_face = False
    reads_context = True
    hides_faces = False

    def __init__(
        self, architecture: str, extractor: Extractor, config: BaselineConfig | None = None
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.config = config = config or BaselineConfig()
        self.dims = len(extractor.grid)
        self.face_shape = extractor.input_shape
        self.context_shape = extractor.input_shape
        self.attention_shape = extractor.grid
        self.extractor = extractor.requires_grad_(not config.frozen)
        cells = 1 if config.pooling == "average" else torch.Size(extractor.grid).numel()
        self.head = nn.Sequential(
            nn.Linear(extractor.channels * cells, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.num_classes),
        )

    def train(self, mode: bool = True) -> Baseline:
        super().train(mode)
        if self.config.frozen:
            self.extractor.eval()
        return self

    def classify(self, maps: Tensor) -> Tensor:
        """Feature maps [M, C, *grid] -> logits [M, K]. With "cells" the grid must be as published.

        Raises:
            InputError: the maps have another grid and the head reads cells.
        """
        if self.config.pooling == "average":
            return self.head(average(maps))
        if tuple(maps.shape[2:]) != self.attention_shape:
            raise InputError(
                f"The feature maps are {tuple(maps.shape[2:])}, not {self.attention_shape}.",
                f"Give pictures of {self.context_shape}, or use pooling 'average'.",
            )
        return self.head(maps.flatten(1))

    def forward(
        self,
        face: Tensor | None,
        context: Tensor | None,
        scene: Tensor,
        face_present: Tensor | None = None,
    ) -> NetworkOutput:
        """See EmotionNetwork.

        Raises:
            InputError: `context` is None.
        """
        if context is None:
            raise InputError("'context' is None.", "A baseline reads it: give the whole picture.")
        maps = self.extractor(context)
        logits = self.classify(maps)[scene]
        fusion = logits.new_tensor([[0.0, 1.0]]).expand(logits.shape[0], 2)
        attention = uniform_attention(maps, maps.shape[0], maps.shape[2:])
        return NetworkOutput(logits, fusion, attention)
