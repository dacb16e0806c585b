"""Estimates that do not flicker: a filter with a known lag, and a top label that is slow to change.

The filter is exponential with a time constant: after `dt` seconds the new estimate weighs
1 - exp(-dt / time_constant), the old value the rest. So it does the same at every frame rate, and
what it puts out is a weighted mean of estimates: distributions stay distributions, and categories
of a multi-label model stay on their own, in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from caer_ros.core import EmotionEstimate, InputError, PersonEmotion
from caer_ros.perception.smoothing_config import SmoothingConfig
from caer_ros.perception.steady_label import SteadyLabel

# A frame that comes twice is ignored the second time; a clock that repeats itself this often has
# stopped, and then nothing is smoothed rather than everything frozen.
_STOPPED = 10
# People and models that are remembered; above it those that were not seen the longest go first.
_MOST = 4096


@dataclass(frozen=True)
class SmoothedEstimate(EmotionEstimate):
    """An estimate after smoothing.

    `probabilities`, valence, arousal and dominance are smoothed; lambda_face and lambda_context are
    this frame's. `top_label` and `confidence` are those of the label that is shown, which with a
    margin need not be the one with the highest probability.

    Attributes:
        shown: index of the top label.
    """

    shown: int = 0

    @property
    def top_index(self) -> int:
        return self.shown


class EmotionSmoother:
    """Smooths the estimates of people with ids, each person and model on its own. One a camera."""

    def __init__(self, config: SmoothingConfig | None = None) -> None:
        self.config = config or SmoothingConfig()
        self._states: dict[tuple[str, str], _State] = {}

    def update(self, people: Sequence[PersonEmotion], stamp: float) -> tuple[PersonEmotion, ...]:
        """The same people with SmoothedEstimates; who has no id comes back as he is.

        Args:
            people: of one frame.
            stamp: the camera's time, in seconds. Repeated: the new estimates count for nothing,
                until the clock is seen to have stopped. Earlier than the last: the person's
                smoothing starts anew.

        Raises:
            InputError: the stamp is not finite.
        """
        if not math.isfinite(stamp):
            raise InputError(f"stamp is {stamp}.", "Give the camera's time in seconds.")
        smoothed = tuple(
            replace(p, estimates=tuple(self._one(p.track_id, e, stamp) for e in p.estimates))
            if p.track_id
            else p
            for p in people
        )
        self._forget(stamp)
        return smoothed

    def reset(self) -> None:
        """Start everybody anew."""
        self._states.clear()

    def __len__(self) -> int:
        """Pairs of person and model that are remembered."""
        return len(self._states)

    def _one(self, person: str, estimate: EmotionEstimate, stamp: float) -> SmoothedEstimate:
        key = (person, estimate.model)
        # Taken out and put back, so that the dict is in the order of last use.
        state = self._states.pop(key, None)
        if state is None or not state.goes_on(estimate, stamp, self.config):
            stands_still = state is not None and state.stamp == stamp
            state = _State(estimate, stamp, self.config, _STOPPED if stands_still else 0)
        else:
            state.add(estimate, stamp, self.config)
        self._states[key] = state
        return state.show(estimate)

    def _forget(self, stamp: float) -> None:
        old = [k for k, s in self._states.items() if stamp - s.stamp > self.config.forget_after]
        for key in old:
            del self._states[key]
        while len(self._states) > _MOST:
            del self._states[next(iter(self._states))]


def step(
    old: np.ndarray, new: np.ndarray, seconds: float, time_constant: float
) -> tuple[np.ndarray, float]:
    """One step of the filter: the value after `seconds` of `new`, and how much of `old` is left.

    Two steps towards the same `new` are one step of the sum of their seconds. Where `old` or `new`
    is NaN, the value is `new`.

    Args:
        old, new: float64 arrays of one shape.
        seconds: at least 0; with 0 the value is `old`.
        time_constant: seconds; with 0 the value is `new`, always.

    Returns:
        float64, between `old` and `new`; and exp(-seconds / time_constant), in [0, 1].
    """
    kept = math.exp(-seconds / time_constant) if time_constant > 0 else 0.0
    value = kept * old + (1 - kept) * new
    return np.where(np.isnan(value), new, value), kept


class _State:
    """One model's view of one person: probabilities, then valence, arousal and dominance."""

    def __init__(
        self, estimate: EmotionEstimate, stamp: float, config: SmoothingConfig, repeats: int
    ) -> None:
        self.stamp = stamp
        self._labels = estimate.labels
        self._values = _values(estimate)
        self._lag = estimate.lag
        self._repeats = repeats
        self._top = SteadyLabel(config.label_margin, config.label_time)
        self._top.update(self._values[: len(self._labels)], stamp)

    def goes_on(self, estimate: EmotionEstimate, stamp: float, config: SmoothingConfig) -> bool:
        """Whether an estimate belongs to what is remembered."""
        return (
            self._labels == estimate.labels
            and 0 <= stamp - self.stamp <= config.forget_after
            and self._repeats < _STOPPED
        )

    def add(self, estimate: EmotionEstimate, stamp: float, config: SmoothingConfig) -> None:
        seconds = stamp - self.stamp
        self._repeats = 0 if seconds > 0 else self._repeats + 1
        self.stamp = stamp
        self._values, kept = step(self._values, _values(estimate), seconds, config.time_constant)
        self._lag = kept * (self._lag + seconds) + (1 - kept) * estimate.lag
        self._top.margin, self._top.seconds = config.label_margin, config.label_time
        self._top.update(self._values[: len(self._labels)], stamp)

    def show(self, estimate: EmotionEstimate) -> SmoothedEstimate:
        valence, arousal, dominance = self._values[-3:].tolist()
        return SmoothedEstimate(
            model=estimate.model,
            labels=estimate.labels,
            probabilities=self._values[:-3].astype(np.float32),
            multi_label=estimate.multi_label,
            lambda_face=estimate.lambda_face,
            lambda_context=estimate.lambda_context,
            valence=valence,
            arousal=arousal,
            dominance=dominance,
            shown=self._top.index,
            lag=self._lag,
            thresholds=estimate.thresholds,
        )


def _values(estimate: EmotionEstimate) -> np.ndarray:
    vad = [estimate.valence, estimate.arousal, estimate.dominance]
    return np.concatenate([estimate.probabilities, vad]).astype(np.float64)
