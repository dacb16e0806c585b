"""The last 16 frames of every person, for networks that read clips (CAER-Net, section 5.1).

Time is cut into ticks of 1 / rate seconds by the camera's stamps, the first frame in the middle of
tick 0. The first frame of a tick stands for it: within half a tick of its middle, so that a camera
that jitters neither skips ticks nor fills one twice, and sampled as evenly as the frames allow, as
in training. Frames between are not wanted, and cost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from caer_ros.core import InputError
from caer_ros.perception.clip_config import ClipConfig
from caer_ros.perception.frame_ring import FrameRing

# Rings of people who left, kept for those who come, so that a crossing costs no new memory.
_SPARE = 4
# Stamps are seconds since 1970, as float64 good to about a quarter of a microsecond.
_ROUNDING = 1e-5


class ClipBuffer:
    """Collects pictures by person and tick, and hands over clips. One a camera; thread-confined.

    For each frame: ask `wants`; where true, cut the pictures and `add` them; where that names
    people, `gather` their clips before the next `add`.

    A clip is due when a person has `frames` ticks, and again at every tick that is a multiple of
    `hop`, or the person's next one. So all clips of a frame end with it, and share its one context.
    A new id starts empty, whoever it is, so that people are never mixed.
    """

    def __init__(self, config: ClipConfig | None = None) -> None:
        self.config = config or ClipConfig()
        self.left_out = 0
        size = self.config.context_size
        self._contexts = FrameRing(self.config.frames, size)
        self._people: dict[str, FrameRing] = {}
        self._spare: list[FrameRing] = []
        self._start = 0.0

    def wants(self, stamp: float) -> bool:
        """Whether a frame is the first of its tick.

        Stamps that repeat or go back a little, up to `max_repeat` ticks, are not wanted. Farther
        back it is another recording, as it is after a gap of more than `max_repeat` ticks.

        Raises:
            InputError: the stamp is not finite.
        """
        if not math.isfinite(stamp):
            raise InputError(f"stamp is {stamp}.", "Give the camera's time in seconds.")
        return self._starts_anew(stamp) or self._tick(stamp) > self._contexts.last

    def add(
        self, stamp: float, context: np.ndarray, ids: Sequence[str], faces: np.ndarray
    ) -> tuple[str, ...]:
        """Take in a wanted frame; a frame that is not wanted changes nothing.

        Args:
            stamp: the camera's time, in seconds.
            context: uint8 [context_size, context_size, 3], every face hidden; copied.
            ids: of the people in the frame; empty ones are passed over. Also to be called where
                nobody is there: the context goes on.
            faces: uint8 [len(ids), face_size, face_size, 3], in the order of `ids`; copied.

        Returns:
            The people whose clip is due, in the order of `ids`. `left_out` then counts those whom
            `max_people` kept out.

        Raises:
            InputError: the stamp is not finite, an id comes twice, or shapes are wrong; nothing was
                changed.
        """
        self._check(context, ids, faces)
        if not self.wants(stamp):
            return ()
        if self._starts_anew(stamp):
            self.reset()
            self._start = stamp
        tick = self._tick(stamp)
        self._contexts.put(tick, context)
        self._drop_old(tick)
        due = []
        self.left_out = 0
        for name, face in zip(ids, faces, strict=True):
            ring = self._ring(name) if name else None
            if ring is not None:
                ring.put(tick, face)
                if ring.full and tick >= ring.due:
                    due.append(name)
                    ring.due = (tick // self.config.hop + 1) * self.config.hop
        return tuple(due)

    def gather(self, ids: Sequence[str], faces: np.ndarray, context: np.ndarray) -> None:
        """Copy the clips of people whom `add` has just named, oldest frame first.

        Args:
            ids: people.
            faces: uint8 [at least len(ids), frames, face_size, face_size, 3]; the first are filled.
            context: uint8 [frames, context_size, context_size, 3]; filled: everybody's.

        Raises:
            InputError: a person has no clip that ends with the last frame, or `faces` is too short.
        """
        if len(faces) < len(ids):
            raise InputError(f"{len(ids)} clips into {len(faces)} places.", "Gather fewer at once.")
        for name, out in zip(ids, faces, strict=False):
            ring = self._people.get(name)
            if ring is None or not ring.full or ring.last != self._contexts.last:
                raise InputError(f"No clip of '{name}' is due.", "Gather only whom add has named.")
            ring.copy_to(out)
        self._contexts.copy_to(context)

    def reset(self) -> None:
        """Start everybody anew."""
        self._contexts.clear()
        self._drop(list(self._people))

    @property
    def nbytes(self) -> int:
        """Bytes of all pictures held; at most frames x 3 bytes x (context_size^2 + (max_people + 4)
        x face_size^2)."""
        rings = [self._contexts, *self._people.values(), *self._spare]
        return sum(ring.nbytes for ring in rings)

    def __len__(self) -> int:
        """People who are followed."""
        return len(self._people)

    def _starts_anew(self, stamp: float) -> bool:
        if self._contexts.empty:
            return True
        passed = self._tick(stamp) - self._contexts.last
        return passed < -self.config.max_repeat or passed - 1 > self.config.max_repeat

    def _tick(self, stamp: float) -> int:
        return math.floor((stamp - self._start) * self.config.rate + 0.5 + _ROUNDING)

    def _ring(self, name: str) -> FrameRing | None:
        ring = self._people.get(name)
        if ring is None:
            if len(self._people) >= self.config.max_people:
                self.left_out += 1
                return None
            spare = self._spare
            ring = spare.pop() if spare else FrameRing(self.config.frames, self.config.face_size)
            self._people[name] = ring
        return ring

    def _drop_old(self, tick: int) -> None:
        """Forget who would have to start anew anyway."""
        oldest = tick - self.config.max_repeat - 1
        self._drop([name for name, ring in self._people.items() if ring.last < oldest])

    def _drop(self, names: list[str]) -> None:
        for name in names:
            ring = self._people.pop(name)
            ring.clear()
            if len(self._spare) < _SPARE:
                self._spare.append(ring)

    def _check(self, context: np.ndarray, ids: Sequence[str], faces: np.ndarray) -> None:
        c, f = self.config.context_size, self.config.face_size
        wanted = {"context": (context, (c, c, 3)), "faces": (faces, (len(ids), f, f, 3))}
        for name, (array, shape) in wanted.items():
            if array.shape != shape or array.dtype != np.uint8:
                raise InputError(f"{name} is {array.dtype} {array.shape}.", f"Give uint8 {shape}.")
        named = [name for name in ids if name]
        if len(set(named)) < len(named):
            raise InputError("One id comes twice in a frame.", "Give every person his own.")
