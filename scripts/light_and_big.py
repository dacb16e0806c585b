#!/usr/bin/env python3
"""What a lighter BENet costs and what it loses: a page and a plot of several bundles.

    scripts/light_and_big.py models/benet_w18 WORK/benet_w32 --data WORK/data/groups

Every bundle runs in every precision that it has for this machine: as the robot runs it, on the test
pictures for its accuracy, and in turns with all others on one of them for its time.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from caer_ros.bundles import Bundle, read_bundle, write_atomically
from caer_ros.core import CaerError
from caer_ros.engines import choose_backend
from caer_ros.evaluation.benet.judge_maps_bundle import MapsBundleScores, judge_maps_bundle
from caer_ros.evaluation.benet.tables import markdown, percent
from caer_ros.evaluation.figures import save_figure
from caer_ros.perception import PipelineConfig
from caer_ros.perception.benet import BenetReader
from caer_ros.training.benet.data import data_of, open_images

ROOT = Path(__file__).resolve().parents[1]
PRECISIONS = ("fp32", "int8")


@dataclass(frozen=True)
class Row:
    """One bundle in one precision: scores, and seconds of each round float64 [rounds]."""

    bundle: Bundle
    precision: str
    scores: MapsBundleScores
    seconds: np.ndarray


def main() -> int:
    """Judge, time, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("bundles", type=Path, nargs="+", help="the first is what ratios refer to")
    parser.add_argument("--data", type=Path, required=True, help="EMOTIC's layout, split test")
    parser.add_argument("--rounds", type=int, default=60, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder (%(default)s)")
    args = parser.parse_args()
    backend, _ = choose_backend("auto")
    images = open_images(data_of(args.data, None), "test")
    with ExitStack() as opened:
        readers: list[tuple[Bundle, str, BenetReader]] = []
        for bundle in map(read_bundle, args.bundles):
            for precision in (each for each in PRECISIONS if each in bundle.precisions()):
                config = PipelineConfig(precision=precision, threads=args.threads)
                reader = BenetReader.open(bundle, config, backend)
                opened.callback(reader.close)
                readers.append((bundle, precision, reader))
        judged = [judge_maps_bundle(reader, images, bundle.labels) for bundle, _, reader in readers]
        times = in_turns([reader for _, _, reader in readers], images.pixels(0), args.rounds)
    rows = [
        Row(bundle, precision, scores, seconds)
        for (bundle, precision, _), scores, seconds in zip(readers, judged, times, strict=True)
    ]
    plot(rows, args.out / "images" / "benet-sizes.png")
    page = text(rows, backend, args)
    write_atomically(args.out / "benet-sizes.md", page.encode())
    print(page)
    return 0


def in_turns(readers: list[BenetReader], picture: np.ndarray, rounds: int) -> np.ndarray:
    """Seconds to fit and run one picture: float64 [readers, rounds]; the first round warms up."""
    seconds = np.zeros((len(readers), rounds + 1))
    for turn in tqdm(range(rounds + 1), "rounds"):
        for number in np.roll(np.arange(len(readers)), turn):
            started = time.perf_counter()
            readers[number].prepare(picture, "rgb8")
            readers[number].infer(want_heat=False)
            seconds[number, turn] = time.perf_counter() - started
    return seconds[:, 1:]


def text(rows: list[Row], backend: str, args: argparse.Namespace) -> str:
    """The page: a table and what was measured how."""
    first = rows[0].seconds
    cells = []
    for row in rows:
        scores = row.scores
        strict = next(form for form in scores.joint if form.form == "strict")
        assert scores.emotions is not None
        cells.append(
            [
                f"{row.bundle.name} {row.bundle.version}, {row.precision}",
                f"{1000 * np.median(row.seconds):.1f}",
                f"{np.median(row.seconds / first):.2f}",
                *map(percent, (scores.person.ap, scores.person.ap50)),
                *map(percent, (scores.emotions.mean, strict.means[0])),
            ]
        )
    head = ["", "ms", "ratio", "AP", "AP50", "mAP, found", "mAP, all"]
    assert rows[0].scores.emotions is not None
    bundles = " ".join(str(path) for path in args.bundles)
    command = f"scripts/light_and_big.py {bundles} --data {args.data} --threads {args.threads}"
    return f"""# A light BENet beside a big one

{markdown(head, cells)}

![Accuracy over milliseconds](images/benet-sizes.png)

Made by `{command}`.

{rows[0].scores.people} people in {rows[0].scores.images} test pictures; {backend}, threads: \
{args.threads}. AP, AP50: people found. mAP: emotions
of the people found, and of all, with those who were missed counted as such (form strict, IoU 0.5);
chance is {rows[0].scores.emotions.chance:.1f}. Times are medians of {args.rounds} rounds in
which all took turns; read the ratios, to the first row.
"""


def plot(rows: list[Row], path: Path) -> None:
    """Person AP and emotions of found people over milliseconds, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    people, emotions = figure.subplots(1, 2)
    for row in rows:
        assert row.scores.emotions is not None
        at, name = 1000 * np.median(row.seconds), f"{row.bundle.name}\n{row.precision}"
        for axes, value in ((people, row.scores.person.ap), (emotions, row.scores.emotions.mean)):
            axes.plot(at, value, "o")
            # A bundle's files lie close together: one is named above its point, one below.
            place = (5, 4) if row.precision == PRECISIONS[0] else (5, -24)
            axes.annotate(
                name, (at, value), fontsize="small", xytext=place, textcoords="offset points"
            )
    assert rows[0].scores.emotions is not None
    emotions.axhline(rows[0].scores.emotions.chance, color="0.7", linestyle="--", label="chance")
    emotions.legend(loc="lower right", fontsize="small")
    for axes, title in ((people, "people: AP"), (emotions, "emotions of found people: mAP")):
        axes.set_title(title)
        axes.set_xlabel("milliseconds")
        axes.set_xlim(0, 1.5 * axes.get_xlim()[1])
        axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    save_figure(figure, path)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CaerError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
