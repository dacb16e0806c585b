"""BENet from uint8 pictures: what training and evaluation run."""

from __future__ import annotations

from torch import Tensor, nn

from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.maps import BenetOutput
from caer_ros.networks.inputs import Normalize


class PicturesGraph(nn.Module):
    """Normalises inside; all heads, unlike BenetMapsGraph.

    `forward(images, task=None)`: as BENet, with images uint8 [B, H, W, 3], RGB in rows of pixels.
    """

    def __init__(self, network: BENet) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.network = network

    def forward(self, images: Tensor, task: Tensor | None = None) -> BenetOutput:
        return self.network(self.normalize(images), task)
