"""The scenes of an ablation, drawn once, in files that all its runs map into memory."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from caer_ros.bundles import write_atomically
from caer_ros.core import Box
from caer_ros.datasets.cuts import Cut, cut_context, cut_face
from caer_ros.datasets.examples import MemorySource
from caer_ros.datasets.scenes import SceneControls, SceneStream

_ARRAYS = ("faces", "hidden", "visible", "labels", "mixture", "objects", "face_boxes")


@dataclass(frozen=True)
class SceneSet:
    """Some scenes, one person each; the rows of all arrays belong together.

    Attributes:
        faces: uint8 [N, S, S, 3], RGB.
        hidden, visible: contexts uint8 [N, C, C, 3] with faces hidden, and not.
        labels: int64 [N].
        mixture: float32 [N], how mixed a face looks: 0 for a pure emotion, 1 for one half way
            between two, 1 - |2 share - 1|.
        objects, face_boxes: float32 [N, 4], the planted object's and the subject's face's box in
            pixels of the context; NaN without an object.
    """

    faces: np.ndarray
    hidden: np.ndarray
    visible: np.ndarray
    labels: np.ndarray
    mixture: np.ndarray
    objects: np.ndarray
    face_boxes: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def source(self, hide_faces: bool) -> MemorySource:
        """The scenes as a network sees them."""
        contexts = self.hidden if hide_faces else self.visible
        return MemorySource(self.faces, contexts, self.labels, np.ones(len(self), bool))


def scene_set(
    folder: Path, seed: int, split: str, controls: SceneControls, count: int, cut: Cut
) -> SceneSet:
    """The first `count` scenes of a stream, from `folder` where they lie there already."""
    about = json.dumps([seed, split, controls.as_dict(), count, asdict(cut)])
    written = folder / "about.json"
    if not written.is_file() or written.read_text() != about:
        folder.mkdir(parents=True, exist_ok=True)
        written.unlink(missing_ok=True)
        for name, array in _draw(SceneStream(seed, split, controls), count, cut).items():
            np.save(folder / f"{name}.npy", array)
        # Last: its presence says that the arrays are whole.
        write_atomically(written, about.encode())
    return SceneSet(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS))


def _draw(stream: SceneStream, count: int, cut: Cut) -> dict[str, np.ndarray]:
    rows: dict[str, list] = {name: [] for name in _ARRAYS}
    hiding, showing = replace(cut, hide_faces=True), replace(cut, hide_faces=False)
    bar = tqdm(stream.scenes(count), f"scenes {stream.split}", count, file=sys.stderr, disable=None)
    for scene in bar:
        height, width = scene.image.shape[:2]
        scale = (cut.context / width, cut.context / height)
        rows["faces"].append(cut_face(scene.image, scene.faces[0], cut))
        rows["hidden"].append(cut_context(scene.image, scene.faces, hiding))
        rows["visible"].append(cut_context(scene.image, scene.faces, showing))
        rows["labels"].append(scene.spec.label_index)
        rows["mixture"].append(1 - abs(2 * scene.spec.subject.share - 1))
        rows["objects"].append(_scaled(scene.object_box, *scale))
        rows["face_boxes"].append(_scaled(scene.faces[0], *scale))
    kinds = {"labels": np.int64, "mixture": np.float32, "objects": np.float32}
    kinds["face_boxes"] = np.float32
    return {name: np.array(values, kinds.get(name, np.uint8)) for name, values in rows.items()}


def _scaled(box: Box | None, sx: float, sy: float) -> tuple[float, float, float, float]:
    if box is None:
        return (float("nan"),) * 4
    return box.x1 * sx, box.y1 * sy, box.x2 * sx, box.y2 * sy
