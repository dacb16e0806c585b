"""HRNet's module: parallel branches of blocks, then every resolution hears of every other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from caer_ros.networks.benet.blocks import BasicBlock, conv_bn, conv_bn_relu


class Exchange(nn.Module):
    """Branches of BasicBlocks, then sums over all of them (Wang et al., 2021, section 3.2).

    `forward(maps, outputs=None)`: maps[i] is float [N, widths[i], h >> i, w >> i], h and w
    multiples of 2 ** (len(maps) - 1). Returns the first `outputs` of the same shapes, >= 0; None
    means all that were built. What is not asked for is not computed.
    """

    def __init__(
        self, widths: Sequence[int], blocks: int, attention: bool, outputs: int | None = None
    ) -> None:
        super().__init__()
        self.outputs = len(widths) if outputs is None else outputs
        self.branches = nn.ModuleList(
            nn.Sequential(*[BasicBlock(width, attention) for _ in range(blocks)])
            for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_path(widths, source, target) for source in range(len(widths)))
            for target in range(self.outputs)
        )

    def forward(self, maps: Sequence[Tensor], outputs: int | None = None) -> list[Tensor]:
        inner = [branch(each) for branch, each in zip(self.branches, maps, strict=True)]
        wanted = list(self.fuse_layers)[:outputs]
        return [torch.relu(_sum(paths, inner)) for paths in wanted]


def _sum(paths: nn.Module, maps: Sequence[Tensor]) -> Tensor:
    total, *rest = (path(each) for path, each in zip(paths, maps, strict=True))
    for each in rest:
        total = total + each
    return total


def _path(widths: Sequence[int], source: int, target: int) -> nn.Module:
    """From one resolution to another: 1x1 and nearest upsampling, or a 3x3 for each halving."""
    if source == target:
        return nn.Identity()
    if source > target:
        up = nn.Upsample(scale_factor=2 ** (source - target), mode="nearest")
        return nn.Sequential(*conv_bn(widths[source], widths[target], 1), up)
    width = widths[source]
    steps = [conv_bn_relu(width, width, 3, 2) for _ in range(target - source - 1)]
    steps.append(conv_bn(width, widths[target], 3, 2))
    return nn.Sequential(*[nn.Sequential(*step) for step in steps])
