"""What networks take and return, so that one loop trains and one judge scores them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from caer_ros.core import InputError


class NetworkOutput(NamedTuple):
    """What a network says of N people in M scenes.

    logits: float [N, K].
    fusion: float [N, 2], weights of face and context; rows sum to 1. A network that reads one of
        the two only says (1, 0) or (0, 1).
    attention: float [M, *attention_shape], in [0, 1]; every h x w map sums to 1 (a clip's at each
        time step). Uniform, 1 / (h * w), where a network has no attention of its own: plain
        average pooling is uniform attention.
    """

    logits: Tensor
    fusion: Tensor
    attention: Tensor


class Network(nn.Module):
    """Base of all networks: what the registry and the checkpoints know them by.

    Attributes:
        architecture: the network's name in the registry and in its checkpoints.
        config: the dataclass of its switches.
    """

    architecture: str
    config: Any


class EmotionNetwork(Network):
    """Base of those that read people cut from a frame; BENet reads whole pictures and is none.

    Their facts, and `forward(face, context, scene, face_present=None)`.

    face: float [N, *face_shape], normalised; None or ignored where `reads_face` is False.
    context: float [M, *context_shape], normalised; None or ignored where `reads_context` is False.
    scene: int64 [N], the row of `context` that each person stands in, in [0, M).
    face_present: bool [N] or None (everybody has a face).

    Attributes:
        dims: 2 for pictures [3, H, W], 3 for clips [3, T, H, W].
        hides_faces: whether `context` must have every face of the frame hidden. This is the
            data's part: the baselines want the whole picture in `context`, faces and all.
    """

    dims: int
    face_shape: tuple[int, ...]
    context_shape: tuple[int, ...]
    attention_shape: tuple[int, ...]
    reads_face: bool
    reads_context: bool
    hides_faces: bool

    def forward(
        self,
        face: Tensor | None,
        context: Tensor | None,
        scene: Tensor,
        face_present: Tensor | None = None,
    ) -> NetworkOutput:
        raise NotImplementedError


def check_reads_people(network: Network) -> None:
    """Refuse a network that does not read people cut from a frame.

    Raises:
        InputError: it is no EmotionNetwork.
    """
    if not isinstance(network, EmotionNetwork):
        raise InputError(
            f"'{network.architecture}' reads whole pictures, not faces and contexts.",
            "Train and judge it on annotated people: a recipe such as recipes/benet.yaml, with "
            "EMOTIC's folder as data.",
        )


def uniform_attention(like: Tensor, maps: int, grid: Sequence[int]) -> Tensor:
    """`maps` maps of shape `grid`, each cell 1 / (h * w), with `like`'s dtype and device.

    Take `maps` from a tensor's shape, not from its len(): an exporter freezes the latter.
    """
    sizes = [int(size) for size in grid]
    return like.new_full((maps, *sizes), 1.0 / (sizes[-2] * sizes[-1]))
