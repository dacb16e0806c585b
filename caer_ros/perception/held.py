"""Estimates of models that do not answer for every frame, held until the next one."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from caer_ros.core import EmotionEstimate, InputError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class HeldEstimates:
    """The last estimate of every person by every model. One a camera; thread-confined.

    Ids are never given twice, so nobody gets what was held for somebody else.

    Args:
        forget_after: seconds for which an estimate is held, 0.05 to 3600. Stamps that go back by up
            to as much find it, too; farther back it is another recording, and nothing is held.

    Raises:
        InputError: out of range.
    """

    def __init__(self, forget_after: float = 2.0) -> None:
        if not 0.05 <= forget_after <= 3600:
            raise InputError(f"forget_after is {forget_after}.", "Use 0.05 to 3600.")
        self._estimates: _Recent[tuple[str, str], EmotionEstimate] = _Recent(forget_after)
        self._maps: _Recent[str, np.ndarray] = _Recent(forget_after)

    def keep(self, person: str, estimate: EmotionEstimate, stamp: float) -> None:
        """Hold what a model has just said of a person (an id), in place of what it said before.

        Args:
            stamp: the camera's time of the frame, in seconds.
        """
        self._estimates.put((person, estimate.model), estimate, stamp)

    def recall(self, person: str, model: str, stamp: float) -> EmotionEstimate | None:
        """What a model said last of a person, its lag grown by the seconds since then.

        A frame from a little before that (see `forget_after`) takes them off the lag, down to 0.

        Returns:
            None where nothing is held, or it is too old.
        """
        found = self._estimates.get((person, model), stamp)
        if found is None:
            return None
        estimate, age = found
        return replace(estimate, lag=max(0.0, estimate.lag + age))

    def keep_map(self, model: str, attention: np.ndarray, stamp: float) -> None:
        """Hold a model's attention over the frame, float32 [h, w]; not copied."""
        self._maps.put(model, attention, stamp)

    def recall_map(self, model: str, stamp: float) -> np.ndarray | None:
        """A model's last attention; None where nothing is held, or it is too old."""
        found = self._maps.get(model, stamp)
        return None if found is None else found[0]

    def reset(self) -> None:
        """Hold nothing."""
        self._estimates.clear()
        self._maps.clear()

    def __len__(self) -> int:
        """Pairs of person and model for which something is held."""
        return len(self._estimates)


class _Recent(Generic[K, V]):
    """Values by key, each with its stamp; dropped when they are too old."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._values: dict[K, tuple[V, float]] = {}
        self._stamp = 0.0

    def put(self, key: K, value: V, stamp: float) -> None:
        # Once a frame, so that those who left do not stay for ever.
        if stamp != self._stamp:
            self._stamp = stamp
            self._values = {k: v for k, v in self._values.items() if self._fits(v[1], stamp)}
        self._values[key] = value, stamp

    def get(self, key: K, stamp: float) -> tuple[V, float] | None:
        """The value and its age in seconds, negative for a frame from before it."""
        found = self._values.get(key)
        if found is None or not self._fits(found[1], stamp):
            return None
        return found[0], stamp - found[1]

    def clear(self) -> None:
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)

    def _fits(self, kept: float, stamp: float) -> bool:
        return abs(stamp - kept) <= self._limit
