"""One frame on its way through the pipeline, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from caer_ros.core import Box, PersonEmotion

if TYPE_CHECKING:
    from caer_ros.perception.camera_memory import CameraMemory

# In the order in which a frame goes through them; `track` is tracking and smoothing.
STAGES = ("detect", "preprocess", "infer", "decode", "track")


@dataclass
class Scene:
    """One frame of one camera. Whoever has the frame fills the first half, stages the second.

    Attributes:
        image: uint8 view, HxWxC (HxW for mono8), rows may be padded; never changed, never kept.
        encoding: rgb8, bgr8, rgba8, bgra8 or mono8.
        stamp: the camera's time, in seconds.
        camera: its name; empty where there is one.
        want_maps: whether somebody looks at attention or heat map.
        people: found so far.
        faces: every face that was found, also of people who were left out: all are hidden from the
            context (CAER-Net section 3.2.1).
        bodies_sought: False where the model of bodies did not look at this frame, so that nobody is
            missed for having none.
        attention, heat, warnings: see Result.
        memory: what is known of the camera from frames before.
    """

    image: np.ndarray
    encoding: str
    stamp: float = 0.0
    camera: str = ""
    want_maps: bool = False
    people: tuple[PersonEmotion, ...] = ()
    faces: tuple[Box, ...] = ()
    bodies_sought: bool = True
    attention: np.ndarray | None = None
    heat: np.ndarray | None = None
    warnings: tuple[str, ...] = ()
    memory: CameraMemory | None = None


@dataclass(frozen=True)
class Result:
    """One processed frame.

    Attributes:
        people: one entry a person, best score first; empty when nobody is there. A person has a
            face, a body or both, as the models look for them.
        timings: seconds by stage (see STAGES) and `total`, of all frames that were processed
            together; stages that did not run are missing.
        attention: float32 [h, w] over the frame, sums to 1, of CAER-Net; None unless asked, or
            nobody is there.
        heat: float32 [h, w] over the frame, BENet's probability in [0, 1] that the centre of a
            person is here; None unless asked.
        warnings: one line for each thing that was left out.
        faces: every face that was found, also of people who were left out.
    """

    people: tuple[PersonEmotion, ...]
    timings: dict[str, float]
    attention: np.ndarray | None = None
    warnings: tuple[str, ...] = field(default_factory=tuple)
    heat: np.ndarray | None = None
    faces: tuple[Box, ...] = ()
