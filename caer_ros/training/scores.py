"""How near the network is to the teacher on photographs and to the pose on renders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from caer_ros.datasets.people import People
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.inputs import CaerNetSGraph
from caer_ros.training.pools import Pool
from caer_ros.training.teacher import Teacher, ask_teacher

_BATCH = 32
# Crops uint8 [n, 96, 96, 3], scenes uint8 [m, 224, 224, 3], scene int64 [n] -> logits, face weight.
Predict = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def network_predict(network: CaerNetS) -> Predict:
    """The whole network in evaluation mode."""
    graph = CaerNetSGraph(network).eval()

    def predict(crops: Tensor, scenes: Tensor, scene: Tensor) -> tuple[Tensor, Tensor]:
        logits, fusion, _ = graph(crops, scenes, scene)
        return logits, fusion[:, 0]

    return predict


@torch.no_grad()
def _run(
    predict: Predict, crops: np.ndarray, scenes: np.ndarray, scene: np.ndarray
) -> tuple[Tensor, Tensor]:
    logits, weights = [], []
    for start in range(0, len(crops), _BATCH):
        used, inverse = np.unique(scene[start : start + _BATCH], return_inverse=True)
        batch = (crops[start : start + _BATCH], scenes[used], inverse)
        out = predict(*(torch.from_numpy(array) for array in batch))
        logits.append(out[0].float())
        weights.append(out[1].float())
    return torch.cat(logits), torch.cat(weights)


def score(
    predict: Predict, photographs: Pool, renders: Pool, teacher: Teacher
) -> dict[str, dict[str, float]]:
    """Scores on faces as the robot cuts them, without augmentation.

    photographs: agreement with the teacher's top label, its mean over the labels the teacher gives
    (balanced_agreement), divergence KL(teacher || network) in nats, chance (the agreement of always
    naming the teacher's commonest label), mean face weight.
    renders: accuracy against the pose, chance (its commonest label), mean face weight.
    """
    crops = photographs.faces.crops()
    logits, face_weight = _run(
        predict, crops, photographs.scenes, np.arange(len(crops)) % len(photographs.scenes)
    )
    wanted = ask_teacher(teacher, crops).log_softmax(dim=1)
    top = wanted.argmax(dim=1)
    same = (logits.argmax(dim=1) == top).float()
    divergence = (wanted.exp() * (wanted - logits.log_softmax(dim=1))).sum(dim=1).mean()
    rendered, render_weight = ask_renders(predict, renders)
    labels = torch.from_numpy(renders.faces.labels)
    return {
        "photographs": {
            "faces": len(crops),
            "agreement": _round(same.mean()),
            "balanced_agreement": _round(
                torch.stack([same[top == label].mean() for label in top.unique()]).mean()
            ),
            "divergence": _round(divergence),
            "chance": _round(torch.bincount(top, minlength=7).max() / len(top)),
            "face_weight": _round(face_weight.mean()),
        },
        "renders": {
            "faces": len(labels),
            "accuracy": _round((rendered.argmax(dim=1) == labels).float().mean()),
            "chance": _round(torch.bincount(labels, minlength=7).max() / len(labels)),
            "face_weight": _round(render_weight.mean()),
        },
    }


def ask_renders(predict: Predict, renders: Pool) -> tuple[Tensor, Tensor]:
    """Logits float [N, K] and face weights float [N] of rendered people, each in the own scene."""
    return _run(predict, renders.faces.crops(), renders.scenes, renders.faces.scene)


def _round(value: Tensor) -> float:
    return round(float(value), 4)


def checkpoint_probabilities(network: CaerNetS, people: People) -> np.ndarray:
    """float [N, K] of all people, by the network itself in evaluation mode."""
    predict = network_predict(network)
    logits, _ = _run(predict, people.faces, people.contexts, people.scene)
    return logits.softmax(dim=1).numpy()
