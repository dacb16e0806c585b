"""The two residual blocks that BENet is built of, with or without attention.

Convolutions and norms are named as in the published HRNets, whose weights so fit by name.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from caer_ros.networks.benet.attention import BlockAttention


def conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int = 1, bias: bool = False
) -> list[nn.Module]:
    """A convolution that keeps the size (or divides it by `stride`), and its norm."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=bias)
    return [conv, nn.BatchNorm2d(outputs)]


def conv_bn_relu(
    inputs: int, outputs: int, kernel: int, stride: int = 1, bias: bool = False
) -> list[nn.Module]:
    return [*conv_bn(inputs, outputs, kernel, stride, bias), nn.ReLU(inplace=True)]


def _attention(channels: int, present: bool) -> nn.Module:
    return BlockAttention(channels) if present else nn.Identity()


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and what came in: [N, C, h, w] -> the same shape, >= 0.

    Attention comes after the last norm and before the sum.
    """

    def __init__(self, channels: int, attention: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(channels, channels, 3)
        self.conv2, self.bn2 = conv_bn(channels, channels, 3)
        self.attention = _attention(channels, attention)

    def forward(self, maps: Tensor) -> Tensor:
        inner = torch.relu(self.bn1(self.conv1(maps)))
        inner = self.attention(self.bn2(self.conv2(inner)))
        return torch.relu(inner + maps)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and what came in: [N, I, h, w] -> [N, expansion * C, h, w].

    Expansion is 4 in the backbone's first stage (He et al., 2016) and 1 in the vector heads: "the
    bottleneck expansion is reduced by a factor 4" (section 3.1). Attention as in BasicBlock.
    """

    def __init__(self, inputs: int, channels: int, expansion: int, attention: bool) -> None:
        super().__init__()
        outputs = channels * expansion
        self.conv1, self.bn1 = conv_bn(inputs, channels, 1)
        self.conv2, self.bn2 = conv_bn(channels, channels, 3)
        self.conv3, self.bn3 = conv_bn(channels, outputs, 1)
        self.attention = _attention(outputs, attention)
        self.downsample: nn.Module = nn.Identity()
        if inputs != outputs:
            self.downsample = nn.Sequential(*conv_bn(inputs, outputs, 1))

    def forward(self, maps: Tensor) -> Tensor:
        inner = torch.relu(self.bn1(self.conv1(maps)))
        inner = torch.relu(self.bn2(self.conv2(inner)))
        inner = self.attention(self.bn3(self.conv3(inner)))
        return torch.relu(inner + self.downsample(maps))
