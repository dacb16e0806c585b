"""The samples of a bundle's kind in whatever the user points at, those to measure on apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caer_ros.bundles import Bundle, find_bundle
from caer_ros.core import InputError
from caer_ros.datasets.people import People
from caer_ros.deploy.pictures.diversity import digest
from caer_ros.deploy.pictures.people_data import people_of
from caer_ros.deploy.pictures.picture_data import pictures_of
from caer_ros.deploy.pictures.samples import PeopleSamples, PictureSamples, Samples
from caer_ros.engines import choose_backend
from caer_ros.perception.face_detector import FaceDetector, OnnxFaceDetector

# A network with several hundred layers takes a second a picture and pass.
_MOST = {"caer_static": 600}
_MOST_PICTURES = 200
# Samples looked at for each one that is calibrated on.
_CHOICE = 3


@dataclass(frozen=True)
class DataOptions:
    """Where pictures come from.

    Attributes:
        targets: data set folders, folders of pictures, videos, bags, recipes of BENet.
        held_out: sources, folders or files to measure on and never to calibrate on.
        limit: most samples to calibrate on; 0: 600 people or 200 pictures.
        judged: most samples to measure on; 0: as many.
        topic: of a bag's images.
        detector: face detector for unlabelled pictures, bundle name or folder.
    """

    targets: Sequence[Path]
    held_out: Sequence[str] = ()
    limit: int = 0
    judged: int = 0
    topic: str = ""
    detector: str = "centerface"

    def __post_init__(self) -> None:
        if not self.targets:
            raise InputError("There is nothing to calibrate on.", "Give pictures with --data.")
        if min(self.limit, self.judged) < 0:
            raise InputError("A limit below 0 is not possible.", "Leave it out or use 1 or more.")

    def most(self, task: str) -> tuple[int, int]:
        """Samples to calibrate on and to measure on."""
        limit = self.limit or _MOST.get(task, _MOST_PICTURES)
        return limit, self.judged or limit


@dataclass(frozen=True)
class Data:
    """`pool` to choose calibration samples from, `held_out` to measure on; none in both.

    bad: pictures left out because they can not be read. doubles: held-out samples left out because
    they equal one of the pool.
    """

    pool: Samples
    held_out: Samples
    bad: int
    doubles: int


def open_data(bundle: Bundle, options: DataOptions) -> Data:
    """Read everything that is needed into memory.

    Raises:
        InputError: nothing is there to calibrate or to measure on, or it can not be read.
        BundleError: model.yaml does not describe inputs that this version can fill.
    """
    limit, judged = options.most(bundle.task)
    if bundle.task == "caer_static":
        with _LateDetector(options.detector) as detector:
            seen, unseen, bad = people_of(options, _CHOICE * limit, judged, detector.open)
    else:
        seen, unseen, bad = pictures_of(bundle, options, _CHOICE * limit, judged)
    if len(seen) < 2 or not len(unseen):
        raise InputError(
            f"There are {len(seen)} {seen.noun} to calibrate on and {len(unseen)} others to measure"
            " on.",
            "Give more pictures; see --hold-out for what is measured on.",
        )
    own = {digest(seen, index) for index in range(len(seen))}
    fresh = [i for i in range(len(unseen)) if digest(unseen, i) not in own]
    if not fresh:
        raise InputError(
            f"All {len(unseen)} {unseen.noun} to measure on are among those to calibrate on.",
            "Give more pictures, or other sources with --hold-out.",
        )
    return Data(seen, some(unseen, fresh), bad, len(unseen) - len(fresh))


def some(samples: Samples, index: Sequence[int]) -> Samples:
    """Only some of the samples, in this order."""
    if isinstance(samples, PeopleSamples):
        people, rows = samples.people, np.asarray(index, np.int64)
        scene = people.scene[rows]
        return PeopleSamples(
            People(people.faces[rows], people.contexts, scene, people.labels[rows])
        )
    assert isinstance(samples, PictureSamples)
    truths = samples.truths
    return PictureSamples(
        samples.name,
        [samples.arrays[i] for i in index],
        [samples.fits[i] for i in index],
        None if truths is None else [truths[i] for i in index],
    )


class _LateDetector:
    """Loads the face detector only when somebody asks for it; closes it at the end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._opened: OnnxFaceDetector | None = None

    def open(self) -> FaceDetector:
        if self._opened is None:
            backend, _ = choose_backend("auto")
            self._opened = OnnxFaceDetector(find_bundle(self._name), backend)
        return self._opened

    def __enter__(self) -> _LateDetector:
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()
