"""VGG-16's convolutions (Simonyan and Zisserman 2015, configuration D)."""

from __future__ import annotations

from torch import Tensor, nn

from caer_ros.networks.extractors.base import Extractor, initialise

_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


class Vgg16(Extractor):
    """Float [M, 3, 224, 224] -> [M, 512, 7, 7]. 14,714,688 of the published 138,357,544 parameters.

    Named as torchvision's `vgg16` (no BN), whose ImageNet weights fit.
    """

    input_shape = (3, 224, 224)
    channels = 512
    grid = (7, 7)
    classifier_prefixes = ("classifier.",)
    parameters_published = 138_357_544

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for width, depth in _BLOCKS:
            for _ in range(depth):
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(inplace=True)]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        return self.features(image)
