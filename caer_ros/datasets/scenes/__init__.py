"""Seeded synthetic scenes in which face and context cues and their ambiguity are controlled.

    stream = SceneStream(seed=0, split="train", controls=SceneControls(ambiguity=0.9))
    scene = stream.scene(17)                 # image, faces, object_box, label; any index, any order
    face, context = cut_scene(scene)         # CAER-Net's inputs
    stream.controls.ceilings()               # best accuracies of face, context, both

Drawn with numpy and OpenCV alone. What depends on the label is the subject's expression (facs.py)
and the planted object (objects.py), in amounts that ceilings.py accounts for; nothing else does.
"""

from caer_ros.datasets.scenes.ceilings import (
    Ceilings,
    both_ceiling,
    ceilings,
    context_ceiling,
    face_ceiling,
    face_posterior,
)
from caer_ros.datasets.scenes.clip import Clip, draw_clip
from caer_ros.datasets.scenes.cut import SceneBatch, coverage, cut_batch, cut_clip, cut_scene
from caer_ros.datasets.scenes.draw import Scene, draw_scene
from caer_ros.datasets.scenes.facs import PAIRS, RING, confusers
from caer_ros.datasets.scenes.spec import Expression, SceneControls, SceneSpec
from caer_ros.datasets.scenes.stream import SceneStream

__all__ = [
    "PAIRS",
    "RING",
    "Ceilings",
    "Clip",
    "Expression",
    "Scene",
    "SceneBatch",
    "SceneControls",
    "SceneSpec",
    "SceneStream",
    "both_ceiling",
    "ceilings",
    "confusers",
    "context_ceiling",
    "coverage",
    "cut_batch",
    "cut_clip",
    "cut_scene",
    "draw_clip",
    "draw_scene",
    "face_ceiling",
    "face_posterior",
]
