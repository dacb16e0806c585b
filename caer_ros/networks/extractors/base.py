"""What a baseline's feature extractor is: a published network up to its classifier."""

from __future__ import annotations

from torch import Tensor, nn


class Extractor(nn.Module):
    """Base of the extractors: `forward(image)` gives the last feature maps, >= 0.

    image: float [M, *input_shape], normalised -> maps: float [M, channels, *grid].

    Attributes:
        input_shape: the size the network was published for; another size gives another grid.
        channels, grid: shape of the maps at that size.
        classifier_prefixes: how the names of the published network's remaining parameters begin.
        parameters_published: their number in the whole published network, classifier included.
    """

    input_shape: tuple[int, ...]
    channels: int
    grid: tuple[int, ...]
    classifier_prefixes: tuple[str, ...]
    parameters_published: int

    def forward(self, image: Tensor) -> Tensor:
        raise NotImplementedError


def initialise(extractor: nn.Module) -> None:
    """He et al. 2015: without it VGG and C3D, which have no BN, hardly train from scratch."""
    for module in extractor.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
