"""Where a frame lies in the input of a network that reads whole frames."""

from __future__ import annotations

from caer_ros.bundles import Bundle
from caer_ros.core import InputError
from caer_ros.engines.trt.frame_format import FrameLayout
from caer_ros.perception.fit_frame import Fit, fit_short_side

DETECTOR_SIZE = 640

# Of a frame's long side to its short one. Beyond it the whole frame gets smaller, so that a strip
# can not ask for an input of any length.
_LONGEST = 4


def body_fit(width: int, height: int, short_side: int, multiple: int) -> Fit:
    """How BENet's input holds a frame: see BenetReader."""
    longest = _LONGEST * short_side
    short = min(short_side, longest * min(width, height) // max(width, height))
    return fit_short_side(width, height, max(short, 1), multiple)


def face_fit(width: int, height: int, size: int, multiple: int) -> Fit:
    """How a face detector's input holds a frame: never enlarged, in the upper left corner."""
    scale = min(1.0, size / max(height, width))
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    padded_w, padded_h = (-(-side // multiple) * multiple for side in inner)
    return Fit((width, height), inner, 0, 0, padded_w, padded_h)


def layout_of(fit: Fit, bgr: bool = False) -> FrameLayout:
    """The same for an engine with the frame in front.

    Args:
        bgr: whether the network reads blue first.
    """
    return FrameLayout(fit.inner, fit.left, fit.top, fit.width, fit.height, bgr)


def bundle_layout(bundle: Bundle, width: int, height: int) -> FrameLayout:
    """Where a bundle's input holds a frame, with the default size of detectors.

    Raises:
        InputError: it reads no whole frames.
    """
    entry = bundle.inputs.get("images", {})
    if "short_side" in entry:
        return layout_of(
            body_fit(width, height, int(entry["short_side"]), int(entry["multiple_of"]))
        )
    if bundle.task != "face_detection":
        raise InputError(
            f"Bundle '{bundle.name}' reads no whole frames.",
            "Only BENet and face detectors can be built with --frame.",
        )
    entry = bundle.inputs["image"]
    fit = face_fit(width, height, DETECTOR_SIZE, int(entry.get("multiple_of", 32)))
    return layout_of(fit, entry.get("color") == "bgr")
