"""The heads that say one thing of a whole image (sections 2.3 and 3.1): person and background."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from caer_ros.networks.benet.blocks import Bottleneck, conv_bn_relu
from caer_ros.networks.benet.initialise import OPEN, start_at
from caer_ros.networks.benet.map_heads import VAD


class VectorHead(nn.Module):
    """HRNet's classification head (Wang et al., 2021), "bottleneck expansion reduced" to 1.

    `forward(maps)`: the backbone's four maps -> logits float [n, E], and [n, 3] of valence, arousal
    and dominance with `vad`, else None. A block a resolution; from the finest on, each is halved by
    a 3x3 convolution and added to the next; then 1x1, average over space and two linear layers.
    1,479,602 parameters at 26 classes and width 32. `dropout`, before the last layer, is ours.
    """

    def __init__(
        self, width: int, num_classes: int, attention: bool, dropout: float, vad: bool
    ) -> None:
        super().__init__()
        widths = [width << i for i in range(4)]
        self.blocks = nn.ModuleList(Bottleneck(each, each, 1, attention) for each in widths)
        self.halve = nn.ModuleList(_halve(each, 2 * each) for each in widths[:-1])
        self.last = nn.Sequential(*conv_bn_relu(widths[3], widths[2], 1, bias=True))
        self.hidden = nn.Sequential(
            nn.Linear(widths[2], widths[1]), nn.ReLU(inplace=True), nn.Dropout(dropout)
        )
        self.emotion = nn.Linear(widths[1], num_classes)
        self.vad = nn.Linear(widths[1], VAD) if vad else None

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
        blocks = [block(each) for block, each in zip(self.blocks, maps, strict=True)]
        total, *rest = blocks
        for halve, each in zip(self.halve, rest, strict=True):
            total = each + halve(total)
        hidden = self.hidden(self.last(total).mean(dim=(2, 3)))
        return self.emotion(hidden), None if self.vad is None else self.vad(hidden)

    def start(self) -> None:
        start_at(self.emotion, noise=OPEN)
        if self.vad is not None:
            start_at(self.vad, noise=OPEN)


def _halve(inputs: int, outputs: int) -> nn.Sequential:
    # The published head's convolutions have a bias, which the norm behind them cancels.
    return nn.Sequential(*conv_bn_relu(inputs, outputs, 3, 2, bias=True))
