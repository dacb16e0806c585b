"""What the networks read: uint8 RGB pictures, normalised inside the graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from caer_ros.networks.baseline import Baseline
from caer_ros.networks.two_stream import TwoStream

# ImageNet's statistics, RGB in 0..1. The paper gives none; re-implementations use these.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class Normalize(nn.Module):
    """uint8 RGB [N, H, W, 3] -> float [N, 3, H, W], (x / 255 - mean) / std.

    With dims 3, clips: [N, T, H, W, 3] -> [N, 3, T, H, W].
    """

    def __init__(self, dims: int = 2) -> None:
        super().__init__()
        mean, std = torch.tensor(MEAN), torch.tensor(STD)
        shape = (1, 3, *[1] * dims)
        self.register_buffer("scale", (1 / (255 * std)).view(shape), persistent=False)
        self.register_buffer("shift", (-mean / std).view(shape), persistent=False)
        self.channels_first = (0, dims + 1, *range(1, dims + 1))

    def forward(self, pictures: Tensor) -> Tensor:
        # Cast before anything else: the only thing that TensorRT does with uint8.
        numbers = pictures.to(self.scale.dtype).permute(self.channels_first)
        return numbers * self.scale + self.shift


class CaerNetSGraph(nn.Module):
    """CAER-Net-S from uint8 pictures: what is exported and what the robot runs.

    `forward(face, context, scene)`: face uint8 [people, 96, 96, 3] RGB, context uint8
    [scenes, 224, 224, 3] RGB, scene int64 [people] -> logits, fusion, attention. Of CAER-Net:
    clips, [people, 16, 96, 96, 3] and [scenes, 16, 112, 112, 3].
    """

    def __init__(self, network: TwoStream) -> None:
        super().__init__()
        self.normalize = Normalize(network.dims)
        self.network = network

    def forward(
        self, face: Tensor, context: Tensor, scene: Tensor, face_present: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        output = self.network(self.normalize(face), self.normalize(context), scene, face_present)
        return output.logits, output.fusion, output.attention


class WholePictureGraph(nn.Module):
    """A baseline from uint8 pictures or clips, faces and all.

    `forward(context)`: uint8 [scenes, 224, 224, 3] RGB (C3D: [scenes, 16, 112, 112, 3]) -> logits
    [scenes, K].
    """

    def __init__(self, network: Baseline) -> None:
        super().__init__()
        self.normalize = Normalize(network.dims)
        self.network = network

    def forward(self, context: Tensor) -> Tensor:
        return self.network.classify(self.network.extractor(self.normalize(context)))
