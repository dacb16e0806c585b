"""What a camera's frames look like, and where they are to lie in a network's input."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from caer_ros.core import InputError

CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}
_FORM = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4}):(\w+)")
# Goes up when the same frame and network would make another graph than before.
_RECIPE = 1


@dataclass(frozen=True)
class FrameFormat:
    """Frames of one size and encoding, written 1280x720:bgr8.

    Attributes:
        width, height: in pixels.
        encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
    """

    width: int
    height: int
    encoding: str

    def __str__(self) -> str:
        return f"{self.width}x{self.height}:{self.encoding}"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of one frame as the network gets it: [1, height, width, channels]."""
        return 1, self.height, self.width, CHANNELS[self.encoding]

    @classmethod
    def parse(cls, text: str) -> FrameFormat:
        """Read what str() writes.

        Raises:
            InputError: it is written in another way, or the encoding is none of these.
        """
        found = _FORM.fullmatch(text)
        if found is None or found[3] not in CHANNELS:
            raise InputError(
                f"Frame '{text}' can not be read.",
                f"Write WIDTHxHEIGHT:ENCODING, e.g. 1280x720:bgr8; encodings: "
                f"{', '.join(CHANNELS)}. Others, such as yuyv, reach the network as bgr8.",
            )
        return cls(int(found[1]), int(found[2]), found[3])


@dataclass(frozen=True)
class FrameLayout:
    """Where a frame lies in a network's input; see perception/fit_frame.Fit. The rest is black.

    Attributes:
        inner: width and height of the frame's copy in the input.
        left, top: where that copy starts.
        width, height: of the input.
        bgr: whether the network reads blue first; else red.
    """

    inner: tuple[int, int]
    left: int
    top: int
    width: int
    height: int
    bgr: bool = False


def frame_identity(onnx_sha256: str, frame: FrameFormat, layout: FrameLayout) -> str:
    """What stands for the sha256 of an ONNX file in the key of an engine with a frame in front.

    It can be told without making the graph, and differs from every file's own.
    """
    return hashlib.sha256(f"{_RECIPE} {onnx_sha256} {frame} {layout}".encode()).hexdigest()
