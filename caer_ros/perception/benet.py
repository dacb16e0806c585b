"""BENet on the robot: one run a frame finds everybody and how they feel, however many they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from caer_ros.bundles import Bundle
from caer_ros.core import Box, BundleError, EmotionEstimate, PersonEmotion
from caer_ros.engines import Engine, open_engine
from caer_ros.engines.trt.frame_build import frame_engines
from caer_ros.engines.trt.frame_engine import FrameEngine, FrameEngines
from caer_ros.perception.benet_decode import Decoded, rows_above
from caer_ros.perception.cpu_hint import hint_for
from caer_ros.perception.fit_frame import fit_short_side
from caer_ros.perception.frame_layout import body_fit, layout_of
from caer_ros.perception.match_faces import match_faces
from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.scene import Scene
from caer_ros.perception.stage import grey_frame, timed

TASK = "person_emotion_maps"


class BenetReader:
    """Runs a bundle of task `person_emotion_maps`; see Stage. People have a body box.

    Where faces were found before, each goes to the body that it belongs to; see match_faces.

    The network's input keeps the frame's proportions: its short side is the bundle's, both sides
    are rounded up to the bundle's multiple, the frame lies in the middle. A square input would
    spend a quarter of the work of a 4:3 frame on its border and show people a quarter smaller;
    ONNX Runtime takes a new size in the time of about one more run, OpenVINO is compiled for the
    size that stays (see SteadyEngine), and a camera has one size.

    Args:
        bundle: the model.
        engine: with the bundle's ONNX file loaded; closed with the reader.
        threshold: least score of a person, in [0, 1]; 0 is the bundle's own.
        max_people: people a frame; of more, the best are kept, with a warning.
        frames: engines that resize frames themselves, used for those that they fit; closed with the
            reader.

    Raises:
        BundleError: wrong task, or constants, thresholds and labels that do not fit.
    """

    def __init__(
        self,
        bundle: Bundle,
        engine: Engine,
        threshold: float = 0.0,
        max_people: int = 32,
        frames: FrameEngines | None = None,
    ) -> None:
        if bundle.task != TASK:
            raise BundleError(
                f"Bundle '{bundle.name}' has task {bundle.task}, not {TASK}.",
                "Set model to a BENet bundle; `caer models list` shows them.",
            )
        try:
            images = bundle.inputs["images"]
            self._short_side = int(images["short_side"])
            self._multiple = int(images["multiple_of"])
            self._own_threshold = float(bundle.decode["threshold"])
            self._rows = int(bundle.decode["top_k"])
            if len(bundle.labels) != int(bundle.outputs["emotions"]["shape"][2]):
                raise ValueError("one label an emotion")
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BundleError(
                f"{bundle.folder}/model.yaml: inputs, outputs or decode lack {error}.",
                "Re-export the bundle.",
            ) from error
        self.name = bundle.name
        self._labels = bundle.labels
        # One array for all estimates: it never changes.
        self._label_thresholds = bundle.thresholds()
        self._outputs = ["boxes", "scores", "emotions", "peaks"]
        self._outputs += ["vad"] if "vad" in bundle.outputs else []
        self._has_heat = "heat" in bundle.outputs
        self._engine = engine
        self._frames = frames
        self._frame: FrameEngine | None = None
        self._threshold = threshold or self._own_threshold
        self._max_people = max_people
        self._fit = fit_short_side(1, 1, 1, 1)
        self._input = np.zeros((1, 0, 0, 3), np.uint8)

    @classmethod
    def open(cls, bundle: Bundle, config: PipelineConfig, backend: str) -> BenetReader:
        """Load the bundle's file.

        Raises:
            BundleError: wrong task, damaged, or without this precision.
            EngineBuildError: the back end can not load it.
        """
        path = bundle.model_file(config.precision, backend)
        hint = hint_for(bundle, config.precision, backend, config.cpu_hint)
        engine = open_engine(path, backend, config.threads, hint, steady=True)
        try:
            frames = frame_engines(path, backend)
            return cls(bundle, engine, config.person_threshold, config.max_people, frames)
        except BaseException:
            engine.close()
            raise

    def run(self, scenes: Sequence[Scene], timings: dict[str, float]) -> None:
        """See Stage.run. Bodies are best first; their boxes are clipped to the frame."""
        for scene in scenes:
            with timed(timings, "preprocess"):
                self.prepare(scene.image, scene.encoding)
            with timed(timings, "infer"):
                outputs = self.infer(scene.want_maps)
            with timed(timings, "decode"):
                self._read(outputs, scene)

    def prepare(self, image: np.ndarray, encoding: str) -> None:
        """Fit a frame into the input, which is made anew where its size changes.

        An engine that resizes this frame itself only remembers it, until `infer`.
        """
        height, width = image.shape[:2]
        if self._fit.source != (width, height):
            self._fit = body_fit(width, height, self._short_side, self._multiple)
        fit = self._fit
        if self._frames is not None:
            self._frame = self._frames.find(image.shape, encoding, layout_of(fit))
        if self._frame is not None:
            self._frame.take(image)
            return
        if self._input.shape[1:3] != (fit.height, fit.width):
            self._input = np.zeros((1, fit.height, fit.width, 3), np.uint8)
        fit.apply(image, encoding, self._input[0])

    def infer(self, want_heat: bool) -> Mapping[str, np.ndarray]:
        """Run the network on what was prepared; the heat map costs a copy, where there is one."""
        extra = ["heat"] if want_heat and self._has_heat else []
        if self._frame is not None:
            return self._frame.run(self._outputs + extra)
        return self._engine.run({"images": self._input}, self._outputs + extra)

    def apply(self, config: PipelineConfig) -> None:
        """See Stage.apply: least score of a person."""
        self._threshold = config.person_threshold or self._own_threshold

    def warm_up(self) -> None:
        """See Stage.warm_up."""
        self.run([Scene(grey_frame(), "bgr8", want_maps=True)], {})

    def run_bare(self, people: int) -> None:
        """See Stage.run_bare; takes as long for any number of people."""
        self.infer(want_heat=False)

    def close(self) -> None:
        """See Stage.close."""
        if self._frames is not None:
            self._frames.close()
        self._engine.close()

    def _read(self, outputs: Mapping[str, np.ndarray], scene: Scene) -> None:
        found = rows_above(*_first_image(outputs), threshold=self._threshold)
        people = self._people(found)
        if "heat" in outputs:
            scene.heat = self._cut_heat(outputs["heat"][0])
        scene.warnings += self._missing(len(people) + found.peaks - len(found.scores))
        scene.people = match_faces(people[: self._max_people], scene.people)

    def _people(self, found: Decoded) -> tuple[PersonEmotion, ...]:
        """Who lies wholly in the border round the frame is nobody."""
        width, height = self._fit.source
        corners = self._fit.to_source(found.boxes).clip(0, [width, height] * 2)
        people = []
        for i in np.nonzero((corners[:, 2:] > corners[:, :2]).all(axis=1))[0]:
            x1, y1, x2, y2 = corners[i].tolist()
            body = Box(x1, y1, x2, y2, min(float(found.scores[i]), 1.0))
            estimate = self._estimate(found.emotions[i], found.vad[i])
            people.append(PersonEmotion(body=body, estimates=(estimate,)))
        return tuple(people)

    def _estimate(self, emotions: np.ndarray, vad: np.ndarray) -> EmotionEstimate:
        valence, arousal, dominance = vad.tolist()
        return EmotionEstimate(
            model=self.name,
            labels=self._labels,
            probabilities=emotions,
            multi_label=True,
            valence=valence,
            arousal=arousal,
            dominance=dominance,
            thresholds=self._label_thresholds,
        )

    def _missing(self, people: int) -> tuple[str, ...]:
        name = "max_people" if self._max_people < self._rows else "the model's top_k"
        limit = min(self._max_people, self._rows)
        if people <= limit:
            return ()
        return (f"{people} people, {name} is {limit}: the rest is left out.",)

    def _cut_heat(self, heat: np.ndarray) -> np.ndarray:
        """The part over the frame, copied: the engine owns its outputs until its next run."""
        fit = self._fit
        stride = fit.height // heat.shape[0]
        top, left = fit.top // stride, fit.left // stride
        bottom = -(-(fit.top + fit.inner[1]) // stride)
        right = -(-(fit.left + fit.inner[0]) // stride)
        return heat[top:bottom, left:right].copy()


def _first_image(
    outputs: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None, int]:
    vad = outputs["vad"][0] if "vad" in outputs else None
    boxes, scores, emotions = (outputs[name][0] for name in ("boxes", "scores", "emotions"))
    return boxes, scores, emotions, vad, int(outputs["peaks"][0])
