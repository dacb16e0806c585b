"""Judges of single streams, in training only: no stream starves, and the gates learn certainty.

By the paper the fusion's gates (section 3.2.2, eq. 5) learn from the classification loss alone.
That loss does not ask them to follow a face's ambiguity: each stream can say how sure it is by the
vector it hands over, and the classifier has all it needs whatever the weights are. So the weights
stay where they start, or run off to the stream that is learnt first and starve the other one.
docs/ablation.md shows both.

Here two linear judges name the label from one stream each. They train their streams (deep
supervision; Lee et al., AISTATS 2015), and the gates learn to weigh the streams by the odds that
the one judge is right and the other is not, going by their own confidences c:
λ_face / λ_context = c_face (1 - c_context) / (c_context (1 - c_face)). That is the form of eq. 5,
with each gate's score the logit of its stream's confidence. The classifier takes the weights as
they are and does not move them. The network, its parameters and its cost on a robot are the same
as without.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from caer_ros.core import InputError
from caer_ros.networks.blocks import FEATURES, AdaptiveFusion
from caer_ros.networks.interface import EmotionNetwork, NetworkOutput
from caer_ros.networks.people_graph import PeopleGraph
from caer_ros.networks.two_stream import TwoStream

# Nobody is surer than this, and odds stay finite.
_MOST = 0.98


class JudgedGraph(PeopleGraph):
    """A PeopleGraph with a judge for each stream. Without `label` it is a PeopleGraph.

    Raises:
        InputError: the network has no two streams.
    """

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__(network)
        if not (isinstance(network, TwoStream) and network.reads_face and network.reads_context):
            raise InputError(
                "The recipe asks for judges, and the network has no two streams to judge.",
                "Set judges to false, or take caer_net_s or caer_net with streams: both.",
            )
        classes = network.config.num_classes
        self.face_judge = nn.Linear(FEATURES, classes)
        self.context_judge = nn.Linear(FEATURES, classes)

    def forward(  # type: ignore[override]
        self,
        face: Tensor,
        context: Tensor,
        scene: Tensor,
        face_present: Tensor | None = None,
        label: Tensor | None = None,
    ) -> NetworkOutput | tuple[NetworkOutput, Tensor]:
        """As PeopleGraph; with `label` int64 [N] also the loss of judges and gates, a scalar."""
        if label is None:
            return super().forward(face, context, scene, face_present)
        network = self.network
        contexts, attention = network.encode_context(self.normalize(context))
        faces, contexts = network.encode_face(self.normalize(face)), contexts[scene]
        opinions = self.face_judge(faces), self.context_judge(contexts)
        loss = judges_loss(*opinions, label, face_present)
        if not isinstance(network.fusion, AdaptiveFusion):
            logits, weights = network.fusion(faces, contexts, face_present)
            return NetworkOutput(logits, weights, attention), loss
        weights = network.fusion.weigh(faces.detach(), contexts.detach(), face_present)
        logits = network.fusion.classify(faces, contexts, weights.detach())
        loss = loss + gates_loss(weights, *opinions, face_present)
        return NetworkOutput(logits, weights, attention), loss


def judges_loss(
    face_logits: Tensor, context_logits: Tensor, label: Tensor, face_present: Tensor | None = None
) -> Tensor:
    """Cross entropies of both judges, a scalar.

    Args:
        face_logits, context_logits: float [N, K], the judges' opinions.
        label: int64 [N].
        face_present: bool [N] or None; the face's judge learns from faces that are there only.
    """
    face = functional.cross_entropy(face_logits.float(), label, reduction="none")
    context = functional.cross_entropy(context_logits.float(), label)
    return _mean(face, face_present) + context


def gates_loss(
    weights: Tensor,
    face_logits: Tensor,
    context_logits: Tensor,
    face_present: Tensor | None = None,
) -> Tensor:
    """Cross entropy of weights [N, 2] against the judges' odds, a scalar; reaches the weights only.

    Whoever has no face teaches nothing: his weights are fixed.
    """
    odds = torch.stack([_confidence(face_logits), _confidence(context_logits)], dim=1).logit()
    if face_present is not None:
        # An absent face's weight is 0; its logarithm must not meet the gradient.
        weights = torch.where(face_present[:, None], weights, torch.full_like(weights, 0.5))
    entropy = -(odds.softmax(dim=1) * weights.float().clamp_min(1e-8).log()).sum(dim=1)
    return _mean(entropy, face_present)


def _mean(values: Tensor, present: Tensor | None) -> Tensor:
    return (
        values.mean() if present is None else (values * present).sum() / present.sum().clamp_min(1)
    )


def _confidence(logits: Tensor) -> Tensor:
    return logits.detach().float().softmax(dim=1).amax(dim=1).clamp_max(_MOST)
