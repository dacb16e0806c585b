"""What a frame costs with 1 to 30 people in it: BENet, flat, beside CAER-Net-S, which grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import Box, EngineError, InputError, PersonEmotion
from caer_ros.deploy.drawn_people import DrawnPeople, decode_to_onnx, drawn_maps, grid_boxes
from caer_ros.engines import Engine
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.perception.benet import BenetReader
from caer_ros.perception.caer_static import CaerStatic
from caer_ros.perception.fit_frame import Fit, fit_short_side
from caer_ros.perception.scene import Scene

PEOPLE = (1, 2, 5, 10, 15, 20, 30)


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        people: numbers of people; the first is what the others are compared to.
        width, height: of the frame, in pixels.
        rounds: every round runs both models with every number of people once.
        warm_up: rounds before that, not measured.
        backend: as choose_backend returned it.
        threads: threads for one inference; 0 leaves the choice to the back end.

    Raises:
        InputError: a value out of its range.
    """

    people: tuple[int, ...] = PEOPLE
    width: int = 480
    height: int = 480
    rounds: int = 15
    warm_up: int = 2
    backend: str = "onnxruntime"
    threads: int = 0

    def __post_init__(self) -> None:
        numbers = (*self.people, self.rounds)
        if not self.people or min(numbers) < 1 or self.warm_up < 0:
            raise InputError("People and rounds must be at least 1, warm-up rounds at least 0.")
        if len(set(self.people)) < len(self.people):
            raise InputError(f"People {self.people} name a number twice.")


@dataclass(frozen=True)
class Row:
    """One number of people. Milliseconds are medians.

    Ratios are medians too, of each round's frame to the same round's frame with the first number of
    people: what slows the machine down for a while then falls on both.

    Attributes:
        benet_ms: a frame with BENet, from the frame to PersonEmotions.
        people_ms: of that, what turns the graph's rows into PersonEmotions.
        caer_ms: the same people with CAER-Net-S, face boxes given.
    """

    people: int
    benet_ms: float
    benet_ratio: float
    people_ms: float
    caer_ms: float
    caer_ratio: float


