"""A picture with what BENet sees in it: boxes, detection heat, strongest emotions (Fig. 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from caer_ros.core import EMOTIC26, InputError
from caer_ros.evaluation.figures import save_figure

_TRUE, _FOUND = "#30d030", "#ffb000"
_HEIGHT = 3.0
_STRENGTH = 0.65


def draw_maps(
    path: Path,
    image: np.ndarray,
    heat: np.ndarray | None,
    emotions: np.ndarray,
    true: np.ndarray | None = None,
    found: np.ndarray | None = None,
    names: tuple[str, ...] = EMOTIC26,
    count: int = 3,
) -> None:
    """Write the panels as PNG: picture and boxes, detection heat, emotion maps.

    Maps are drawn over the darkened picture on one scale from 0 to 1, so that they can be compared,
    with the value at each centre of a found person, or of a true one where nobody was found.
    An emotion is strong by its mean at the centres of the people, found ones, or true ones where
    nobody was found; without any people, by its maximum.

    Args:
        path: of the new picture.
        image: uint8 [H, W, 3], BGR.
        heat: float [h, w] in [0, 1], probability that a person's centre is here; covers the whole
            picture and nothing else, so cut off what was padded. None without detection.
        emotions: float [E, h, w] in [0, 1], covering the same.
        true, found: float [N, 4] and [K, 4], x1, y1, x2, y2 in pixels of the picture.
        names: of the E emotions.
        count: emotion maps to draw.

    Raises:
        InputError: an array is not as above.
    """
    boxes = [np.zeros((0, 4)) if b is None else np.asarray(b, np.float64) for b in (true, found)]
    _check(image, heat, emotions, boxes, names)
    people = boxes[1] if len(boxes[1]) else boxes[0]
    chosen = strongest_emotions(emotions, people, image, count)
    maps = [] if heat is None else [("people", heat)]
    maps += [(names[i], emotions[i]) for i in chosen]

    figure, (first, *others) = _panels(image, 1 + len(maps))
    _picture(first, image, boxes)
    for axes, (title, values) in zip(others, maps, strict=True):
        drawn = _heat(axes, image, title, values, people)
    bar = figure.colorbar(drawn, ax=[first, *others], fraction=0.03, pad=0.01)
    bar.set_label("probability", fontsize=8)
    save_figure(figure, path)


def strongest_emotions(
    emotions: np.ndarray, people: np.ndarray, image: np.ndarray, count: int
) -> list[int]:
    """Indices of the strongest emotion maps, strongest first, see `draw_maps`."""
    if len(people):
        strength = np.mean([_at_centres(values, people, image) for values in emotions], axis=1)
    else:
        strength = emotions.max(axis=(1, 2))
    return [int(i) for i in np.argsort(-strength, kind="stable")[:count]]


def _at_centres(values: np.ndarray, boxes: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Of a map [h, w] the cells [N] under the boxes' centres; the edge's for those outside."""
    (height, width), (whole_height, whole_width) = values.shape, image.shape[:2]
    columns = (boxes[:, 0] + boxes[:, 2]) / 2 * width / whole_width
    rows = (boxes[:, 1] + boxes[:, 3]) / 2 * height / whole_height
    place = (np.clip(rows, 0, height - 1).astype(int), np.clip(columns, 0, width - 1).astype(int))
    return values[place]


def _panels(image: np.ndarray, count: int) -> tuple[Any, list[Any]]:
    """A figure and its first `count` panels: tall pictures in one row, others in two."""
    from matplotlib.figure import Figure

    height, width = image.shape[:2]
    rows = 1 if height > width else 2
    columns = -(-count // rows)
    panel = min(max(_HEIGHT * width / height, 2.2), 6.0)
    size = (panel * columns + 0.7, (_HEIGHT + 0.3) * rows + 0.2)
    figure = Figure(figsize=size, layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[count:]:
        unused.set_axis_off()
    return figure, axes[:count]


def _picture(axes: Any, image: np.ndarray, boxes: list[np.ndarray]) -> None:
    from matplotlib.lines import Line2D

    axes.imshow(image[..., ::-1])
    kinds = (("true", _TRUE, "-", 2.4), ("found", _FOUND, "--", 1.6))
    lines = []
    for (name, color, style, thick), rows in zip(kinds, boxes, strict=True):
        for box in rows:
            _outline(axes, box, color, style, thick)
        label = f"{name} ({len(rows)})"
        lines.append(Line2D([], [], color=color, linestyle=style, linewidth=thick, label=label))
    axes.legend(
        handles=lines,
        fontsize=7,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        ncol=2,
        frameon=False,
    )
    axes.set_title("picture", fontsize=10)
    _frame(axes, image)


def _heat(axes: Any, image: np.ndarray, title: str, values: np.ndarray, people: np.ndarray) -> Any:
    height, width = image.shape[:2]
    axes.imshow(image.mean(axis=2), cmap="gray", vmin=0, vmax=255)
    drawn = axes.imshow(
        values,
        cmap="inferno",
        vmin=0,
        vmax=1,
        alpha=_STRENGTH,
        interpolation="bilinear",
        # Pixel centres are whole numbers, as in the picture's own extent.
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )
    for box, value in zip(people, _at_centres(values, people, image), strict=True):
        _outline(axes, box, "white", "-", 0.8)
        x, y = (box[:2] + box[2:]) / 2 - 0.5
        style = {"fontsize": 8, "ha": "center", "va": "center", "clip_on": True}
        back = {"boxstyle": "round,pad=0.15", "facecolor": "black", "alpha": 0.5, "linewidth": 0}
        # Below the centre, which is what one looks at.
        axes.annotate(
            f"{value:.2f}",
            (x, y),
            (0, -14),
            textcoords="offset points",
            color="white",
            bbox=back,
            annotation_clip=True,
            **style,
        )
    axes.set_title(title, fontsize=10)
    _frame(axes, image)
    return drawn


def _outline(axes: Any, box: np.ndarray, color: str, style: str, thick: float) -> None:
    from matplotlib.patches import Rectangle

    x1, y1, x2, y2 = box
    # Our (0, 0) is the picture's corner, matplotlib's the centre of its first pixel.
    corner = (x1 - 0.5, y1 - 0.5)
    axes.add_patch(
        Rectangle(
            corner, x2 - x1, y2 - y1, fill=False, edgecolor=color, linestyle=style, linewidth=thick
        )
    )


def _frame(axes: Any, image: np.ndarray) -> None:
    """No ticks, and the picture's own limits, also where a box reaches over its edge."""
    height, width = image.shape[:2]
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])


def _check(
    image: np.ndarray,
    heat: np.ndarray | None,
    emotions: np.ndarray,
    boxes: list[np.ndarray],
    names: tuple[str, ...],
) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise InputError(
            f"A picture is {image.dtype} {list(image.shape)}.", "Give uint8 [H, W, 3], BGR."
        )
    shape = emotions.shape[1:] if heat is None else heat.shape
    if len(shape) != 2 or not emotions.size or emotions.shape != (len(names), *shape):
        raise InputError(
            f"The maps have the shapes {list(shape)} and {list(emotions.shape)}.",
            f"Give [h, w] and [{len(names)}, h, w].",
        )
    if not all(np.isfinite(each).all() for each in (heat, emotions) if each is not None):
        raise InputError("A map has values that are not finite.", "Look for a diverged network.")
    if any(rows.ndim != 2 or rows.shape[1] != 4 for rows in boxes):
        raise InputError("Boxes are not [N, 4].", "Give x1, y1, x2, y2 in pixels.")
