"""Many people in one image."""

from __future__ import annotations


def test_twenty_faces_are_twenty_people(stage, crowd):
    stage.active_node(detector_size=640, max_people=32)
    answer = stage.probe.ask(crowd)
    assert answer is not None
    assert len(answer.people) == 20
    assert all(len(person.estimates) == 1 for person in answer.people)


def test_more_people_than_allowed_are_cut_off_with_a_warning(stage, crowd):
    node = stage.active_node(detector_size=640, max_people=5)
    answer = stage.probe.ask(crowd)
    assert answer is not None
    assert len(answer.people) == 5
    assert stage.probe.until(lambda: "max_people is 5" in node.output, 3.0)
