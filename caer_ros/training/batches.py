"""Batches drawn from the pools: augmented crops, and who stands in which scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caer_ros.core import InputError
from caer_ros.datasets.patches import cut_face
from caer_ros.training.augment import augment, blend, jittered, spoil
from caer_ros.training.pools import NO_LABEL, FacePool, Pool

_BLENDED = 0.3
_JITTER = 0.15
_ABSENT = 0.15
# Of rendered scenes, how many hold a cue: where few do, the context would not be heard of. Alone it
# learns from little else.
_TOLD, _RENDERED, _TOLD_ALONE = 0.5, 0.8, 0.9
_SPOILT = 0.2
# A face that fills the picture leaves nothing of the scene.
_CLOSE = 0.15
_PHOTOGRAPHED = 0.5
# A cue that always agrees with the pose would be all that the network learns.
_SAME_POSE = 0.8


@dataclass(frozen=True)
class JointBatch:
    """One step of the whole network.

    faces uint8 [N, 96, 96, 3] as the network sees them; clean: the same before some were spoilt,
    which the teacher labels; labels int64 [N] (-1: none, as of whoever has neither a face nor a
    cue in the scene); present bool [N]; contexts uint8 [M, 224, 224, 3]; scene int64 [N].
    """

    faces: np.ndarray
    clean: np.ndarray
    labels: np.ndarray
    present: np.ndarray
    contexts: np.ndarray
    scene: np.ndarray


class Sampler:
    """Draws photographed and rendered people with one generator, so that a seed repeats a run.

    The generator is `default_rng(0)` until `take_dice` gives another.

    Args:
        face_dropout: share of people in scenes with a cue whose face is withheld.
    """

    def __init__(self, photographs: Pool, renders: Pool, face_dropout: float = 0.15) -> None:
        self._photographs, self._renders = photographs, renders
        self._rng = np.random.default_rng(0)
        self._face_dropout = face_dropout
        labels = renders.faces.labels
        self._by_label = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
        self._told, self._idle = np.flatnonzero(renders.planted), np.flatnonzero(~renders.planted)

    def take_dice(self, rng: np.random.Generator) -> None:
        """Draw with another generator from now on."""
        self._rng = rng

    def faces(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Augmented crops uint8 [count, 96, 96, 3] and labels int64 [count] (-1: none)."""
        crops, labels = [], []
        for _ in range(count):
            crop, label = self._face()
            if self._rng.random() < _BLENDED:
                crop, label = blend(crop, self._face()[0], self._rng), NO_LABEL
            crops.append(augment(crop, self._rng))
            labels.append(label)
        return np.stack(crops), np.array(labels)

    def scenes(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Scenes uint8 [count, 224, 224, 3], most of them with a cue, and int64 [count]: what that
        tells (-1: nothing).

        Raises:
            InputError: no render has a cue.
        """
        if not len(self._told):
            raise InputError(
                "The recipe trains on scenes alone, and no render has a cue.",
                "Add a folder of `caer data synth --photoreal --cues 0.5`, or leave 'scene' out.",
            )
        contexts, labels = [], []
        for _ in range(count):
            context, told, label = self._scene(self._rng.random() < _RENDERED, _TOLD_ALONE)
            contexts.append(context)
            labels.append(label if told else NO_LABEL)
        return np.stack(contexts), np.array(labels)

    def joint(self, people: int, scenes: int) -> JointBatch:
        """`people` spread evenly over `scenes`, half of them photographed, half rendered."""
        scene = np.arange(people) % scenes
        close = self._rng.random(scenes) < _CLOSE
        contexts, poses, cues = [], [], []
        for row in range(scenes):
            context, told, pose = self._scene(row >= scenes * _PHOTOGRAPHED, _TOLD)
            contexts.append(np.zeros_like(context) if close[row] else context)
            cues.append(told and not close[row])
            poses.append(pose)
        crops, labels = [], []
        for row in scene:
            crop, label = self._face(poses[row])
            crops.append(augment(crop, self._rng))
            labels.append(label)
        spoilt = self._rng.random(people) < _SPOILT
        seen = [spoil(c, self._rng) if s else c for c, s in zip(crops, spoilt, strict=True)]
        told = np.array(cues)[scene]
        present = self._rng.random(people) >= np.where(told, self._face_dropout, _ABSENT)
        return JointBatch(
            faces=np.stack(seen),
            clean=np.stack(crops),
            # Without a face there is what the cue goes with, or nothing.
            labels=np.where(present, labels, np.where(told, np.array(poses)[scene], NO_LABEL)),
            present=present,
            contexts=np.stack(contexts),
            scene=scene,
        )

    def _scene(self, rendered: bool, share: float) -> tuple[np.ndarray, bool, int]:
        """A recut scene, whether it holds a cue, and the pose of its subject (-1: a photograph);
        `share` of the rendered ones hold a cue."""
        if not rendered:
            pick = self._rng.integers(len(self._photographs.scenes))
            return self._recut(self._photographs.scenes[pick]), False, NO_LABEL
        wanted = self._told if self._rng.random() < share else self._idle
        pick = self._rng.choice(wanted if len(wanted) else len(self._renders.scenes))
        context = self._recut(self._renders.scenes[pick])
        return context, bool(self._renders.planted[pick]), int(self._renders.faces.labels[pick])

    def _face(self, pose: int | None = None) -> tuple[np.ndarray, int]:
        """A jittered crop and its label; `pose` NO_LABEL asks for a photograph, None for any."""
        if pose is None:
            pose = NO_LABEL if self._rng.random() < _PHOTOGRAPHED else None
        photographed = pose == NO_LABEL
        pool = self._photographs.faces if photographed else self._renders.faces
        index = self._pick(pool, pose)
        box = jittered(pool.boxes[index], self._rng, _JITTER)
        return cut_face(pool.patches[index], box, "rgb8"), int(pool.labels[index])

    def _pick(self, pool: FacePool, pose: int | None) -> int:
        if pose is None or pose == NO_LABEL or self._rng.random() > _SAME_POSE:
            return int(self._rng.choice(len(pool), p=pool.weights))
        return int(self._rng.choice(self._by_label[pose]))

    def _recut(self, context: np.ndarray) -> np.ndarray:
        """Flipped or not, in another light."""
        if self._rng.random() < 0.5:
            context = context[:, ::-1]
        pixels = context * self._rng.uniform(0.6, 1.3) * self._rng.normal(1, 0.05, 3)
        return np.clip(pixels, 0, 255).astype(np.uint8)
