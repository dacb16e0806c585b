"""`decode.thresholds` of a model.yaml: from which probability a label of several holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.core import BundleError

_OUT = "Take decode.thresholds out."
# It reads the bundle, too: with the thresholds in it would end with the same complaint.
_ANEW = "Take decode.thresholds out, then run `caer temperature`, which chooses them anew."


def read_thresholds(
    path: Path, decode: Mapping[str, Any], labels: tuple[str, ...], multi_label: bool
) -> np.ndarray | None:
    """float32 [labels], in [0, 1], NaN where a label has none; not to be written to.

    Args:
        path: of the model.yaml, for complaints.
        decode: its mapping of that name.
        labels, multi_label: its keys of these names.

    Returns:
        None where it has no thresholds.

    Raises:
        BundleError: they are no mapping of exactly the labels to numbers in [0, 1] or null, or the
            labels are one distribution, of which the likeliest holds.
    """
    given = decode.get("thresholds")
    if given is None:
        return None
    if not multi_label:
        raise _error(path, "are of a model whose multi_label is false", _OUT)
    if not isinstance(given, Mapping):
        raise _error(path, f"are no mapping ({type(given).__name__})")
    for label in labels:
        if label not in given:
            raise _error(path, f"lack the label '{label}'")
    for label, value in given.items():
        if label not in labels:
            raise _error(path, f"have '{label}', which is no label")
        if value is not None and not _is_share(value):
            raise _error(path, f"have {value!r} for '{label}', which is neither in [0, 1] nor null")
    values = [math.nan if given[label] is None else given[label] for label in labels]
    thresholds = np.array(values, np.float32)
    thresholds.setflags(write=False)
    return thresholds


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _error(path: Path, what: str, remedy: str = _ANEW) -> BundleError:
    return BundleError(f"{path}: decode.thresholds {what}.", remedy)
