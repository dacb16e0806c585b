"""Which stages a configuration asks for: the one place that knows the models' tasks."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TypeVar

from caer_ros.bundles import Bundle, find_bundle
from caer_ros.core import BundleError, InputError
from caer_ros.engines import choose_backend
from caer_ros.engines.trt.available import can_build, why_not
from caer_ros.perception.benet import TASK as BODIES
from caer_ros.perception.benet import BenetReader
from caer_ros.perception.caer_clip import TASK as CLIPS
from caer_ros.perception.caer_clip import CaerClipStage
from caer_ros.perception.camera_memory import tracking_wanted
from caer_ros.perception.clip_config import ClipConfig
from caer_ros.perception.face_reader import FaceReader
from caer_ros.perception.follow import SmoothStage, TrackStage
from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.rated import Rated, Recall
from caer_ros.perception.stage import Stage
from caer_ros.perception.static_stage import StaticStage

STATIC = "caer_static"
S = TypeVar("S", bound=Stage)


class Parts(NamedTuple):
    """What a pipeline is made of; `about` and `notice` are for people to read."""

    stages: tuple[Stage, ...]
    clips: ClipConfig | None
    about: dict[str, str]
    notice: str


def assemble(config: PipelineConfig) -> Parts:
    """Open every stage; where one can not be opened, those before it are closed.

    Raises:
        CaerError: see Pipeline.open.
    """
    bundle = find_bundle(config.model)
    body = find_bundle(config.body_model) if config.body_model else None
    _check(bundle, body, config)
    backend, why = _backend(bundle, body, config)
    with ExitStack() as opened:

        def keep(stage: S) -> S:
            opened.callback(stage.close)
            return stage

        stages: list[Stage] = []
        clips, detector = None, "the model itself"
        if bundle.task != BODIES:
            faces = keep(FaceReader.open(config, backend))
            stages, detector = [faces], faces.name
        if bundle.task == BODIES:
            stages.append(keep(BenetReader.open(bundle, config, backend)))
        elif body is not None:
            stages.append(keep(Rated(BenetReader.open(body, config, backend), config)))
        follows = tracking_wanted(config)
        if follows:
            stages.append(TrackStage())
            if body is not None:
                stages.append(Recall(body.name))
        if bundle.task == STATIC:
            stages.append(keep(StaticStage.open(bundle, config, backend)))
        elif bundle.task == CLIPS:
            clip = keep(CaerClipStage.open(bundle, config, backend))
            clips = clip.clip_config
            stages.append(clip)
        if follows:
            stages.append(SmoothStage())
        opened.pop_all()
    bundles = [bundle] if body is None else [bundle, body]
    about = {
        "model": " and ".join(f"{each.name} {each.version}" for each in bundles),
        "precision": config.precision,
        "backend": f"{backend} ({why})",
        "detector": detector,
        "tracking": "on" if follows else "off",
        "demonstration": "yes" if any(each.demonstration for each in bundles) else "no",
    }
    return Parts(tuple(stages), clips, about, " ".join(b.notice for b in bundles if b.notice))


def _check(bundle: Bundle, body: Bundle | None, config: PipelineConfig) -> None:
    known = (STATIC, CLIPS, BODIES)
    if bundle.task not in known:
        raise BundleError(
            f"Bundle '{bundle.name}' has task {bundle.task}, not one of {', '.join(known)}.",
            "Set model to an emotion model; `caer models list` shows them.",
        )
    if body is None:
        return
    if body.task != BODIES:
        raise BundleError(
            f"Bundle '{body.name}' has task {body.task}, not {BODIES}.",
            "Set body_model to a BENet bundle; `caer models list` shows them.",
        )
    if bundle.task == BODIES:
        raise InputError(
            f"Both model '{bundle.name}' and body_model '{body.name}' find bodies.",
            "Set model to a CAER-Net bundle, or body_model to nothing.",
        )


def missing_engines(config: PipelineConfig) -> list[tuple[Path, str]]:
    """Bundle and precision of each TensorRT engine that is wanted here and not built.

    Empty where the back end is not left to us, or this machine can build none.
    """
    if config.backend != "auto" or not can_build():
        return []
    bundle = find_bundle(config.model)
    body = find_bundle(config.body_model) if config.body_model else None
    return [
        (each.folder, precision)
        for each, precision in _networks(bundle, body, config)
        if why_not([each.model_file(precision, "tensorrt")])
    ]


def _networks(
    bundle: Bundle, body: Bundle | None, config: PipelineConfig
) -> list[tuple[Bundle, str]]:
    """Every bundle that runs, with its precision."""
    networks = [(bundle, config.precision)]
    if bundle.task != BODIES:
        networks.append((find_bundle(config.detector), "fp32"))
    if body is not None:
        networks.append((body, config.precision))
    return networks


def _backend(bundle: Bundle, body: Bundle | None, config: PipelineConfig) -> tuple[str, str]:
    """TensorRT is chosen by `auto` only where engines of all that would run on it are built."""
    if config.backend != "auto":
        return choose_backend(config.backend)
    networks = _networks(bundle, body, config)
    return choose_backend("auto", [each.model_file(p, "tensorrt") for each, p in networks])
