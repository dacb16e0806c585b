"""Judges of single streams, and gates that learn how sure each stream is."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from caer_ros.core import InputError
from caer_ros.networks.people_graph import PeopleGraph
from caer_ros.networks.registry import build_network
from caer_ros.training.judges import JudgedGraph, gates_loss, judges_loss


def logits_of(*probabilities: float) -> torch.Tensor:
    return torch.tensor([probabilities]).log()


def pictures(people: int = 4) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(3)
    faces = torch.randint(0, 256, (people, 32, 32, 3), dtype=torch.uint8)
    contexts = torch.randint(0, 256, (people, 48, 48, 3), dtype=torch.uint8)
    return faces, contexts, torch.arange(people), torch.ones(people, dtype=torch.bool)


def test_judges_loss_by_hand() -> None:
    loss = judges_loss(logits_of(0.8, 0.2), logits_of(0.4, 0.6), torch.tensor([0]))
    assert loss.item() == pytest.approx(-math.log(0.8) - math.log(0.4), abs=1e-5)


def test_gates_loss_by_hand() -> None:
    loss = gates_loss(torch.tensor([[0.7, 0.3]]), logits_of(0.8, 0.2), logits_of(0.4, 0.6))
    # Odds 4 to 1.5, whoever is right: the face should have 4 / 5.5 of the weight.
    wanted = 4 / 5.5
    expected = -wanted * math.log(0.7) - (1 - wanted) * math.log(0.3)
    assert loss.item() == pytest.approx(expected, abs=1e-5)


def test_weights_move_to_the_surer_stream() -> None:
    weights = torch.tensor([[0.5, 0.5], [0.5, 0.5]], requires_grad=True)
    face = torch.cat([logits_of(0.9, 0.1), logits_of(0.5, 0.5)])
    context = torch.cat([logits_of(0.3, 0.7), logits_of(0.3, 0.7)])
    gates_loss(weights, face, context).backward()
    assert weights.grad is not None
    toward_face = weights.grad[:, 1] - weights.grad[:, 0]
    assert toward_face[0] > 0
    assert toward_face[1] < 0


def test_gates_come_back_from_one_stream() -> None:
    """A softmax at its end has no gradient of its own; this loss has one all the same."""
    scores = torch.tensor([[12.0, 0.0]], requires_grad=True)
    gates_loss(scores.softmax(1), logits_of(0.5, 0.5), logits_of(0.9, 0.1)).backward()
    assert scores.grad is not None
    assert scores.grad[0, 0].item() == pytest.approx(0.9, abs=0.01)


def test_certain_judges_give_finite_losses() -> None:
    sure = torch.tensor([[100.0, 0.0]])
    assert torch.isfinite(gates_loss(torch.tensor([[0.5, 0.5]]), sure, sure))


def test_weights_teach_no_judge() -> None:
    opinion = logits_of(0.9, 0.1).requires_grad_()
    weights = torch.tensor([[0.5, 0.5]], requires_grad=True)
    gates_loss(weights, opinion, logits_of(0.3, 0.7)).backward()
    assert weights.grad is not None
    assert opinion.grad is None


def test_people_without_a_face_teach_the_context_only() -> None:
    scores = torch.tensor([[0.0, 0.0], [float("-inf"), 0.0]], requires_grad=True)
    face = torch.cat([logits_of(0.9, 0.1)] * 2).requires_grad_()
    context = torch.cat([logits_of(0.6, 0.4)] * 2)
    present = torch.tensor([True, False])
    loss = judges_loss(face, context, torch.tensor([0, 0]), present)
    loss = loss + gates_loss(scores.softmax(1), face, context, present)
    loss.backward()
    assert loss.item() == pytest.approx(-math.log(0.9) - math.log(0.6) + math.log(2), abs=1e-5)
    assert scores.grad is not None
    assert face.grad is not None
    assert torch.isfinite(scores.grad).all()
    assert (face.grad[1] == 0).all()


def test_classification_takes_the_weights_as_they_are() -> None:
    graph = JudgedGraph(build_network("caer_net_s", dropout=0.0)).train()
    faces, contexts, scene, present = pictures()
    label = torch.tensor([0, 1, 2, 3])
    output, gates = graph(faces, contexts, scene, present, label=label)
    gates.backward(retain_graph=True)
    network = graph.network
    before = [p.grad.clone() for p in network.fusion.face_gate.parameters()]
    functional.cross_entropy(output.logits, label).backward()
    after = [p.grad for p in network.fusion.face_gate.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(p.grad is not None for p in network.fusion.classifier.parameters())


def test_gates_move_no_stream() -> None:
    """What a face looks like must not depend on how much it is to count."""
    graph = JudgedGraph(build_network("caer_net_s", dropout=0.0)).train()
    for judge in (graph.face_judge, graph.context_judge):
        nn.init.zeros_(judge.weight)
    faces, contexts, scene, present = pictures()
    graph(faces, contexts, scene, present, label=torch.arange(4))[1].backward()
    assert any(p.grad.abs().sum() > 0 for p in graph.network.fusion.face_gate.parameters())
    assert all((p.grad == 0).all() for p in graph.network.face_encoder.parameters())


def test_evaluates_like_any_other_network() -> None:
    network = build_network("caer_net_s").eval()
    seen = pictures()
    with torch.inference_mode():
        judged, plain = JudgedGraph(network).eval()(*seen), PeopleGraph(network).eval()(*seen)
    assert torch.equal(judged.logits, plain.logits)
    assert torch.equal(judged.fusion, plain.fusion)


def test_without_gates_the_judges_teach_their_streams() -> None:
    graph = JudgedGraph(build_network("caer_net_s", fusion="concat")).train()
    seen = pictures()
    output, more = graph(*seen, label=torch.arange(4))
    more.backward()
    assert output.logits.shape == (4, 7)
    assert all(p.grad is not None for p in graph.network.context_encoder.parameters())


@pytest.mark.parametrize("streams", ["face", "context"])
def test_one_stream_is_refused(streams: str) -> None:
    with pytest.raises(InputError, match="no two streams"):
        JudgedGraph(build_network("caer_net_s", streams=streams))
