"""Every failure a user can cause or meet, each with one sentence of what to do about it."""

from __future__ import annotations


class CaerError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        remedy: what the reader should do now; may be empty.
        exit_code: what a command ends with (1: the work failed, 2: the call or its input is wrong).
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())


class InputError(CaerError):
    """The caller handed over something unusable: a file, an image, an option."""

    exit_code = 2


class BundleError(InputError):
    """A model bundle is missing, malformed or not what its model.yaml promises."""


class EngineError(CaerError):
    """An inference engine could not be made or failed while running."""


class EngineMismatch(EngineError):
    """An engine file or its tensors do not fit this machine or this bundle."""


class EngineBuildError(EngineError):
    """An inference engine could not be built from its ONNX file."""


class OutOfMemory(EngineError):
    """The device had too little memory for the model or the batch."""
