"""Wavefront OBJ: vertices and faces of a mesh, nothing else of the format."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from caer_ros.core import InputError

_VERTEX = re.compile(r"^v[ \t]+(.*)", re.MULTILINE)
_FACE = re.compile(r"^f[ \t]+(.*)", re.MULTILINE)
# A corner is `vertex/texture/normal`; only the vertex is wanted.
_TEXTURE = re.compile(r"/\S*")


class ObjFile:
    """The text of one OBJ file.

    Raises:
        InputError: the file can not be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # latin-1 takes any byte: a name or comment may be in whatever code.
            self._text = path.read_text(encoding="latin-1")
        except OSError as error:
            raise InputError(
                f"{path} can not be read ({error.strerror}).", "Check the path and its permissions."
            ) from None

    @property
    def faces(self) -> int:
        """How many faces there are, of however many corners."""
        return self._text.count("\nf ")

    def vertices(self) -> np.ndarray:
        """Vertices float32 [V, 3], in the file's unit.

        Raises:
            InputError: a vertex has not three finite numbers, or there is none.
        """
        rows = _VERTEX.findall(self._text)
        return self._table(rows, 3, "vertex", np.float32, "It needs three numbers.")

    def quads(self) -> np.ndarray:
        """Corners int64 [F, 4] of the faces, counted from 0; a triangle's last one comes twice.

        Raises:
            InputError: a face has not three or four whole numbers, or there is none.
        """
        rows = [_as_quad(_TEXTURE.sub("", row)) for row in _FACE.findall(self._text)]
        return self._table(rows, 4, "face", np.int64, "It needs three or four corners.") - 1

    def _table(self, rows: list[str], width: int, what: str, kind: type, cure: str) -> np.ndarray:
        if not rows:
            raise InputError(f"{self._path} has no {what}.", "Is it a whole OBJ file?")
        table = _numbers(rows, width, kind)
        if table is None:
            # Only now row by row: which one it is helps more than numpy's message.
            bad = (n for n, row in enumerate(rows) if _numbers([row], width, kind) is None)
            first = next(bad, 0)
            told = rows[first][:60]
            raise InputError(f"{self._path}: {what} {first + 1} reads '{told}'.", cure)
        return table


def _as_quad(corners: str) -> str:
    split = corners.split()
    return f"{corners} {split[-1]}" if len(split) == 3 else corners


def _numbers(rows: list[str], width: int, kind: type) -> np.ndarray | None:
    """Numbers `kind` [len(rows), width]; None where the text is anything else."""
    try:
        table = np.loadtxt(rows, dtype=kind, ndmin=2)
    except (ValueError, OverflowError):
        return None
    fits = table.shape == (len(rows), width) and np.isfinite(table).all()
    return table if fits else None
