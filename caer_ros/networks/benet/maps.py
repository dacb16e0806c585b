"""What BENet puts out, so that losses, decoding and the network agree on names and shapes."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class BenetMaps(NamedTuple):
    """The bottom-up maps of n images at one resolution (sections 2.1 and 2.2), before any sigmoid.

    heat: float [n, 1, h, w], logits of "here is the centre of a person"; None where the network
        has no detection head.
    size: float [n, 2, h, w], height and width of the person centred here, in pixels of this map;
        None likewise.
    emotion: float [n, E, h, w], logits of the emotions of the person centred here.
    vad: float [n, 3, h, w], valence, arousal and dominance, meant for [-1, 1], linear; None where
        the network has none. Beyond the paper.
    """

    heat: Tensor | None
    size: Tensor | None
    emotion: Tensor
    vad: Tensor | None


class BenetOutput(NamedTuple):
    """What BENet says of a batch, whose images went to different heads (section 3.3).

    maps: at 1/4 and at 1/2 of the input; rows are the images of task MAPS, in the batch's order.
    person: float [P, E], logits; rows are the images of task PERSON, in order.
    background: float [G, E], logits; rows are the images of task BACKGROUND, in order.
    person_vad: float [P, 3], linear; None where the network has none.
    background_vad: float [G, 3], linear; None where the network has none.
    """

    maps: tuple[BenetMaps, BenetMaps]
    person: Tensor
    background: Tensor
    person_vad: Tensor | None = None
    background_vad: Tensor | None = None
