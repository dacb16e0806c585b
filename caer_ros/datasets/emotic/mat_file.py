"""EMOTIC's Annotations.mat as plain lists, dicts, strings and numbers.

MATLAB knows no lists: SciPy hands a struct array of one person over as that person, a cell of one
category as its text, and an empty one as an array. `plain` undoes numpy; which fields are lists is
for the reader of the records to say (`as_list`).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.core import InputError


def read_mat(path: Path) -> dict[str, Any]:
    """The variables of a MATLAB file (version 5 or 7), as plain values.

    Raises:
        InputError: SciPy is missing, or the file is damaged or of version 7.3.
    """
    try:
        loadmat = importlib.import_module("scipy.io").loadmat
    except ModuleNotFoundError as error:
        raise InputError(
            f"Reading {path} needs SciPy.", "Install it with: pip install 'caer_ros[train]'"
        ) from error
    try:
        data = loadmat(str(path), squeeze_me=True, struct_as_record=False)
    except Exception as error:  # Damaged bytes lead SciPy to errors of many kinds.
        raise InputError(
            f"{path} is no MATLAB file that SciPy can read ({error}).", "Get the file again."
        ) from error
    return {name: plain(value) for name, value in data.items() if not name.startswith("__")}


def plain(value: Any) -> Any:
    """A MATLAB struct as a dict, an array as a list, a number or text as Python's own."""
    names = getattr(value, "_fieldnames", None)
    if names is not None:
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, np.ndarray):
        return plain(value.item()) if value.ndim == 0 else [plain(item) for item in value.ravel()]
    return value.item() if isinstance(value, np.generic) else value


def as_list(value: Any) -> list[Any]:
    """A field that is a list although a single element came without one, and nothing as None."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
