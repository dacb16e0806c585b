"""AlexNet's convolutions, in the one-column form of Krizhevsky 2014 (arXiv 1404.5997)."""

from __future__ import annotations

from torch import Tensor, nn

from caer_ros.networks.extractors.base import Extractor, initialise


class AlexNet(Extractor):
    """Float [M, 3, 224, 224] -> [M, 256, 6, 6]. 2,469,696 of the published 61,100,840 parameters.

    Named as torchvision's `alexnet`, whose ImageNet weights fit. That form has no local response
    normalisation and one group, unlike the network of 2012.
    """

    input_shape = (3, 224, 224)
    channels = 256
    grid = (6, 6)
    classifier_prefixes = ("classifier.",)
    parameters_published = 61_100_840

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
        )
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        return self.features(image)
