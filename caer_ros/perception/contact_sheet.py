"""Many frames on one page, so that a person sees a whole run at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np


def contact_sheet(frames: Sequence[np.ndarray], columns: int = 3, width: int = 426) -> np.ndarray:
    """Lay BGR frames (uint8 [h, w, 3], any sizes) out in rows, each shrunk to `width` pixels.

    Raises:
        ValueError: no frames.
    """
    if not frames:
        raise ValueError("a contact sheet needs at least one frame")
    small = [cv2.resize(f, (width, max(1, round(f.shape[0] * width / f.shape[1])))) for f in frames]
    columns = min(columns, len(small))
    rows = []
    for start in range(0, len(small), columns):
        row = small[start : start + columns]
        tall = max(frame.shape[0] for frame in row)
        cells = [_pad(frame, tall, width) for frame in row]
        cells += [np.zeros((tall, width, 3), np.uint8)] * (columns - len(cells))
        rows.append(np.hstack(cells))
    return np.vstack(rows)


def _pad(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    cell = np.zeros((height, width, 3), np.uint8)
    cell[: frame.shape[0], : frame.shape[1]] = frame
    return cell
