"""CAER-Net on the robot: clips of 16 frames a person, all that are due at once in one run.

Between two clips, 0.8 s, people keep their last estimate; its lag tells how old it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import InputError
from caer_ros.engines import Engine, open_engine
from caer_ros.perception.camera_memory import tracking_wanted
from caer_ros.perception.clip_batch import MOST, ClipBatch, Due
from caer_ros.perception.clip_context import attention_over_frame, make_clip_context
from caer_ros.perception.clip_estimates import clip_estimates
from caer_ros.perception.clip_inputs import TASK, read_clip_inputs
from caer_ros.perception.cpu_hint import hint_for
from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.preprocess import crop_face
from caer_ros.perception.scene import Scene
from caer_ros.perception.stage import PlainStage, timed
from caer_ros.perception.static_stage import add_estimate

__all__ = ["TASK", "CaerClipStage"]


class CaerClipStage(PlainStage):
    """See Stage. Runs a bundle of task `caer_clip` for people with ids.

    A person gets his first estimate once he was followed for a clip's length, and a new one every
    `hop` ticks. In between, and where his face is not found, the last one is given, with a lag that
    has grown by its age, until the camera's memory drops it. Where maps are wanted, the attention
    of the last clip is given likewise: its last time step, that of the newest pictures.

    Args:
        bundle: the model.
        engine: with the bundle's ONNX file loaded; closed with the stage.
        max_people: people of one camera who are followed at once.

    Attributes:
        name: the model's.
        clip_config: what clips the cameras' memories must collect.

    Raises:
        BundleError: wrong task, or inputs that this code does not fill.
    """

    def __init__(self, bundle: Bundle, engine: Engine, max_people: int = 64) -> None:
        self._inputs = read_clip_inputs(bundle, max_people)
        self.name = bundle.name
        self.clip_config = self._inputs.clip
        self._bundle = bundle
        self._engine = engine
        self._batch = ClipBatch(self.clip_config)
        size = self.clip_config.context_size
        self._context = np.zeros((size, size, 3), np.uint8)
        size = self.clip_config.face_size
        self._faces = np.zeros((max_people, size, size, 3), np.uint8)

    @classmethod
    def open(cls, bundle: Bundle, config: PipelineConfig, backend: str) -> CaerClipStage:
        """Load the bundle's file.

        Raises:
            InputError: people get no ids.
            CaerError: see Pipeline.open.
        """
        if not tracking_wanted(config):
            raise InputError(
                f"Model '{bundle.name}' reads clips, and without tracking nobody knows whose.",
                "Set tracking to always (pip install norfair-enough), or model to CAER-Net-S.",
            )
        path = bundle.model_file(config.precision, backend)
        hint = hint_for(bundle, config.precision, backend, config.cpu_hint)
        engine = open_engine(path, backend, config.threads, hint)
        try:
            return cls(bundle, engine, config.max_people)
        except BaseException:
            engine.close()
            raise

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """See Stage.run."""
        due: list[Due] = []
        for scene in scenes:
            assert scene.memory is not None
            clips = scene.memory.clips
            if clips is not None and clips.wants(scene.stamp):
                with timed(timings, "preprocess"):
                    named = self._collect(scene)
                due += [Due(scene, clips, person) for person in named]
        start = perf_counter()
        for first in range(0, len(due), MOST):
            self._estimate(due[first : first + MOST], timings)
        self._warn(perf_counter() - start, due)
        for scene in scenes:
            self._give(scene)

    def warm_up(self) -> None:
        """See Stage.warm_up."""
        self.run_bare(1)

    def run_bare(self, people: int) -> None:
        """See Stage.run_bare; of more people than one run takes, that many."""
        if people:
            self._engine.run(self._batch.arrays(min(people, MOST)), ["logits", "fusion"])

    def close(self) -> None:
        """See Stage.close."""
        self._engine.close()

    def _collect(self, scene: Scene) -> tuple[str, ...]:
        """Cut a frame that starts a tick; who is due."""
        assert scene.memory is not None
        assert scene.memory.clips is not None
        known = [p for p in scene.people if p.track_id and p.face is not None]
        people, inputs = known[: len(self._faces)], self._inputs
        for row, person in enumerate(people):
            assert person.face is not None
            crop_face(scene.image, person.face, scene.encoding, inputs.margin, self._faces[row])
        frame = inputs.rows, inputs.columns
        make_clip_context(
            scene.image, scene.faces, scene.encoding, self._context, frame, inputs.fill
        )
        names = [person.track_id for person in people]
        clips = scene.memory.clips
        due = clips.add(scene.stamp, self._context, names, self._faces[: len(people)])
        missing = clips.left_out + len(known) - len(people)
        if missing:
            limit = self.clip_config.max_people
            scene.warnings += (f"max_people is {limit}: of {missing} no clip is collected.",)
        return due

    def _estimate(self, due: Sequence[Due], timings: dict[str, float]) -> None:
        """One run; what it says is held by the cameras' memories."""
        with timed(timings, "preprocess"):
            arrays, scenes = self._batch.fill(due)
        outputs = ["logits", "fusion"]
        if any(scene.want_maps for scene in scenes):
            outputs.append("attention")
        with timed(timings, "infer"):
            answer = self._engine.run(arrays, outputs)
        with timed(timings, "decode"):
            estimates = clip_estimates(answer, self._bundle, self._inputs)
            for each, estimate in zip(due, estimates, strict=True):
                assert each.scene.memory is not None
                each.scene.memory.held.keep(each.person, estimate, each.scene.stamp)
            for scene, attention in zip(scenes, answer.get("attention", ()), strict=False):
                self._hold_map(scene, attention[-1])

    def _hold_map(self, scene: Scene, attention: np.ndarray) -> None:
        assert scene.memory is not None
        frame = self._inputs.rows, self._inputs.columns
        whole = attention_over_frame(attention, frame, self.clip_config.context_size)
        scene.memory.held.keep_map(self.name, whole, scene.stamp)

    def _warn(self, seconds: float, due: Sequence[Due]) -> None:
        """Where frames are missed for so long, clips start anew and people wait for the next."""
        limit = self.clip_config.max_repeat / self.clip_config.rate
        if seconds > limit:
            text = f"{len(due)} clips took {seconds:.1f} s; above {limit:g} s all may start anew."
            for scene in {id(each.scene): each.scene for each in due}.values():
                scene.warnings += (text,)

    def _give(self, scene: Scene) -> None:
        """What is held of everybody with an id, and the map."""
        assert scene.memory is not None
        held, people = scene.memory.held, []
        for person in scene.people:
            kept = held.recall(person.track_id, self.name, scene.stamp)
            people.append(person if kept is None else add_estimate(person, kept))
        scene.people = tuple(people)
        if scene.want_maps and people:
            scene.attention = held.recall_map(self.name, scene.stamp)
