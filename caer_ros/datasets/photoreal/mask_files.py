"""Masks as files: grey PNG, whose values are the numbers themselves whatever reads them.

masks/NAME.png and parts/NAME.png have the name of their picture. A clip is a folder with a file a
frame, 00000.png on, as in DAVIS and YouTube-VOS: a window of a clip opens only its own frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import InputError
from caer_ros.datasets.photoreal.masks import Masks
from caer_ros.datasets.photoreal.parts import Part
from caer_ros.datasets.photoreal.tables import encode_png

PEOPLE, PARTS, SHEET = "masks", "parts", "masks_sheet.png"
SHOWN = 12
# RGB of each Part on the sheet.
_COLOURS = np.array(
    [
        (0, 0, 0), (255, 190, 150), (220, 120, 90), (130, 70, 20), (60, 110, 230), (60, 200, 220),
        (250, 230, 60), (240, 60, 200), (150, 60, 220), (60, 220, 60), (255, 40, 40),
    ],
    np.float32,
)  # fmt: skip


def mask_names(name: str, frame: int | None = None) -> tuple[str, str]:
    """Where masks of people and of parts lie, of a picture or of a clip's frame."""
    stem = PurePosixPath(name).with_suffix("")
    place = f"{stem}.png" if frame is None else f"{stem}/{frame:05d}.png"
    return f"{PEOPLE}/{place}", f"{PARTS}/{place}"


def write_masks(out: Path, name: str, masks: Masks | None, frame: int | None = None) -> None:
    """Write both masks of a picture or of a clip's frame below `out`; nothing for None."""
    if masks is None:
        return
    for place, values in zip(mask_names(name, frame), (masks.people, masks.parts), strict=True):
        write_atomically(out / place, cv2.imencode(".png", values)[1].tobytes())


def read_masks(out: Path, name: str, frame: int | None = None) -> Masks:
    """Both masks of a picture or of a clip's frame.

    Raises:
        InputError: one is missing or damaged.
    """
    values = []
    for place in mask_names(name, frame):
        path = out / place
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
        if mask is None or mask.ndim != 2:
            raise InputError(f"{path} is no mask.", "Render with --masks.")
        values.append(mask)
    return Masks(*values)


def write_sheet(out: Path, pictures: Sequence[tuple[np.ndarray, Masks]]) -> None:
    """masks_sheet.png: pictures (uint8 RGB) with their parts in colours and a line round each
    person, three in a row."""
    tiles = [paint_masks(image, masks) for image, masks in pictures]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 3)
    rows = [np.hstack(tiles[k : k + 3]) for k in range(0, len(tiles), 3)]
    write_atomically(out / SHEET, encode_png(np.vstack(rows)))


def paint_masks(image: np.ndarray, masks: Masks) -> np.ndarray:
    """A picture with its masks, uint8 RGB [H, W, 3]."""
    known = (masks.parts != Part.BACKGROUND)[..., None]
    painted = np.where(known, 0.5 * image + 0.5 * _COLOURS[masks.parts], 0.6 * image)
    painted = painted.astype(np.uint8)
    for number in range(1, int(masks.people.max()) + 1):
        whole = (masks.people == number).astype(np.uint8)
        edges, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(painted, edges, -1, (255, 255, 255), 1)
    return painted
