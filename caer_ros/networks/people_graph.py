"""Any network from uint8 pictures or clips: what training and evaluation run."""

from __future__ import annotations

from torch import Tensor, nn

from caer_ros.networks.inputs import Normalize
from caer_ros.networks.interface import EmotionNetwork, NetworkOutput


class PeopleGraph(nn.Module):
    """Normalises what the network reads, and only that.

    `forward(face, context, scene, face_present=None)`: as `EmotionNetwork`, with face uint8
    [N, *T, S, S, 3] and context uint8 [M, *T, C, C, 3], RGB.
    """

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__()
        self.normalize = Normalize(network.dims)
        self.network = network

    def forward(
        self, face: Tensor, context: Tensor, scene: Tensor, face_present: Tensor | None = None
    ) -> NetworkOutput:
        network = self.network
        return network(
            self.normalize(face) if network.reads_face else None,
            self.normalize(context) if network.reads_context else None,
            scene,
            face_present,
        )
