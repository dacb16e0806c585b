"""The spellings of the seven emotions that CAER, CAER-S, AFEW and SFEW folders use."""

from __future__ import annotations

import difflib
from pathlib import Path

from caer_ros.core import CAER7, InputError

# CAER-S names its first class "Angry" in train/ and "Anger" in test/; AFEW and SFEW say "Angry".
_SPELLINGS = {name.lower(): index for index, name in enumerate(CAER7)} | {"angry": 0}


def find_class(name: str) -> int | None:
    """Place of a class name in CAER7, whatever its case, or None where it names no class."""
    return _SPELLINGS.get(name.strip().lower())


def class_of(name: str, where: Path | str) -> int:
    """Place of a class name in CAER7.

    Args:
        name: a folder's name, or a cell of a table.
        where: the folder or the file and line, for the complaint.

    Raises:
        InputError: it names no class; the message names `where` and the closest spelling.
    """
    index = find_class(name)
    if index is not None:
        return index
    close = difflib.get_close_matches(name.strip().lower(), _SPELLINGS, n=1)
    hint = f"Did you mean {CAER7[_SPELLINGS[close[0]]]}? " if close else ""
    raise InputError(
        f"{where}: '{name}' is no class of CAER.",
        f"{hint}Rename it to one of {', '.join(CAER7)} (Angry counts as Anger), or move it away.",
    )
