"""What can be set of the outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class OutputSettings:
    """The node's parameters of the same names.

    Attributes:
        blur_faces: take faces out of the overlay.
        hri: REP 155: `auto` (where hri_msgs is installed), `always` or `never`.
        depth_topic: of a depth image registered to the camera's image, for the markers; `{camera}`
            in it stands for the camera's name; empty: none.
        overlay_jpeg_quality: of ~/debug/overlay/compressed, 1 to 100.
    """

    blur_faces: bool = False
    hri: str = "auto"
    depth_topic: str = ""
    overlay_jpeg_quality: int = 80

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> OutputSettings:
        """From the node's parameters; one that is missing has its default."""
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})
