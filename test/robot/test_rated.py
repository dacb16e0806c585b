"""A model that looks at some frames only, and what people keep of it between."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caer_ros.core import Box, EmotionEstimate, InputError, PersonEmotion
from caer_ros.perception import PipelineConfig, Scene
from caer_ros.perception.held import HeldEstimates
from caer_ros.perception.rated import Rated, Recall

NOW = 1_700_000_000.0
IMAGE = np.zeros((4, 4, 3), np.uint8)


class Inner:
    """A stage that remembers what it was asked."""

    def __init__(self):
        self.runs, self.applied, self.did = [], [], []

    def run(self, scenes, timings):
        self.runs.append([(scene.camera, scene.stamp) for scene in scenes])

    def apply(self, config):
        self.applied.append(config)

    def warm_up(self):
        self.did.append("warm_up")

    def run_bare(self, people):
        self.did.append(people)

    def close(self):
        self.did.append("close")


def rated(rate: float) -> tuple[Rated, Inner]:
    inner = Inner()
    return Rated(inner, PipelineConfig(body_rate_hz=rate)), inner


def show(stage: Rated, *stamps: float, camera: str = "") -> None:
    for stamp in stamps:
        stage.run([Scene(IMAGE, "bgr8", stamp, camera)], {})


def stamps_of(inner: Inner, camera: str = "") -> list[float]:
    return [stamp for run in inner.runs for name, stamp in run if name == camera]


# --- how often ---


def test_without_a_rate_every_frame_is_given_on():
    stage, inner = rated(0.0)
    show(stage, 1.0, 1.0, 0.5, 7.0)
    assert stamps_of(inner) == [1.0, 1.0, 0.5, 7.0]


@pytest.mark.parametrize("jitter", [0.0, 0.01])
def test_a_camera_of_thirty_gives_every_third_frame_at_a_rate_of_ten(jitter):
    stage, inner = rated(10.0)
    noise = np.random.default_rng(0).uniform(-jitter, jitter, 300)
    noise[0] = 0
    frames = NOW + np.arange(300) / 30 + noise
    show(stage, *frames.tolist())
    taken = np.searchsorted(frames, stamps_of(inner))
    assert taken[0] == 0
    assert set(np.diff(taken[1:])) == {3}


def test_a_camera_slower_than_the_rate_gives_every_frame():
    stage, inner = rated(10.0)
    show(stage, *[NOW + i / 4 for i in range(20)])
    assert len(stamps_of(inner)) == 20


def test_cameras_have_ticks_of_their_own_and_only_those_due_are_given_on():
    stage, inner = rated(1.0)
    for step in range(9):
        scenes = [Scene(IMAGE, "bgr8", NOW + step / 4, "left")]
        if step >= 2:
            scenes.append(Scene(IMAGE, "bgr8", NOW + step / 4, "right"))
        stage.run(scenes, {})
    runs = [[(camera, (stamp - NOW) * 4) for camera, stamp in run] for run in inner.runs]
    assert runs == [
        [("left", 0)],
        [("left", 2), ("right", 2)],
        [("right", 4)],
        [("left", 6)],
        [("right", 8)],
    ]


def test_stamps_that_repeat_or_go_back_a_little_are_not_due_and_far_back_all_is_new():
    stage, inner = rated(2.0)
    show(stage, NOW, NOW + 0.5, NOW + 0.5, NOW + 0.25, NOW - 0.25)
    assert stamps_of(inner) == [NOW, NOW + 0.5]
    show(stage, NOW - 100, NOW - 99.9, NOW - 99.5)
    assert stamps_of(inner)[2:] == [NOW - 100, NOW - 99.5]


@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=80), st.sampled_from([2.0, 5.0, 10.0]))
def test_never_more_frames_than_ticks(gaps, rate):
    stage, inner = rated(rate)
    frames = (np.cumsum(gaps) + NOW).tolist()
    show(stage, *frames)
    taken = stamps_of(inner)
    assert len(taken) <= (frames[-1] - frames[0]) * rate + 1.6
    # And never a tick and a half without a frame, where there is one.
    for early, late in zip(taken, [*taken[1:], frames[-1]], strict=True):
        between = [f for f in frames if early < f < late]
        assert not between or between[-1] - early < 1.001 / rate


def test_the_rate_changes_while_running():
    stage, inner = rated(1.0)
    show(stage, 0.0, 0.25)
    config = PipelineConfig(body_rate_hz=4.0)
    stage.apply(config)
    assert inner.applied == [config]
    show(stage, 0.5, 0.75, 1.0)
    stage.apply(replace(config, min_face=3.0))
    show(stage, 1.0, 1.25)
    assert stamps_of(inner) == [0.0, 0.5, 0.75, 1.0, 1.25]


def test_a_lower_rate_takes_effect_at_once():
    stage, inner = rated(10.0)
    show(stage, *[i / 10 for i in range(100)])
    stage.apply(PipelineConfig(body_rate_hz=1.0))
    show(stage, *[i / 10 for i in range(100, 120)])
    # The first frame after the change, and then one in the middle of each second from there.
    assert stamps_of(inner)[100:] == [10.0, 10.5, 11.5]


def test_everything_else_goes_to_the_stage_inside():
    stage, inner = rated(1.0)
    stage.warm_up()
    stage.run_bare(7)
    stage.close()
    assert inner.did == ["warm_up", 7, "close"]
    with pytest.raises(InputError, match="stamp is nan"):
        show(stage, float("nan"))
    assert inner.runs == []


# --- what stays between ---


def estimate(model: str, first: float) -> EmotionEstimate:
    return EmotionEstimate(model, ("a", "b"), np.array([first, 1 - first], np.float32))


def person(name: str, *estimates: EmotionEstimate) -> PersonEmotion:
    return PersonEmotion(face=Box(0, 0, 2, 2), estimates=estimates, track_id=name)


def recalled(memory, stamp: float, *people: PersonEmotion) -> tuple[PersonEmotion, ...]:
    scene = Scene(IMAGE, "bgr8", stamp, people=people, memory=memory)
    timings: dict[str, float] = {}
    Recall("bodies").run([scene], timings)
    assert set(timings) == {"track"}
    return scene.people


def test_people_with_ids_keep_what_one_model_said_of_them():
    memory = SimpleNamespace(held=HeldEstimates())
    fresh = (
        person("p1", estimate("bodies", 0.75), estimate("faces", 0.5)),
        person("p2", estimate("bodies", 0.25)),
        person("", estimate("bodies", 0.5)),
    )
    assert recalled(memory, NOW, *fresh) == fresh
    again = recalled(memory, NOW + 0.25, person("p2"), person("p1"), person(""), person("p3"))
    assert [p.track_id for p in again] == ["p2", "p1", "", "p3"]
    assert [[e.model for e in p.estimates] for p in again] == [["bodies"], ["bodies"], [], []]
    assert [p.estimates[0].top_label for p in again[:2]] == ["b", "a"]
    assert [p.estimates[0].lag for p in again[:2]] == [0.25, 0.25]


def test_what_was_recalled_does_not_count_as_new():
    memory = SimpleNamespace(held=HeldEstimates(forget_after=1.0))
    recalled(memory, NOW, person("p1", estimate("bodies", 0.75)))
    lags = []
    for step in range(1, 7):
        (shown,) = recalled(memory, NOW + step / 4, person("p1"))
        lags.append([e.lag for e in shown.estimates])
    assert lags == [[0.25], [0.5], [0.75], [1.0], [], []]


def test_cameras_do_not_share_what_they_hold():
    left, right = (SimpleNamespace(held=HeldEstimates()) for _ in range(2))
    recalled(left, NOW, person("p1", estimate("bodies", 0.75)))
    assert recalled(right, NOW, person("p1"))[0].estimates == ()


def test_the_heat_map_is_held_while_somebody_looks():
    recall, heat = Recall("benet"), np.ones((2, 2), np.float32)
    memory = SimpleNamespace(held=HeldEstimates())
    shown = []
    for stamp, found, looks in ((1.0, heat, True), (1.1, None, True), (1.2, None, False)):
        scene = Scene(np.zeros((8, 8, 3), np.uint8), "bgr8", stamp, want_maps=looks)
        scene.heat, scene.memory = found, memory
        recall.run([scene], {})
        shown.append(scene.heat)
    assert shown[0] is shown[1] is heat
    assert shown[2] is None
