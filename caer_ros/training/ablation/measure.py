"""What an ablation's networks do on scenes that none of them was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from caer_ros.core import CAER7, Box
from caer_ros.datasets.scenes import coverage
from caer_ros.evaluation.predictions import Predictions, predict
from caer_ros.evaluation.scores import score
from caer_ros.networks.checkpoint import load_network
from caer_ros.networks.people_graph import PeopleGraph
from caer_ros.training.ablation.plan import FULL, AblationPlan
from caer_ros.training.ablation.runs import Run, cut_of, split_scenes
from caer_ros.training.ablation.scene_set import SceneSet, scene_set


@dataclass(frozen=True)
class RowResult:
    """A row of Table 3: scores by seed, in [0, 1]."""

    row: str
    accuracy: tuple[float, ...]
    balanced_accuracy: tuple[float, ...]
    face_weight: tuple[float, ...]


@dataclass(frozen=True)
class AttentionResult:
    """Where the context's attention lies, by seed: shares of its mass, in [0, 1].

    on_object, on_face: inside the planted object's and the subject's face's box, over the scenes
    with an object. even_object, even_face: what even attention would give.
    """

    hide_faces: bool
    on_object: tuple[float, ...]
    on_face: tuple[float, ...]
    even_object: float
    even_face: float


@dataclass(frozen=True)
class FormResult:
    """A form of the full network, or of its training, by seed.

    accuracy, face_weight, on_object: as above, on the test scenes.
    clear, mixed: λ_face of the faces that look least and most mixed (the outer bins of
        `WeightCurve.mixture_edges`).
    """

    form: str
    accuracy: tuple[float, ...]
    face_weight: tuple[float, ...]
    on_object: tuple[float, ...]
    clear: tuple[float, ...]
    mixed: tuple[float, ...]


@dataclass(frozen=True)
class WeightCurve:
    """λ_face of the full networks that were trained at ambiguities from clear to undecidable.

    levels, by_level: [levels][seeds] means over unseen faces of one ambiguity.
    mixture_edges, by_mixture: [bins][seeds] means over the same faces by how mixed they look (see
        SceneSet.mixture).
    """

    levels: tuple[float, ...]
    by_level: tuple[tuple[float, ...], ...]
    mixture_edges: tuple[float, ...]
    by_mixture: tuple[tuple[float, ...], ...]


_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def predictions(out: Path, run: Run, scenes: SceneSet) -> Predictions:
    """What a run's best checkpoint says of scenes, cut as the run was trained."""
    network = load_network(run.folder(out) / "best.safetensors")
    return predict(PeopleGraph(network).eval(), scenes.source(run.hide_faces))


def measure_rows(plan: AblationPlan, out: Path) -> list[RowResult]:
    """Table 3 on the test scenes."""
    scenes = split_scenes(plan, out, "test")
    results = []
    for row in plan.rows:
        found = [predictions(out, Run(row, seed), scenes) for seed in plan.seeds]
        scores = [score(f.probabilities, scenes.labels, CAER7) for f in found]
        results.append(
            RowResult(
                row,
                tuple(s.accuracy for s in scores),
                tuple(s.balanced_accuracy for s in scores),
                tuple(float(f.fusion[:, 0].mean()) for f in found),
            )
        )
    return results


def measure_forms(plan: AblationPlan, out: Path) -> list[FormResult]:
    """The full network as it is, then in each of the plan's other forms."""
    if not plan.forms:
        return []
    scenes = split_scenes(plan, out, "test")
    planted = ~np.isnan(scenes.objects[:, 0])
    results = []
    for form in (None, *plan.forms):
        found = [predictions(out, Run(FULL, seed, form=form), scenes) for seed in plan.seeds]
        weights = [f.fusion[:, 0] for f in found]
        objects = covered(scenes.objects[planted], scenes, found[0].attention.shape[1:])
        results.append(
            FormResult(
                "as in the table" if form is None else form,
                tuple(score(f.probabilities, scenes.labels, CAER7).accuracy for f in found),
                tuple(float(w.mean()) for w in weights),
                tuple(_mass(f.attention[planted], objects) for f in found),
                tuple(float(w[scenes.mixture < _EDGES[1]].mean()) for w in weights),
                tuple(float(w[scenes.mixture >= _EDGES[-2]].mean()) for w in weights),
            )
        )
    return results


def _mass(attention: np.ndarray, boxes: np.ndarray) -> float:
    """Mean share of attention [N, h, w] that lies in boxes [N, h, w]."""
    return float((attention * boxes).sum(axis=(1, 2)).mean())


def measure_attention(plan: AblationPlan, out: Path, hide_faces: bool) -> AttentionResult:
    """Attention of the full networks that were trained with, or without, hiding faces."""
    scenes = split_scenes(plan, out, "test")
    planted = ~np.isnan(scenes.objects[:, 0])
    on_object, on_face = [], []
    for seed in plan.seeds:
        attention = predictions(out, Run(FULL, seed, hide_faces), scenes).attention[planted]
        cells = attention.shape[1:]
        objects = covered(scenes.objects[planted], scenes, cells)
        faces = covered(scenes.face_boxes[planted], scenes, cells)
        on_object.append(_mass(attention, objects))
        on_face.append(_mass(attention, faces))
    return AttentionResult(
        hide_faces, tuple(on_object), tuple(on_face), float(objects.mean()), float(faces.mean())
    )


def covered(boxes: np.ndarray, scenes: SceneSet, cells: Sequence[int]) -> np.ndarray:
    """Share of each attention cell that a box covers: boxes [N, 4] -> float64 [N, *cells]."""
    side = scenes.hidden.shape[1]
    return np.stack([coverage(Box(*map(float, b)), side, side, *cells) for b in boxes])


def measure_weights(plan: AblationPlan, out: Path) -> WeightCurve:
    """λ_face by the ambiguity asked at, and by how mixed the faces look."""
    asked = [_level(plan, out, level) for level in plan.levels]
    runs = [Run(FULL, seed, ambiguity=plan.weighed) for seed in plan.seeds]
    weights = [
        np.stack([predictions(out, run, scenes).fusion[:, 0] for run in runs]) for scenes in asked
    ]
    mixture = np.concatenate([scenes.mixture for scenes in asked])
    return WeightCurve(
        plan.levels,
        tuple(tuple(found.mean(axis=1).tolist()) for found in weights),
        _EDGES,
        _by_bin(mixture, np.concatenate(weights, axis=1)),
    )


def _level(plan: AblationPlan, out: Path, level: float) -> SceneSet:
    """Unseen scenes whose faces are all of one ambiguity."""
    name = f"ambiguity-{level:g}"
    controls = replace(plan.scenes.controls, ambiguity=level)
    folder, seed, count = out / "scenes" / name, plan.scenes.seed, plan.level_scenes
    return scene_set(folder, seed, name, controls, count, cut_of(plan))


def _by_bin(mixture: np.ndarray, weight: np.ndarray) -> tuple[tuple[float, ...], ...]:
    place = np.clip(np.digitize(mixture, _EDGES) - 1, 0, len(_EDGES) - 2)
    return tuple(
        tuple(weight[:, place == k].mean(axis=1).tolist()) if (place == k).any() else ()
        for k in range(len(_EDGES) - 1)
    )
