"""The pictures of an ablation: λ_face against ambiguity, and where attention lies."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from caer_ros.bundles import write_atomically
from caer_ros.core import CAER7
from caer_ros.evaluation.attention_figure import heat_over
from caer_ros.evaluation.figures import save_figure
from caer_ros.training.ablation.measure import WeightCurve, predictions
from caer_ros.training.ablation.plan import FULL, AblationPlan
from caer_ros.training.ablation.runs import Run, split_scenes
from caer_ros.training.ablation.scene_set import SceneSet

_CELL, _GAP = 144, 4
_BOX = (255, 255, 255)


def draw_weights(curve: WeightCurve, path: Path) -> None:
    """λ_face by the ambiguity of the scenes, and by how mixed each face looks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    middles = (np.array(curve.mixture_edges[:-1]) + curve.mixture_edges[1:]) / 2
    for place, at, values, label in (
        (axes[0], np.array(curve.levels), curve.by_level, "ambiguity of the scenes"),
        (axes[1], middles, curve.by_mixture, "mixture in the face"),
    ):
        shown = [(p, v) for p, v in zip(at, values, strict=True) if v]
        x = [p for p, _ in shown]
        place.plot(x, [np.mean(v) for _, v in shown], marker="o")
        place.fill_between(x, [min(v) for _, v in shown], [max(v) for _, v in shown], alpha=0.2)
        place.set_xlabel(label)
    axes[0].set_ylabel("mean λ_face")
    axes[0].set_ylim(0, 1)
    save_figure(figure, path)


def draw_attention(plan: AblationPlan, out: Path, path: Path) -> None:
    """A panel like Fig. 8: scenes in columns; below each, the context and attention of the network
    trained with faces hidden, then of the one trained with faces visible. A white frame is the
    planted object's box; red is each map's own maximum.
    """
    scenes = split_scenes(plan, out, "test")
    shown = np.flatnonzero(~np.isnan(scenes.objects[:, 0]))[: plan.pictures]
    strips = []
    for hide in (True, False) if plan.without_hiding else (True,):
        found = predictions(out, Run(FULL, plan.seeds[0], hide), _first(scenes, shown))
        contexts = scenes.hidden if hide else scenes.visible
        named = found.probabilities.argmax(axis=1)
        for with_heat in (False, True):
            cells = []
            for k, index in enumerate(shown):
                picture = _grown(contexts[index])
                if with_heat:
                    picture = _titled(heat_over(picture, found.attention[k]), CAER7[named[k]])
                else:
                    picture = _titled(picture, CAER7[scenes.labels[index]])
                cells.append(_framed(picture, scenes.objects[index] * _CELL / contexts.shape[1]))
            strips.append(_joined(cells, axis=1))
    coded = cv2.imencode(".png", _joined(strips, axis=0))[1]
    write_atomically(path, coded.tobytes())


def _first(scenes: SceneSet, rows: np.ndarray) -> SceneSet:
    return SceneSet(**{name: array[rows] for name, array in vars(scenes).items()})


def _grown(context: np.ndarray) -> np.ndarray:
    """RGB of any size as a BGR cell."""
    bgr = cv2.cvtColor(np.ascontiguousarray(context), cv2.COLOR_RGB2BGR)
    return cv2.resize(bgr, (_CELL, _CELL), interpolation=cv2.INTER_CUBIC)


def _titled(picture: np.ndarray, text: str) -> np.ndarray:
    for ink, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(picture, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, ink, width, cv2.LINE_AA)
    return picture


def _framed(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    x1, y1, x2, y2 = (round(float(v)) for v in box)
    return cv2.rectangle(picture, (x1, y1), (x2, y2), _BOX, 1, cv2.LINE_AA)


def _joined(cells: list[np.ndarray], axis: int) -> np.ndarray:
    shape = list(cells[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, np.uint8)
    return np.concatenate([part for cell in cells for part in (cell, gap)][:-1], axis=axis)
