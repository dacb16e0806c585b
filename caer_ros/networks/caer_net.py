"""CAER-Net, the dynamic two-stream network of Lee et al., ICCV 2019, section 3.2."""

from __future__ import annotations

from caer_ros.networks.two_stream import TwoStream

ARCHITECTURE = "caer_net"
CLIP_FRAMES = 16
FACE_SIZE = 96
CONTEXT_SIZE = 112


class CaerNet(TwoStream):
    """CAER-Net-S with 3x3x3 convolutions, on clips of 16 frames sampled at 10 a second (5.1).

    6,892,172 parameters in full at 7 classes; `CaerNetConfig` has the smaller rows of Table 3.
    Channels come before time, as torch's 3D convolutions want them.

    `forward(face, context, scene, face_present=None)`:
        face: float [N, 3, 16, 96, 96], normalised.
        context: float [M, 3, 16, 112, 112], normalised, every face of every frame hidden.
        scene: int64 [N], row of `context` that each person stands in, in [0, M).
        face_present: bool [N] or None; where False, nobody's face is in the whole clip and the
            face's weight is exactly 0.

    Returns logits [N, K], fusion [N, 2] (face, context; rows sum to 1), attention [M, 2, 7, 7]: a
    map a time step, each summing to 1.

    Clips may have any multiple of 8 frames, T; attention is then [M, T // 8, 7, 7]. Other lengths
    are refused, because pooling would drop their last frames without a word.
    """

    architecture = ARCHITECTURE
    dims = 3
    face_shape = (3, CLIP_FRAMES, FACE_SIZE, FACE_SIZE)
    context_shape = (3, CLIP_FRAMES, CONTEXT_SIZE, CONTEXT_SIZE)
    attention_shape = (CLIP_FRAMES // 8, CONTEXT_SIZE // 16, CONTEXT_SIZE // 16)
