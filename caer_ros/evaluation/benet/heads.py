"""The person-centric and background heads at test time, and one answer of all three (Table 4).

They need a pass for each person and one more for the picture without people, which the maps do not;
the paper tries it as a refinement of the emotions with true boxes (section 4.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy.special import logit
from torch import Tensor

from caer_ros.core import InputError
from caer_ros.datasets.emotic.images import Images
from caer_ros.datasets.emotic.labels import Labels
from caer_ros.datasets.emotic.views import extract_subject, mask_all_subjects
from caer_ros.datasets.loader import load
from caer_ros.evaluation.benet.ask import Asking, stacked
from caer_ros.evaluation.benet.predictions import AtTruth
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.pictures_graph import PicturesGraph
from caer_ros.networks.benet.tasks import BACKGROUND, PERSON
from caer_ros.perception.fit_frame import fit_letterbox

BU_AND_PC = "mean of BU and PC"
ALL_THREE = "mean of BU, PC and BG"
LEARNED = "learned fusion"
# Probabilities nearer to 0 or 1 are taken for this, so that their logits stay finite.
_SMALL = 1e-6
_SCENE = -1


@dataclass(frozen=True, eq=False)
class HeadAnswers:
    """What the two heads say of N people of one picture.

    person: float [N, E], probabilities, of their cut-outs. background: float [N, E], of the picture
    without people, the same in every row. None where the network lacks the head.
    """

    person: np.ndarray | None
    background: np.ndarray | None


def ask_heads(graph: PicturesGraph, images: Images, asking: Asking) -> list[HeadAnswers]:
    """Answers for all pictures, every person true to the annotation, however much is covered.

    Cut-outs and pictures lie whole in `asking.size` pixels; with `flip`, mirrored ones are averaged
    in.

    Raises:
        InputError: a picture can not be read.
    """
    config = graph.network.config
    keys: list[tuple[int, int]] = []
    for index, record in enumerate(images.records):
        people = range(len(record.people)) if config.person else ()
        keys += [(index, k) for k in people] + ([(index, _SCENE)] if config.background else [])
    rows = [keys[k : k + asking.batch] for k in range(0, len(keys), asking.batch)]
    said: dict[tuple[int, int], np.ndarray] = {}
    for loaded, pixels in load(partial(_cut, images, asking.size), rows, asking.workers, stacked):
        # Pinning memory for a GPU makes lists of tuples.
        chosen = [(index, which) for index, which in loaded]
        answers = _probabilities(graph, pixels, chosen)
        if asking.flip:
            answers = (answers + _probabilities(graph, pixels.flip(2), chosen)) / 2
        said |= dict(zip(chosen, answers, strict=True))
    found = []
    for index, record in enumerate(images.records):
        count = len(record.people)
        person = np.stack([said[index, k] for k in range(count)]) if config.person else None
        scene = np.tile(said[index, _SCENE], (count, 1)) if config.background else None
        found.append(HeadAnswers(person, scene))
    return found


def refined(
    network: BENet, read: Sequence[AtTruth], heads: Sequence[HeadAnswers]
) -> Mapping[str, list[AtTruth]]:
    """Emotions by what was joined: plain means, and the learned fusion where there is one."""
    config = network.config
    found: dict[str, list[AtTruth]] = {}
    if config.person:
        found[BU_AND_PC] = [
            AtTruth((own.emotions + _there(more.person)) / 2)
            for own, more in zip(read, heads, strict=True)
        ]
    if config.person and config.background:
        found[ALL_THREE] = [
            AtTruth((own.emotions + _there(more.person) + _there(more.background)) / 3)
            for own, more in zip(read, heads, strict=True)
        ]
    if config.fusion == "learned":
        found[LEARNED] = [
            AtTruth(_fused(network, own, more)) for own, more in zip(read, heads, strict=True)
        ]
    return found


def fusion_inputs(read: AtTruth, heads: HeadAnswers) -> tuple[Tensor, Tensor, Tensor]:
    """What `BENet.fuse` takes of one picture's people: logits float32 [N, E], three times."""
    parts = (read.emotions, _there(heads.person), _there(heads.background))
    bottom_up, person, background = (_logits(part) for part in parts)
    return bottom_up, person, background


@torch.no_grad()
def _fused(network: BENet, read: AtTruth, heads: HeadAnswers) -> np.ndarray:
    device = next(network.parameters()).device
    inputs = [part.to(device) for part in fusion_inputs(read, heads)]
    return network.fuse(*inputs).sigmoid().cpu().numpy()


@torch.no_grad()
def _probabilities(
    graph: PicturesGraph, pixels: Tensor, keys: Sequence[tuple[int, int]]
) -> np.ndarray:
    """float32 [B, E] of people and scenes, in the order of the keys."""
    is_scene = np.array([which == _SCENE for _, which in keys])
    task = torch.from_numpy(np.where(is_scene, BACKGROUND, PERSON))
    output = graph(pixels.to(graph.normalize.scale.device), task)
    answers = np.empty((len(keys), output.person.shape[1]), np.float32)
    answers[~is_scene] = output.person.float().sigmoid().cpu().numpy()
    answers[is_scene] = output.background.float().sigmoid().cpu().numpy()
    return answers


def _cut(
    images: Images, size: int, key: tuple[int, int]
) -> list[tuple[tuple[int, int], np.ndarray]]:
    index, which = key
    boxes, pixels = Labels.of(images.records[index]).boxes, images.pixels(index)
    view = (
        mask_all_subjects(pixels, boxes)
        if which == _SCENE
        else extract_subject(pixels, boxes, which)
    )
    height, width = view.image.shape[:2]
    return [(key, fit_letterbox(width, height, size).apply(view.image))]


def _logits(probabilities: np.ndarray) -> Tensor:
    clipped = np.clip(probabilities.astype(np.float64), _SMALL, 1 - _SMALL)
    return torch.from_numpy(logit(clipped).astype(np.float32))


def _there(answers: np.ndarray | None) -> np.ndarray:
    if answers is None:
        raise InputError(
            "This BENet lacks the person or the background head.", "Use one that has both."
        )
    return answers
