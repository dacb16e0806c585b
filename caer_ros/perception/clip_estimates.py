"""From the outputs of a network of clips to estimates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import EmotionEstimate, EngineError
from caer_ros.perception.caer_static import softmax
from caer_ros.perception.clip_inputs import ClipInputs


def clip_estimates(
    outputs: Mapping[str, np.ndarray], bundle: Bundle, inputs: ClipInputs
) -> list[EmotionEstimate]:
    """One estimate a person, as old as the middle of a clip.

    Args:
        outputs: logits float32 [people, labels] and fusion float32 [people, 2] (face, context).

    Raises:
        EngineError: the network put out NaN or infinity.
    """
    probabilities, fusion = softmax(outputs["logits"] / inputs.temperature), outputs["fusion"]
    if not (np.isfinite(probabilities).all() and np.isfinite(fusion).all()):
        raise EngineError(
            f"Model '{bundle.name}' put out NaN or infinity.",
            "Set precision:=fp32; if that does not help, reinstall the bundle.",
        )
    return [
        EmotionEstimate(
            model=bundle.name,
            labels=bundle.labels,
            probabilities=row,
            lambda_face=float(weights[0]),
            lambda_context=float(weights[1]),
            lag=inputs.clip.lag,
        )
        for row, weights in zip(probabilities, fusion, strict=True)
    ]
