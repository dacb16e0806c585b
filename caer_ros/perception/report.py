"""A Result as plain data for JSON, and as lines for people."""

from __future__ import annotations

import math
from typing import Any

from caer_ros.core import Box, EmotionEstimate, PersonEmotion
from caer_ros.perception.frames import Origin
from caer_ros.perception.scene import Result


def result_to_dict(
    name: str, time: float, result: Result, origin: Origin | None = None
) -> dict[str, Any]:
    """Everything in a result but the pictures: JSON-ready, NaN as null, timings in milliseconds.

    Of a bag's frame, which has an `origin`, also the header, but no timings: they would be others
    each time.
    """
    row: dict[str, Any] = {"frame": name, "time": round(time, 6)}
    if origin is not None:
        row["stamp"] = {"sec": origin.sec, "nanosec": origin.nanosec}
        row["frame_id"] = origin.frame_id
    row |= {
        "people": [
            {
                "track_id": person.track_id,
                "face": _box(person.face),
                "body": _box(person.body),
                "estimates": [_estimate(estimate) for estimate in person.estimates],
            }
            for person in result.people
        ],
        "warnings": list(result.warnings),
    }
    if origin is None:
        row["timings_ms"] = {stage: round(s * 1000, 3) for stage, s in result.timings.items()}
    return row


def result_to_lines(name: str, result: Result) -> list[str]:
    """One line a person and model, or one that says nobody is there.

    People are called by their id, those without one by their place in the list.
    """
    if not result.people:
        return [f"{name}: nobody"]
    lines = []
    for number, person in enumerate(result.people, 1):
        who = f"{name}: person {person.track_id or number}{_place(person)}"
        # Seen, but by no model yet, or one too many.
        told = [describe_estimate(estimate) for estimate in person.estimates] or ["no estimate"]
        lines += [f"{who}: {text}" for text in told]
    return lines


def describe_estimate(estimate: EmotionEstimate) -> str:
    """The top three labels with their probabilities, and what else the model says.

    Where the model has thresholds: all labels that reach theirs, the largest margin first.
    """
    order = estimate.order() if estimate.thresholds is not None else estimate.order()[:3]
    named = [f"{estimate.labels[i]} {estimate.probabilities[i]:.0%}" for i in order]
    text = ", ".join(named) or "no emotion reaches its threshold"
    if not math.isnan(estimate.lambda_face):
        text += f" (face {estimate.lambda_face:.0%}, context {estimate.lambda_context:.0%})"
    if not math.isnan(estimate.valence):
        text += (
            f" (valence {estimate.valence:+.2f}, arousal {estimate.arousal:+.2f},"
            f" dominance {estimate.dominance:+.2f})"
        )
    return text


def _estimate(estimate: EmotionEstimate) -> dict[str, Any]:
    named = estimate.named()
    return {
        "model": estimate.model,
        "multi_label": estimate.multi_label,
        "top_label": estimate.top_label,
        "confidence": round(estimate.confidence, 6),
        "probabilities": {
            label: round(float(p), 6)
            for label, p in zip(estimate.labels, estimate.probabilities, strict=True)
        },
        "thresholds": _thresholds(estimate),
        "named": None if named is None else [estimate.labels[i] for i in named],
        "lambda_face": _number(estimate.lambda_face),
        "lambda_context": _number(estimate.lambda_context),
        "valence": _number(estimate.valence),
        "arousal": _number(estimate.arousal),
        "dominance": _number(estimate.dominance),
        "lag": round(estimate.lag, 6),
    }


def _thresholds(estimate: EmotionEstimate) -> dict[str, float | None] | None:
    if estimate.thresholds is None:
        return None
    values = map(_number, estimate.thresholds.tolist())
    return dict(zip(estimate.labels, values, strict=True))


def _place(person: PersonEmotion) -> str:
    box = person.face or person.body
    if box is None:
        return ""
    return f" at ({box.x1:.0f}, {box.y1:.0f}) {box.width:.0f}x{box.height:.0f}"


def _box(box: Box | None) -> dict[str, float] | None:
    if box is None:
        return None
    return {
        key: round(getattr(box, key), 3 if key != "score" else 4)
        for key in ("x1", "y1", "x2", "y2", "score")
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
