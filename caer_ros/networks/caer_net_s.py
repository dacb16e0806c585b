"""CAER-Net-S, the static two-stream network of Lee et al., ICCV 2019, section 3.2."""

from __future__ import annotations

from caer_ros.networks.caer_net_config import CaerNetConfig
from caer_ros.networks.interface import NetworkOutput
from caer_ros.networks.two_stream import TwoStream

ARCHITECTURE = "caer_net_s"
FACE_SIZE = 96
CONTEXT_SIZE = 224
ATTENTION_SIZE = CONTEXT_SIZE // 16

CaerNetSConfig = CaerNetConfig
CaerNetSOutput = NetworkOutput


class CaerNetS(TwoStream):
    """Face stream, context stream with attention, adaptive fusion, on pictures.

    2,389,004 parameters in full at 7 classes; `CaerNetConfig` has the smaller rows of Table 3.

    `forward(face, context, scene, face_present=None)`:
        face: float [N, 3, 96, 96], normalised. The paper's one figure, "input size of 224 x 224",
            is the context's; 96 is the dynamic network's face and what others use here.
        context: float [M, 3, 224, 224], normalised, every face of the frame hidden.
        scene: int64 [N], row of `context` that each person stands in, in [0, M). The context stream
            runs once a scene, however many people are in it.
        face_present: bool [N] or None; where False the face's weight is exactly 0.

    Returns logits [N, K], fusion [N, 2] (face, context; rows sum to 1), attention [M, 14, 14] (maps
    sum to 1).
    """

    architecture = ARCHITECTURE
    dims = 2
    face_shape = (3, FACE_SIZE, FACE_SIZE)
    context_shape = (3, CONTEXT_SIZE, CONTEXT_SIZE)
    attention_shape = (ATTENTION_SIZE, ATTENTION_SIZE)
