"""BENet's maps from uint8 pictures: what is exported, and what the robot's decoding reads."""

from __future__ import annotations

from torch import Tensor, nn

from caer_ros.networks.benet.hrnet import HrNet
from caer_ros.networks.benet.map_heads import MapHeads
from caer_ros.networks.benet.maps import BenetMaps
from caer_ros.networks.inputs import Normalize


class BenetMapsGraph(nn.Module):
    """Normalises inside; has no person-centric and no background head. See BENet.inference_part.

    `forward(images)`: uint8 [B, H, W, 3], RGB in rows of pixels, H and W multiples of 32 (not
    checked: this is what is traced) -> BenetMaps at 1/4 and at 1/2.

    Of the backbone's last layers only those of the finest map are run, and in an ONNX file only
    they are kept: some parameters fewer than here.
    """

    def __init__(self, backbone: HrNet, maps: MapHeads) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.backbone = backbone
        self.maps = maps

    def forward(self, images: Tensor) -> tuple[BenetMaps, BenetMaps]:
        return self.maps(self.backbone(self.normalize(images), outputs=1)[0])
