"""Small drawn copies of the papers' data sets, each in the layout that its archive unpacks to.

    CAER-S   {train,test}/CLASS/NNNN.png                     train has Angry, test has Anger
    CAER     {train,validation,test}/CLASS/NNNN.avi          30 frames a second, a third short
    AFEW     {Train,Val}/CLASS/NNNNNNNNN.avi                 Test/ without class folders, and
             {Train,Val}_Aligned_Faces/NNNNNNNNN/NNN.jpg     cut-out faces beside the videos
    SFEW     {Train,Val}_Aligned_Faces/CLASS/FILM_TIME_FRAME.png   faces of 143 x 181 pixels
    emotic   Annotations/Annotations.mat, emotic/{mscoco,framesdb,emodb_small,ade20k}/images/
    HECO     Data/NNNNN.jpg, Labels/HECO_Labels.csv          one misspelt label, as published

The first four also get faces.jsonl with the exact boxes, which `caer data boxes` would write: a
face detector need not find drawn faces. Whoever waits for the archives can try every recipe of
recipes/paper on them (docs/reproduce.md):

    python -m caer_ros.datasets.scenes.archives data
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from caer_ros.core import InputError
from caer_ros.datasets.scenes.annotated_archives import write_emotic, write_heco
from caer_ros.datasets.scenes.draw import Scene
from caer_ros.datasets.scenes.folders import make_folder
from caer_ros.datasets.scenes.labelled_archives import (
    Copy,
    write_afew,
    write_caer,
    write_caer_s,
    write_sfew,
)
from caer_ros.datasets.scenes.stream import SceneStream


def write_archive(out: Path, name: str, copy: Copy) -> None:
    """Draw the copy of the archive `name` into `out`, a new or empty folder.

    Raises:
        InputError: an unknown archive, no samples, or `out` holds something.
    """
    if name not in ARCHIVES:
        raise InputError(f"Unknown archive '{name}'.", f"Use {', '.join(ARCHIVES)}.")
    if not copy.counts.get("train"):
        raise InputError("No training samples are asked for.", "Give at least one.")
    make_folder(out)
    ARCHIVES[name](out, copy)


def _write_emotic(out: Path, copy: Copy) -> None:
    write_emotic(out, {s: _scenes(t, i) for s, t, i in copy.streams(*copy.counts)})


def _write_heco(out: Path, copy: Copy) -> None:
    # Without a split; of scenes that the copy of EMOTIC has not.
    stream = SceneStream(copy.seed, "heco", copy.controls)
    write_heco(out, _scenes(stream, range(copy.counts["train"])))


ARCHIVES: Mapping[str, Callable[[Path, Copy], None]] = {
    "CAER-S": write_caer_s,
    "CAER": write_caer,
    "AFEW": write_afew,
    "SFEW": write_sfew,
    "emotic": _write_emotic,
    "HECO": _write_heco,
}


def _scenes(stream: SceneStream, indices: Sequence[int]) -> list[Scene]:
    return [stream.scene(index) for index in indices]


def main() -> None:
    """Draw all copies below a folder."""
    parser = argparse.ArgumentParser(
        description="Draw small copies of all archives that the paper recipes read."
    )
    parser.add_argument("out", type=Path, help="folder; gets CAER-S, CAER, AFEW, ... below it")
    parser.add_argument("--count", type=int, default=28, help="training samples (%(default)s)")
    args = parser.parse_args()
    rest = max(args.count // 2, 7)
    counts = {"train": args.count, "validation": rest, "test": rest}
    for name in ARCHIVES:
        write_archive(args.out / name, name, Copy(counts))
        print(args.out / name)


if __name__ == "__main__":
    main()
