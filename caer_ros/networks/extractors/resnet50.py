"""ResNet-50's convolutions (He et al. 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from caer_ros.networks.extractors.base import Extractor, initialise

_EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with BN, and what came in added. The stride is the 3x3's, as in torchvision."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * _EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, maps: Tensor) -> Tensor:
        inner = torch.relu(self.bn1(self.conv1(maps)))
        inner = torch.relu(self.bn2(self.conv2(inner)))
        return torch.relu(self.bn3(self.conv3(inner)) + self.downsample(maps))


class ResNet50(Extractor):
    """Float [M, 3, 224, 224] -> [M, 2048, 7, 7]. 23,508,032 of the published 25,557,032 parameters.

    The paper says "ResNet" without its depth; 50 layers are the usual reading. Named as
    torchvision's `resnet50`, whose ImageNet weights fit.
    """

    input_shape = (3, 224, 224)
    channels = 2048
    grid = (7, 7)
    classifier_prefixes = ("fc.",)
    parameters_published = 25_557_032

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = _stage(64, 64, blocks=3, stride=1)
        self.layer2 = _stage(256, 128, blocks=4, stride=2)
        self.layer3 = _stage(512, 256, blocks=6, stride=2)
        self.layer4 = _stage(1024, 512, blocks=3, stride=2)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        maps = self.maxpool(torch.relu(self.bn1(self.conv1(image))))
        return self.layer4(self.layer3(self.layer2(self.layer1(maps))))


def _stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    rest = [Bottleneck(width * _EXPANSION, width, 1) for _ in range(blocks - 1)]
    return nn.Sequential(Bottleneck(inputs, width, stride), *rest)
