"""Vocabularies, value types and errors that every other room speaks in. Imports numpy only."""

from caer_ros.core.errors import (
    BundleError,
    CaerError,
    EngineBuildError,
    EngineError,
    EngineMismatch,
    InputError,
    OutOfMemory,
)
from caer_ros.core.labels import CAER7, EMOTIC26, HECO8
from caer_ros.core.naming import named_labels
from caer_ros.core.types import Box, EmotionEstimate, PersonEmotion

__all__ = [
    "CAER7",
    "EMOTIC26",
    "HECO8",
    "Box",
    "BundleError",
    "CaerError",
    "EmotionEstimate",
    "EngineBuildError",
    "EngineError",
    "EngineMismatch",
    "InputError",
    "OutOfMemory",
    "PersonEmotion",
    "named_labels",
]
