"""Which samples of a source can be read at all."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from caer_ros.core import CaerError, InputError
from caer_ros.datasets.examples import Part, Source


@dataclass(frozen=True)
class Readable:
    """part: the samples that can be read. complaints: one for each of the others."""

    part: Part
    complaints: tuple[str, ...]


def readable(source: Source, name: str) -> Readable:
    """Read every sample once.

    Raises:
        InputError: none can be read.
    """
    good, complaints = [], []
    for index in tqdm(range(len(source)), desc=f"reading {name}", file=sys.stderr, disable=None):
        try:
            source.views(index)
            good.append(index)
        except CaerError as error:
            complaints.append(str(error))
    if not good:
        raise InputError(f"No sample of {name} can be read: {complaints[0]}")
    return Readable(Part(source, np.array(good)), tuple(complaints))