@dataclass(frozen=True)
class Report:
    """What `bench_people` measured; `deviation` is BENet's largest from its first row, a share."""

    about: dict[str, str]
    rows: tuple[Row, ...]
    deviation: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def bench_people(
    benet: Bundle,
    caer: Bundle,
    settings: Settings,
    scratch: Path,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Report:
    """Time both models on one frame of noise, in turns, with every number of people.

    BENet's network runs on the frame, then the decoding of maps with n people drawn in them; see
    `drawn_people`. Its own decoding runs in the network's graph too, so that it counts twice.
    CAER-Net-S gets n face boxes; finding them, which BENet does by itself, does not count.

    Args:
        benet: task `person_emotion_maps`.
        caer: task `caer_static`.
        scratch: folder for a temporary file.
        progress: wraps the loop, as tqdm does.

    Raises:
        InputError: more people than the bundle's top_k, or than fit into its input.
        EngineError: BENet did not give exactly the people that were drawn.
    """
    frame = np.random.default_rng(0).integers(
        0, 256, (settings.height, settings.width, 3), dtype=np.uint8
    )
    most = max(settings.people)
    engine = _drawn_engine(benet, settings, scratch)
    reader = BenetReader(benet, engine, max_people=most)
    try:
        model = CaerStatic(caer, "fp32", settings.backend, most, settings.threads, cpu_hint="f32")
    except BaseException:
        reader.close()
        raise
    faces = _faces(most, settings)
    samples: dict[int, list[tuple[float, float, float]]] = {n: [] for n in settings.people}
    try:
        for number in progress(range(settings.warm_up + settings.rounds)):
            # Everybody's turn to be first: what drifts must not fall on one number of people.
            for people in np.roll(settings.people, number).tolist():
                engine.people = people
                taken = _time_benet(reader, frame, people)
                alone = _time_caer(model, frame, faces[:people])
                if number >= settings.warm_up:
                    samples[people].append((*taken, alone))
    finally:
        reader.close()
        model.close()
    fit = _fit(benet, settings)
    about = {
        "BENet": f"{benet.name}, {benet.version}, input {fit.width}x{fit.height}",
        "note": benet.notice,
        "CAER-Net-S": f"{caer.name}, {caer.version}",
        "frame": f"{settings.width}x{settings.height}",
        "backend": settings.backend,
        "threads": str(settings.threads or "the back end's choice"),
        "rounds": str(settings.rounds),
    }
    return _report(samples, about)


def open_uncached(path: Path, backend: str, threads: int) -> Engine:
    """As engines.open_engine, but leaves nothing in the cache: for files that are soon gone."""
    if backend == "openvino":
        from caer_ros.engines.open_vino import OpenVinoEngine

        return OpenVinoEngine(path, threads)
    return OnnxRuntimeEngine(path, threads)


def _drawn_engine(bundle: Bundle, settings: Settings, scratch: Path) -> DrawnPeople:
    top_k = int(bundle.decode["top_k"])
    if max(settings.people) > top_k:
        raise InputError(
            f"Bundle '{bundle.name}' finds {top_k} people at most.",
            "Name fewer, or export it with a larger top_k.",
        )
    fit = _fit(bundle, settings)
    boxes = grid_boxes(max(settings.people), fit.height, fit.width)
    shape = fit.height, fit.width, len(bundle.labels), "vad" in bundle.outputs
    maps = {people: drawn_maps(boxes[:people], *shape) for people in settings.people}
    path = scratch / "decode.onnx"
    threshold = float(bundle.decode["threshold"])
    path.write_bytes(decode_to_onnx(top_k, threshold, maps[settings.people[0]]))
    decode = open_uncached(path, settings.backend, settings.threads)
    network = bundle.model_file("fp32", settings.backend)
    return DrawnPeople(open_uncached(network, settings.backend, settings.threads), decode, maps)


def _fit(bundle: Bundle, settings: Settings) -> Fit:
    images = bundle.inputs["images"]
    short_side, multiple = int(images["short_side"]), int(images["multiple_of"])
    return fit_short_side(settings.width, settings.height, short_side, multiple)


def _faces(count: int, settings: Settings) -> list[Box]:
    boxes = grid_boxes(count, settings.height, settings.width).tolist()
    return [Box(x1, y1, x2, y2) for x1, y1, x2, y2 in boxes]


def _time_benet(reader: BenetReader, frame: np.ndarray, people: int) -> tuple[float, float]:
    """Seconds of a frame, and of its last stage."""
    timings: dict[str, float] = {}
    start = perf_counter()
    seen = Scene(frame, "bgr8")
    reader.run([seen], timings)
    seconds = perf_counter() - start
    if len(seen.people) != people or seen.warnings:
        raise EngineError(
            f"{people} people were drawn and {len(seen.people)} found.",
            "Report it with the versions of torch and of the back end.",
        )
    return seconds, timings["decode"]


def _time_caer(model: CaerStatic, frame: np.ndarray, faces: Sequence[Box]) -> float:
    start = perf_counter()
    model.prepare(frame, "bgr8", faces, faces)
    decoded = model.decode(model.infer(len(faces), want_attention=False))
    tuple(
        PersonEmotion(face=face, estimates=(estimate,))
        for face, estimate in zip(faces, decoded.estimates, strict=True)
    )
    return perf_counter() - start


def _report(samples: dict[int, list[tuple[float, float, float]]], about: dict[str, str]) -> Report:
    """samples: seconds of BENet, of its last stage and of CAER-Net-S, a row a round."""
    seconds = {people: np.array(rows) for people, rows in samples.items()}
    first = next(iter(seconds.values()))
    rows = []
    for people, taken in seconds.items():
        benet, last, caer = (1000 * np.median(taken, axis=0)).tolist()
        benet_ratio, _, caer_ratio = np.median(taken / first, axis=0).tolist()
        rows.append(Row(people, benet, benet_ratio, last, caer, caer_ratio))
    deviation = max(abs(row.benet_ratio - 1) for row in rows)
    return Report(about, tuple(rows), deviation)
