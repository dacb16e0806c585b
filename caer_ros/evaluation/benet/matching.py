"""Which found person is which annotated one: COCO's greedy matching, in its own order."""

from __future__ import annotations

import numpy as np

# The same numbers as COCO's evaluator has, to the last bit: .5, .55, ..., .95.
IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
# COCO's: a threshold of 1 is met by an IoU that rounding has made a little less than 1.
_ALMOST_ONE = 1 - 1e-10


def pairwise_iou(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Intersection over union, float64 [K, N] in [0, 1], of boxes float [K, 4] and [N, 4].

    Boxes are x1, y1, x2, y2; one without area overlaps nothing.
    """
    a, b = found.astype(np.float64)[:, None], true.astype(np.float64)[None]
    corner, opposite = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod(np.maximum(opposite - corner, 0), axis=-1)
    areas = (np.prod(np.maximum(box[..., 2:] - box[..., :2], 0), axis=-1) for box in (a, b))
    union = sum(areas) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def as_fed(boxes: np.ndarray) -> np.ndarray:
    """Boxes float [N, 4] as the public evaluator of BENet misreads them.

    It hands x1, y1, x2, y2 to a function that expects x1, y1, width, height, whereby every box
    becomes larger, and more so the farther from the picture's corner it is. IoU of these grows too,
    even that of boxes that do not touch. Only for comparison with the published figures.
    """
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def greedy_matches(iou: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """The detection of each annotated person, int64 [N], -1 for a missed one.

    In the order of their scores, detections take the free person whom they overlap most, if by at
    least `threshold`. As COCO does it: of equal scores the first goes first, of equally overlapped
    people the last is taken.

    Args:
        iou: float [K, N].
        scores: float [K].
        threshold: in (0, 1].
    """
    count = iou.shape[1]
    taken_by = np.full(count, -1)
    if not count:
        return taken_by
    enough = min(threshold, _ALMOST_ONE)
    for detection in np.argsort(-scores, kind="stable"):
        free = np.where(taken_by < 0, iou[detection], -1.0)
        best = count - 1 - int(free[::-1].argmax())
        if free[best] >= enough:
            taken_by[best] = detection
    return taken_by
