"""Which frames of a video a network sees (CAER-Net, ICCV 2019, section 5.1).

Videos are sampled at 10 frames a second whatever their own rate. Training takes one random clip of
16 consecutive samples a video; testing takes every window of 16 with 8 in common and averages.
The paper leaves three things open. Here:
- what remains at the end is seen through one last window, aligned to the end;
- a video of fewer than 16 samples (the shortest of CAER, 30 frames, have 10 to 12) is played again
  from its start until 16 are there: each frame counts about equally, at the price of one jump;
- probabilities are averaged, not logits, so that one window sure of itself does not outvote all.
"""

from __future__ import annotations

import numpy as np

RATE = 10.0
LENGTH = 16
STRIDE = 8
# Times k / RATE that fall on a frame's start must not slip to the frame before by rounding.
_ROUNDING = 1e-9


def sample_frames(count: int, fps: float, rate: float = RATE) -> np.ndarray:
    """Indices of the frames on display at the times 0, 1/rate, 2/rate, ... of a video.

    Args:
        count: frames of the video.
        fps: its frames a second; below `rate`, frames come more than once.
        rate: samples a second.

    Returns:
        int64 [ceil(count * rate / fps)], never falling, from 0 to below `count`.

    Raises:
        ValueError: count, fps or rate is not positive.
    """
    if count < 1 or not fps > 0 or not rate > 0:
        raise ValueError(f"count {count}, fps {fps} and rate {rate} must be positive")
    step = fps / rate
    samples = max(1, int(np.ceil(count / step - _ROUNDING)))
    indices = np.floor(np.arange(samples) * step + _ROUNDING).astype(np.int64)
    return np.minimum(indices, count - 1)


def fill_clip(count: int, start: int, length: int = LENGTH) -> np.ndarray:
    """Places `start` to `start + length - 1` among `count` samples, played again from the start
    where the video is shorter than a clip: int64 [length]."""
    return (start + np.arange(length, dtype=np.int64)) % count


def all_windows(count: int, length: int = LENGTH, stride: int = STRIDE) -> np.ndarray:
    """Places of the samples of every test window: int64 [windows, length].

    Windows start at 0, stride, 2 stride, ...; where samples remain after the last whole one, one
    more ends with the last sample. A video shorter than `length` gives one window, see `fill_clip`.

    Raises:
        ValueError: an argument is not positive, or stride > length, which would skip samples.
    """
    if count < 1 or not 1 <= stride <= length:
        raise ValueError(f"count {count}, length {length} and stride {stride} do not fit")
    starts = list(range(0, max(count - length, 0) + 1, stride))
    if starts[-1] + length < count:
        starts.append(count - length)
    return np.stack([fill_clip(count, start, length) for start in starts])


def training_clip(count: int, rng: np.random.Generator, length: int = LENGTH) -> np.ndarray:
    """Places of the samples of one random training clip: int64 [length].

    The video is cut into non-overlapping clips from a random first sample on, so that the rest of
    less than a clip is now before them and now behind, and one clip is drawn.

    Raises:
        ValueError: count or length is not positive.
    """
    if count < 1 or length < 1:
        raise ValueError(f"count {count} and length {length} must be positive")
    whole = max(count // length, 1)
    first = int(rng.integers(0, max(count - whole * length, 0) + 1))
    return fill_clip(count, first + length * int(rng.integers(0, whole)), length)


def average_windows(logits: np.ndarray, of: str = "probabilities") -> np.ndarray:
    """One prediction from the windows of a video.

    Args:
        logits: float [windows, classes], before softmax.
        of: `probabilities` (mean of the softmaxes) or `logits` (softmax of the mean).

    Returns:
        float64 [classes], sum 1.

    Raises:
        ValueError: not two-dimensional, no window, or another `of`.
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2 or not logits.size:
        raise ValueError(f"logits of shape {logits.shape}, expected [windows, classes]")
    if of == "logits":
        return _softmax(logits.mean(axis=0))
    if of == "probabilities":
        return _softmax(logits).mean(axis=0)
    raise ValueError(f"'{of}' is neither probabilities nor logits")


def _softmax(logits: np.ndarray) -> np.ndarray:
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)
