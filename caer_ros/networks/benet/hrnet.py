"""HRNet (Wang et al., 2021), the backbone: four resolutions side by side from start to end."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from caer_ros.networks.benet.blocks import Bottleneck, conv_bn_relu
from caer_ros.networks.benet.exchange import Exchange

STEM = 64
FIRST_STAGE = 256
BRANCHES = 4


class HrNet(nn.Module):
    """Float [N, 3, H, W], normalised, H and W multiples of 32 -> maps at 1/4, 1/8, 1/16 and 1/32.

    Map i is float [N, width << i, H >> (i + 2), W >> (i + 2)], >= 0.

    Args:
        width: channels of the finest map.
        modules: of stages 2, 3 and 4; (1, 4, 3) is the standard, the published BENet has (2, 2, 2).
        blocks: BasicBlocks a branch in each module; 4 is the standard, the published BENet has 3.
        attention: in every block; the published BENet only.
        outputs: 1 leaves out the last layers of the three coarser maps, as networks for poses do:
            width 32 in standard form has then 28,535,552 parameters.
        pooled: the stem's two convolutions keep the size, and the largest of 2x2 halves it after
            each. Published HRNets stride instead, which at first loses what is a pixel wide.

    Stem and first stage are as wide at every `width`. All names are those of published HRNets.
    """

    def __init__(
        self,
        width: int,
        modules: Sequence[int],
        blocks: int,
        attention: bool,
        outputs: int = BRANCHES,
        pooled: bool = False,
    ) -> None:
        super().__init__()
        widths = [width << i for i in range(BRANCHES)]
        stride = 1 if pooled else 2
        self.conv1, self.bn1, self.relu = conv_bn_relu(3, STEM, 3, stride)
        self.conv2, self.bn2 = conv_bn_relu(STEM, STEM, 3, stride)[:2]
        self.halve = nn.MaxPool2d(2) if pooled else nn.Identity()
        inputs = [STEM, *[FIRST_STAGE] * 3]
        self.layer1 = nn.Sequential(
            *[Bottleneck(channels, STEM, FIRST_STAGE // STEM, attention) for channels in inputs]
        )
        self.transition1 = nn.ModuleList(
            [
                nn.Sequential(*conv_bn_relu(FIRST_STAGE, widths[0], 3)),
                _half(FIRST_STAGE, widths[1]),
            ]
        )
        self.transition2 = _one_more(widths[:3])
        self.transition3 = _one_more(widths)
        self.stage2 = _stage(widths[:2], modules[0], blocks, attention)
        self.stage3 = _stage(widths[:3], modules[1], blocks, attention)
        self.stage4 = _stage(widths, modules[2], blocks, attention, outputs)

    def forward(self, images: Tensor, outputs: int | None = None) -> list[Tensor]:
        """With `outputs` 1 only the finest map is returned, and what only others need is left."""
        stem = self.halve(self.relu(self.bn1(self.conv1(images))))
        stem = self.layer1(self.halve(self.relu(self.bn2(self.conv2(stem)))))
        maps = [path(stem) for path in self.transition1]
        maps = _run(self.stage2, maps)
        maps = _run(self.stage3, [*maps, self.transition2[-1](maps[-1])])
        return _run(self.stage4, [*maps, self.transition3[-1](maps[-1])], outputs)


def _half(inputs: int, outputs: int) -> nn.Sequential:
    # Twice nested for the published names, as are the Identities below.
    return nn.Sequential(nn.Sequential(*conv_bn_relu(inputs, outputs, 3, 2)))


def _one_more(widths: Sequence[int]) -> nn.ModuleList:
    """Branches go on as they are; a new one starts from the coarsest."""
    kept = [nn.Identity() for _ in widths[1:]]
    return nn.ModuleList([*kept, _half(widths[-2], widths[-1])])


def _stage(
    widths: Sequence[int],
    modules: int,
    blocks: int,
    attention: bool,
    outputs: int | None = None,
) -> nn.ModuleList:
    last = Exchange(widths, blocks, attention, outputs)
    return nn.ModuleList([*[Exchange(widths, blocks, attention) for _ in range(modules - 1)], last])


def _run(stage: nn.ModuleList, maps: list[Tensor], outputs: int | None = None) -> list[Tensor]:
    *first, last = stage
    for module in first:
        maps = module(maps)
    return last(maps, outputs)
