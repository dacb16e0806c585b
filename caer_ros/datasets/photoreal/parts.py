"""What a pixel shows of a person or a scene, as a number."""

from __future__ import annotations

from enum import IntEnum


class Part(IntEnum):
    """Values of masks of parts.

    FACE: with eyes, lips, teeth, brows and beard. HEAD: ears, neck, scalp without hair. CLOTHES:
    with skirts. ARM: sleeved or bare, down to the wrist. GLASSES: their rims. THING: what the place
    was furnished with, a cue or idle. HELD: fingers or something plain before a face.
    """

    BACKGROUND = 0
    FACE = 1
    HEAD = 2
    HAIR = 3
    CLOTHES = 4
    ARM = 5
    HAND = 6
    GLASSES = 7
    HAT = 8
    THING = 9
    HELD = 10


# Numbers of a person's own parts, in order.
OF_PEOPLE = tuple(part for part in Part if Part.BACKGROUND < part < Part.THING)
