"""Ids that stay with people, from positions and stamps alone."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import Box, CaerError, InputError, PersonEmotion
from caer_ros.perception.box_motion import box_distances, motion
from caer_ros.perception.tracker_config import TrackerConfig
from caer_ros.perception.tracks import PeopleTracker

SIDE = 80.0


def box(x, y=200.0, side=SIDE):
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def faces(*centres):
    return [PersonEmotion(face=box(x)) for x in centres]


def ids(people):
    return [person.track_id for person in people]


def regular(rate, seconds, start=0.0):
    return start + np.arange(round(rate * seconds)) / rate


def irregular(rate, seconds, seed):
    gaps = np.random.default_rng(seed).uniform(0.2 / rate, 1.8 / rate, round(rate * seconds))
    return np.cumsum(gaps)


@pytest.fixture
def tracker():
    return make()


def make(**config):
    pytest.importorskip("norfair")
    return PeopleTracker(TrackerConfig(**config))


def follow(tracker, scene, stamps, noise=0.0, seed=0):
    """Ids given to each person of `scene(stamp) -> {name: x}` over time: {name: [id, ...]}."""
    rng = np.random.default_rng(seed)
    given = {}
    for stamp in stamps:
        seen = scene(stamp)
        centres = [x + rng.normal(0, noise * SIDE) for x in seen.values()]
        people = tracker.update(faces(*centres), float(stamp))
        for name, person in zip(seen, people, strict=True):
            given.setdefault(name, []).append(person.track_id)
    return given


# --- ids ---


def test_an_id_comes_with_the_second_sighting_and_stays(tracker):
    assert [ids(tracker.update(faces(100), t / 10)) for t in range(4)] == [[""]] + [["p1"]] * 3


@pytest.mark.parametrize(("hits", "before"), [(1, 0), (2, 1), (3, 2), (5, 4)])
def test_min_hits_counts_sightings(hits, before):
    given = follow(make(min_hits=hits), lambda t: {"a": 100}, regular(10, 1))["a"]
    assert given == [""] * before + ["p1"] * (10 - before)


def test_people_come_back_in_their_order_and_untouched_but_for_the_id(tracker):
    people = [*faces(500, 100), PersonEmotion(body=box(300, side=150))]
    tracker.update(people, 0.0)
    found = tracker.update(people, 0.1)
    assert [replace(p, track_id="") for p in found] == people
    assert len(set(ids(found))) == 3


def test_ids_do_not_depend_on_the_order_of_people(tracker):
    tracker.update(faces(100, 300, 500), 0.0)
    first = ids(tracker.update(faces(100, 300, 500), 0.1))
    assert ids(tracker.update(faces(500, 100, 300), 0.2)) == [first[2], first[0], first[1]]


def test_who_is_numbered_at_once_keeps_his_id_as_long_as_anybody():
    tracker = make(min_hits=1)
    assert ids(tracker.update(faces(100), 0.0)) == ["p1"]
    for stamp in regular(30, 1.5):
        tracker.update([], float(stamp))
    assert ids(tracker.update(faces(100), 1.5)) == ["p1"]


def test_prefixes_keep_cameras_apart():
    given = follow(make(prefix="left_"), lambda t: {"a": 100}, regular(10, 1))["a"]
    assert given[-1] == "left_1"


def test_nobody_is_no_error(tracker):
    assert tracker.update([], 0.0) == ()


# --- motion, frame rates, gaps ---


@pytest.mark.parametrize("rate", [3, 5, 10, 30])
@pytest.mark.parametrize("speed", [0, 100, 240])
def test_a_walker_keeps_his_id_at_every_frame_rate(tracker, rate, speed):
    given = follow(tracker, lambda t: {"a": 100 + speed * t}, regular(rate, 4), noise=0.03)
    assert set(given["a"]) <= {"", "p1"}
    assert given["a"][-1] == "p1"


@pytest.mark.parametrize("seed", range(5))
def test_a_walker_keeps_his_id_when_frames_come_irregularly(tracker, seed):
    # From 33 to 300 ms: three quarters of a face from frame to frame at most.
    stamps = irregular(6, 4, seed)
    given = follow(tracker, lambda t: {"a": 100 + 200 * t}, stamps, noise=0.03, seed=seed)
    assert set(given["a"]) <= {"", "p1"}


@pytest.mark.parametrize("rate", [5, 10, 30])
@pytest.mark.parametrize("speed", [0, 50, 100])
def test_half_a_second_hidden_while_walking_changes_nothing(tracker, rate, speed):
    def scene(t):
        return {} if 1.5 <= t < 2.0 else {"a": 100 + speed * t}

    given = follow(tracker, scene, regular(rate, 4), noise=0.02)
    assert set(given["a"]) <= {"", "p1"}


@pytest.mark.parametrize("rate", [5, 30])
def test_the_motion_model_knows_how_long_a_gap_was(rate):
    # By overlap alone: the place is 1.5 sides on, and expected 1.2 sides on as the speed fades.
    tracker = make(max_speed=0.0)
    follow(tracker, lambda t: {"a": 100 + 240 * t}, regular(rate, 2))
    last = 2 - 1 / rate
    assert ids(tracker.update(faces(100 + 240 * (last + 0.5)), last + 0.5)) == ["p1"]


@pytest.mark.parametrize("scale", [0.25, 10])
def test_the_size_of_the_image_makes_no_difference(scale):
    def expected(factor):
        tracker = make()
        for stamp, x in zip(regular(10, 1), (0, 9, 22, 28, 41, 49, 60, 70, 85, 93), strict=True):
            centre = (100 + x) * factor
            tracker.update([PersonEmotion(face=box(centre, 50 * factor, 80 * factor))], stamp)
        tracker.update([], 1.3)
        return tracker._trackers[1]._tracker.tracked_objects[0].estimate

    assert np.allclose(expected(scale), scale * expected(1.0))


@pytest.mark.parametrize("frames_in_the_gap", [0, 3, 30])
def test_frames_with_nobody_are_the_same_as_frames_that_were_dropped(tracker, frames_in_the_gap):
    given = follow(tracker, lambda t: {"a": 100 + 80 * t}, regular(10, 2))["a"]
    for stamp in np.linspace(1.95, 2.45, frames_in_the_gap):
        tracker.update([], float(stamp))
    again = tracker.update(faces(100 + 80 * 2.5), 2.5)
    assert ids(again) == [given[-1]] == ["p1"]


@pytest.mark.parametrize("rate", [4, 50])
@pytest.mark.parametrize(("away", "same"), [(0.9, True), (1.1, False)])
def test_the_time_out_is_in_seconds_at_every_frame_rate(rate, away, same):
    tracker = make(max_gap=1.0)
    follow(tracker, lambda t: {"a": 100}, regular(rate, 1))
    last = 1 - 1 / rate
    for stamp in regular(rate, away, start=1.0)[:-1]:
        tracker.update([], float(stamp))
    tracker.update(faces(100), last + away)
    again = ids(tracker.update(faces(100), last + away + 0.01))
    assert again == ["p1" if same else "p2"]


def test_who_comes_back_elsewhere_is_somebody_new(tracker):
    follow(tracker, lambda t: {"a": 100}, regular(10, 1))
    tracker.update(faces(100 + 3 * SIDE), 1.5)
    assert ids(tracker.update(faces(100 + 3 * SIDE), 1.6)) == ["p2"]


@pytest.mark.parametrize("rate", [10, 30])
@pytest.mark.parametrize("speed", [30, 60, 130])
@pytest.mark.parametrize("seed", range(3))
def test_people_who_cross_keep_their_ids(rate, speed, seed):
    stamps = regular(rate, 500 / (2 * speed))

    def scene(t):
        return {"a": 100 + speed * t, "b": 350 - speed * t}

    given = follow(make(), scene, stamps, noise=0.01, seed=seed)
    # While both boxes are the same but for the noise, nothing can tell them apart.
    apart = [abs(scene(t)["a"] - scene(t)["b"]) > 0.1 * SIDE for t in stamps]
    seen = {
        name: {i for i, far in zip(of, apart, strict=True) if far and i}
        for name, of in given.items()
    }
    assert seen == {"a": {"p1"}, "b": {"p2"}}


def test_people_who_pass_while_one_hides_the_other_keep_their_ids(tracker):
    def scene(t):
        a, b = 100 + 60 * t, 400 - 60 * t
        return {"a": a} if abs(a - b) < 0.6 * SIDE else {"a": a, "b": b}

    given = follow(tracker, scene, regular(15, 5), noise=0.01)
    assert len(set(given["a"]) - {""}) == len(set(given["b"]) - {""}) == 1


# --- faces and bodies ---


def whole(x, face=True, body=True):
    return PersonEmotion(
        face=box(x, 100, 40) if face else None, body=box(x, 250, 300) if body else None
    )


def test_a_person_is_held_by_the_face_while_the_body_is_not_found_and_the_other_way(tracker):
    given = []
    for frame in range(40):
        missing = frame // 5 % 4
        person = whole(100 + frame, face=missing != 1, body=missing != 3)
        given += ids(tracker.update([person], frame / 10))
    assert set(given[1:]) == {"p1"}


def test_a_face_that_gets_a_body_later_keeps_its_id(tracker):
    for frame in range(5):
        tracker.update([whole(100, body=False)], frame / 10)
    given = [ids(tracker.update([whole(100)], 0.5 + frame / 10)) for frame in range(5)]
    assert given == [["p1"]] * 5
    assert ids(tracker.update([whole(100, face=False)], 1.0)) == ["p1"]


def test_a_face_given_to_the_wrong_body_does_not_move_the_id(tracker):
    for frame in range(5):
        tracker.update([whole(100), whole(500)], frame / 10)
    left, right = whole(100), whole(500)
    swapped = [replace(left, face=right.face), replace(right, face=left.face)]
    assert ids(tracker.update(swapped, 0.5)) == ["p1", "p2"]
    assert ids(tracker.update([left, right], 0.6)) == ["p1", "p2"]


def test_a_face_that_turns_out_to_be_somebody_else_gets_an_id_of_its_own_and_keeps_it(tracker):
    for frame in range(5):
        tracker.update([whole(100)], frame / 10)
    parted = [whole(100, face=False), whole(100, body=False)]
    given = [ids(tracker.update(parted, 0.5 + frame / 10)) for frame in range(3)]
    assert given == [["p1", "p2"]] * 3


# --- stamps ---


def test_a_frame_that_comes_twice_gives_the_same_ids_and_moves_nobody(tracker):
    given = follow(tracker, lambda t: {"a": 100 + 100 * t, "b": 500}, np.repeat(regular(10, 2), 2))
    assert set(given["a"]) == {"", "p1"}
    assert set(given["b"]) == {"", "p2"}


def test_a_clock_that_stands_still_still_tracks_and_stays_bounded():
    tracker = make(max_tracks=8)
    rng = np.random.default_rng(0)
    for _ in range(200):
        flicker = 1000 + 5000 * rng.random()
        found = tracker.update(faces(100, flicker, flicker + 200), 0.0)
        assert len(tracker._trackers[1]) <= 8
    assert found[0].track_id == "p1"


def test_a_small_step_back_counts_as_no_time_and_time_goes_on_from_there(tracker):
    stamps = np.concatenate([regular(10, 2), regular(10, 2, start=1.0)])
    given = follow(tracker, lambda t: {"a": 100}, stamps)
    assert set(given["a"]) == {"", "p1"}
    # Seen last at 2.9: the two seconds of the time-out count from there.
    assert ids(tracker.update(faces(100), 4.85)) == ["p1"]


def test_a_step_back_moves_nobody_back(tracker):
    stamps = np.concatenate([regular(10, 2), regular(10, 2, start=1.0)])
    places = iter(100 + 20 * np.arange(40))
    given = follow(tracker, lambda t: {"a": next(places)}, stamps)
    assert set(given["a"]) == {"", "p1"}


def test_who_is_away_at_a_step_back_is_away_since_then(tracker):
    follow(tracker, lambda t: {"a": 100}, regular(10, 2.1))
    tracker.update([], 1.0)
    tracker.update(faces(100), 3.1)
    assert ids(tracker.update(faces(100), 3.2)) == ["p2"]


def test_a_recording_that_starts_again_makes_new_ids(tracker):
    scene = {"a": 100}
    first = follow(tracker, lambda t: scene, regular(10, 5, start=100))["a"]
    again = follow(tracker, lambda t: scene, regular(10, 5, start=100))["a"]
    assert set(first) == {"", "p1"}
    assert again == [""] + ["p2"] * 49


def test_a_jump_ahead_beyond_the_time_out_makes_new_ids(tracker):
    follow(tracker, lambda t: {"a": 100}, regular(10, 1))
    given = follow(tracker, lambda t: {"a": 100}, regular(10, 1, start=1e6))["a"]
    assert given == [""] + ["p2"] * 9


def test_stamps_since_1970_are_as_good_as_stamps_since_the_start():
    def scene(t):
        return {"a": 100 + 150 * (t % 1000), "b": 700 - 150 * (t % 1000)}

    now = follow(make(), scene, regular(30, 3, start=1_700_000_000), noise=0.02)
    assert now == follow(make(), scene, regular(30, 3), noise=0.02)


@pytest.mark.parametrize("stamp", [np.nan, np.inf, -np.inf])
def test_a_stamp_that_is_not_finite_is_refused_and_changes_nothing(tracker, stamp):
    follow(tracker, lambda t: {"a": 100}, regular(10, 1))
    with pytest.raises(InputError, match="stamp"):
        tracker.update(faces(100), stamp)
    assert ids(tracker.update(faces(100), 1.0)) == ["p1"]


@pytest.mark.parametrize("hits", [1, 2])
def test_reset_forgets_everybody_and_uses_no_id_again(hits):
    tracker = make(min_hits=hits)
    follow(tracker, lambda t: {"a": 100, "b": 400}, regular(10, 1))
    tracker.reset()
    given = follow(tracker, lambda t: {"a": 100}, regular(10, 1, start=1.0))
    assert given["a"] == [""] * (hits - 1) + ["p3"] * (11 - hits)


# --- whatever comes ---

centres = st.floats(0, 1000)
frames = st.lists(
    st.tuples(
        st.floats(-3, 3),
        st.lists(st.tuples(centres, st.booleans(), st.booleans()), max_size=5),
    ),
    max_size=12,
)


@given(frames)
@settings(max_examples=60, deadline=None)
def test_whatever_comes_no_two_people_of_a_frame_share_an_id_and_two_runs_agree(frames):
    trackers = make(max_gap=1.0), make(max_gap=1.0)
    stamp = 0.0
    for gap, people in frames:
        stamp += gap
        crowd = [whole(x, face, body or not face) for x, face, body in people]
        found = [ids(tracker.update(crowd, stamp)) for tracker in trackers]
        named = [name for name in found[0] if name]
        assert len(set(named)) == len(named)
        assert found[0] == found[1]
        for tracker in trackers:
            known = [set(part.numbers()) for part in tracker._trackers]
            assert all(set(names) <= known[i] for i, names in enumerate(tracker._names))


def test_60_people_who_stand_keep_60_ids(tracker):
    rng = np.random.default_rng(1)
    spots = [(x, y) for x in range(100, 1100, 100) for y in range(100, 700, 100)]
    given = []
    for frame in range(8):
        shaken = rng.normal(0, 2, (60, 2)) + spots
        people = [PersonEmotion(face=box(x, y, 60)) for x, y in shaken]
        given.append(ids(tracker.update(people, frame / 15)))
    assert given[1] == given[-1]
    assert len(set(given[-1])) == 60


def test_people_who_left_leave_nothing_behind(tracker):
    for frame in range(100):
        x = 1000.0 * (frame // 2)
        tracker.update(faces(x), float(frame))
    assert len(tracker._trackers[1]) <= 3
    assert len(tracker._names[1]) <= 3


# --- the parts ---


@given(st.floats(0, 5), st.floats(0, 5))
def test_two_steps_of_the_motion_model_are_one_of_their_sum(first, second):
    a, noise_a = motion(first)
    b, noise_b = motion(second)
    whole_step, whole_noise = motion(first + second)
    assert np.allclose(b @ a, whole_step, atol=1e-9)
    assert np.allclose(b @ noise_a @ b.T + noise_b, whole_noise, atol=1e-9)


def test_no_time_moves_nothing_and_adds_no_doubt():
    transition, noise = motion(0.0)
    assert np.array_equal(transition, np.eye(8))
    assert not noise.any()


def test_a_speed_that_is_not_seen_any_more_fades():
    state = np.array([0.0, 0, 0, 0, 100, 0, 0, 0])
    # 100 pixels a second for ever smaller times: 63 pixels after a second, never more than 100.
    assert (motion(1.0)[0] @ state)[0] == pytest.approx(100 * (1 - np.exp(-1)))
    assert (motion(60.0)[0] @ state)[0] == pytest.approx(100)


def test_the_noise_keeps_its_meaning_for_short_steps():
    # White noise of density 2 on the speed: variances 2 t^3 / 3, 2 t^2 / 2 and 2 t.
    noise = motion(1e-3)[1]
    assert noise[0, 0] == pytest.approx(2e-9 / 3, rel=2e-3)
    assert noise[0, 4] == pytest.approx(1e-6, rel=2e-3)
    assert noise[4, 4] == pytest.approx(2e-3, rel=2e-3)


def test_distances_of_the_hand_computed_boxes():
    expected = np.array([[0.0, 0, 100, 100]])
    seen = np.array(
        [
            [0.0, 0, 100, 100],
            [50, 0, 150, 100],  # IoU 1/3
            [90, 0, 190, 100],  # IoU 1/19, below the least; 90 of 3 x 0.4 sides = 120 pixels
            [110, 0, 210, 100],  # 110 of 120
            [130, 0, 230, 100],  # out of reach
            [75, 45, 85, 55],  # a hundredth of the area, IoU 1/100
        ]
    )
    found = box_distances(seen, expected, np.array([0.4]), 0.2, 3.0)[:, 0]
    # Half of the absence of 0.4 s is on top of each.
    assert found - 0.2 == pytest.approx([0, 2 / 3, 1.75, 1 + 11 / 12, np.inf, np.inf])


def test_of_two_people_at_one_place_he_who_was_seen_last_is_nearer():
    place = np.array([[0.0, 0, 10, 10]])
    found = box_distances(place, place.repeat(3, axis=0), np.array([0.1, 0.5, 9]), 0.2, 3.0)
    assert found[0] == pytest.approx([0.05, 0.25, 0.5])


def test_nobody_is_the_same_person_beyond_two_sides_however_long_he_was_away():
    seen = np.array([[19.0, 0, 29, 10], [21.0, 0, 31, 10]])
    found = box_distances(seen, np.array([[0.0, 0, 10, 10]]), np.array([60.0]), 0.2, 3.0)
    assert np.isfinite(found[:, 0]).tolist() == [True, False]


def test_without_reach_only_an_overlap_counts():
    boxes = np.array([[0.0, 0, 10, 10], [10.0, 0, 20, 10]])
    found = box_distances(boxes, boxes, np.zeros(2), 0.0, 3.0)
    assert np.array_equal(found, [[0, np.inf], [np.inf, 0]])


def test_an_expected_box_without_area_is_no_error():
    lost = np.array([[9.0, 9, 1, 1]])
    found = box_distances(np.array([[0.0, 0, 10, 10]]), lost, np.ones(1), 0.2, 3.0)
    assert not np.isnan(found).any()


# --- switching off, and the library missing ---


def test_switched_off_it_gives_no_ids_and_needs_no_library(monkeypatch):
    without_norfair(monkeypatch)
    people = faces(100)
    assert PeopleTracker(TrackerConfig(enabled=False)).update(people, 0.0) == tuple(people)


def test_a_missing_library_is_an_error_that_says_what_to_install(monkeypatch):
    without_norfair(monkeypatch)
    with pytest.raises(CaerError, match="norfair-enough") as error:
        PeopleTracker()
    assert "tracking" in error.value.remedy


def without_norfair(monkeypatch):
    for name in ("box_tracker", "light_norfair"):
        monkeypatch.delitem(sys.modules, f"caer_ros.perception.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "norfair", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_gap": 0.0},
        {"min_hits": 0},
        {"min_iou": -0.1},
        {"max_speed": -1.0},
        {"max_tracks": 0},
        {"max_gap": float("nan")},
        {"prefix": "1"},
        {"prefix": ""},
        {"prefix": "a/b"},
    ],
)
def test_configurations_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        TrackerConfig(**wrong)


def test_nobody_is_missed_by_a_frame_in_which_no_body_was_sought():
    tracker = PeopleTracker(TrackerConfig(min_hits=2))
    body = Box(10, 10, 60, 160)
    ids = []
    for frame in range(9):
        sought = frame % 3 == 0
        people = [PersonEmotion(body=body)] if sought else []
        found = tracker.update(people, frame / 30, sought)
        ids += [person.track_id for person in found]
    assert ids == ["", "p1", "p1"]


def test_tracking_does_not_load_scipy_stats_and_leaves_it_to_others():
    code = (
        "import sys; from caer_ros.perception.tracks import PeopleTracker; PeopleTracker();"
        "assert 'norfair' in sys.modules; assert 'scipy.stats' not in sys.modules;"
        "from scipy.stats import multivariate_normal; print(multivariate_normal.logpdf(0.0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(-0.9189385, abs=1e-6)
