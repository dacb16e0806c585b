"""Clips of 16 pictures a person, at ten a second by the camera's stamps."""

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import InputError
from caer_ros.perception.clip_buffer import ClipBuffer
from caer_ros.perception.clip_config import ClipConfig
from caer_ros.perception.frame_ring import FrameRing

FACE, CONTEXT = 8, 12


def make(**config):
    return ClipBuffer(ClipConfig(face_size=FACE, context_size=CONTEXT, **config))


class Camera:
    """Feeds a buffer with pictures whose grey says which frame and person they are of."""

    def __init__(self, buffer):
        self.buffer = buffer
        self.frame = 0
        self.taken = []
        self.clips = []  # (stamp, id, face greys, context greys)

    def show(self, stamp, *names):
        """Greys: the context's is the frame's number, a face's that plus 100 for the second person
        and so on."""
        wanted = self.buffer.wants(stamp)
        context = np.full((CONTEXT, CONTEXT, 3), self.frame % 256, np.uint8)
        faces = np.zeros((len(names), FACE, FACE, 3), np.uint8)
        for place in range(len(names)):
            faces[place] = (self.frame + 100 * place) % 256
        due = self.buffer.add(stamp, context, names, faces)
        assert wanted or not due
        if wanted:
            self.taken.append(self.frame)
        if due:
            out, scene = self.outputs(len(due))
            self.buffer.gather(due, out, scene)
            for name, clip in zip(due, out, strict=True):
                self.clips.append((stamp, name, greys(clip), greys(scene)))
        self.frame += 1
        return due

    def outputs(self, people):
        frames = self.buffer.config.frames
        return (
            np.zeros((people, frames, FACE, FACE, 3), np.uint8),
            np.zeros((frames, CONTEXT, CONTEXT, 3), np.uint8),
        )


def greys(clip):
    assert (clip == clip[:, :1, :1, :1]).all()
    return clip[:, 0, 0, 0].tolist()


@pytest.fixture
def camera():
    return Camera(make())


def test_the_hand_made_case_at_ten_frames_a_second(camera):
    for frame in range(40):
        camera.show(frame / 10, "p1")
    # First after 16 frames, then with every eighth tick: 15, then 16 and 24 and 32.
    assert [stamp for stamp, *_ in camera.clips] == [1.5, 1.6, 2.4, 3.2]
    for stamp, name, faces, contexts in camera.clips:
        last = round(stamp * 10)
        assert name == "p1"
        assert faces == contexts == list(range(last - 15, last + 1))


def test_clips_of_all_people_end_together_and_share_one_context(camera):
    for frame in range(64):
        names = ("p1",) if frame < 5 else ("p1", "p2")
        camera.show(frame / 10, *names)
    stamps = {"p1": [], "p2": []}
    for stamp, name, faces, contexts in camera.clips:
        stamps[name].append(stamp)
        ahead = 100 if name == "p2" else 0
        assert faces == [(grey + ahead) % 256 for grey in contexts]
    # The second person's first clip comes as soon as it can, all others on the common ticks.
    assert stamps["p2"][0] == 2.0
    assert stamps["p2"][1:] == stamps["p1"][2:] == [2.4, 3.2, 4.0, 4.8, 5.6]


# --- sampling ---


@pytest.mark.parametrize("fps", [10, 12.5, 15, 24, 25, 29.97, 30, 50, 60, 120])
@pytest.mark.parametrize("start", [0.0, 1_700_000_000.123])
def test_every_tick_gets_a_frame_at_most_half_a_tick_away(fps, start):
    camera = Camera(make())
    for frame in range(round(4 * fps)):
        camera.show(start + frame / fps, "p1")
    stamps = np.array(camera.taken) / fps
    assert len(stamps) in (40, 41)
    assert np.abs(stamps - np.arange(len(stamps)) / 10).max() < 0.0501


@pytest.mark.parametrize("fps", [10, 12.5, 15, 24, 25, 30, 50])
def test_frames_are_spaced_as_in_training(fps):
    camera = Camera(make())
    for frame in range(round(20 * fps)):
        camera.show(frame / fps, "p1")
    # Training: the frame on display at every tenth of a second.
    trained = np.floor(np.arange(200) * fps / 10 + 1e-9)
    found = np.diff(camera.taken[1:100])
    assert set(found) == set(np.diff(trained))
    assert abs(found.mean() - fps / 10) < 0.05


@pytest.mark.parametrize("fps", [10, 30])
@pytest.mark.parametrize("seed", range(3))
def test_a_camera_that_jitters_skips_no_tick_and_fills_none_twice(fps, seed):
    jitter = np.random.default_rng(seed).uniform(-0.01, 0.01, 20 * fps)
    jitter[0] = 0
    camera = Camera(make())
    for frame in range(20 * fps):
        camera.show(frame / fps + jitter[frame], "p1")
    gaps = np.diff(camera.taken[1:])
    assert (gaps == fps // 10).all()


def test_frames_between_ticks_are_not_wanted(camera):
    assert [camera.buffer.wants(0.0), camera.show(0.0, "p1")] == [True, ()]
    assert [camera.buffer.wants(t) for t in (0.0, 0.02, 0.04, 0.06)] == [False, False, False, True]


def test_a_slow_camera_repeats_each_frame_as_in_training(camera):
    for frame in range(20):
        camera.show(frame / 5, "p1")
    # Two tenths a frame: tick 2k is frame k, tick 2k + 1 still is.
    faces = camera.clips[-1][2]
    last = faces[-1]
    assert faces == [last - (16 - i) // 2 for i in range(16)]


# --- gaps ---


def test_ticks_without_a_frame_repeat_the_nearest_earlier_one(camera):
    for frame in (*range(10), *range(13, 20)):
        camera.show(frame / 10, "p1")
    shown = camera.clips[0][2]
    assert shown == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 10, 11, 12]
    assert camera.clips[0][3] == shown


def test_half_a_second_without_the_person_repeats_his_face_but_not_the_context(camera):
    for frame in range(25):
        camera.show(frame / 10, *([] if 10 <= frame < 15 else ["p1"]))
    stamp, _, faces, contexts = camera.clips[0]
    assert stamp == 1.5
    assert faces == [*range(10), 9, 9, 9, 9, 9, 15]
    assert contexts == list(range(16))


@pytest.mark.parametrize(("missing", "first"), [(5, 1.5), (6, 3.1)])
def test_a_person_who_is_away_for_longer_than_the_limit_starts_anew(missing, first):
    camera = Camera(make(max_repeat=5))
    for frame in range(40):
        camera.show(frame / 10, *([] if 10 <= frame < 10 + missing else ["p1"]))
    assert camera.clips[0][0] == first


@pytest.mark.parametrize(("missing", "first"), [(5, 1.5), (6, 3.1)])
def test_a_camera_that_stops_for_longer_than_the_limit_starts_everybody_anew(missing, first):
    camera = Camera(make(max_repeat=5))
    for frame in range(40):
        if not 10 <= frame < 10 + missing:
            camera.show(frame / 10, "p1")
    assert camera.clips[0][0] == pytest.approx(first)


def test_a_clip_that_falls_due_while_nobody_looks_comes_with_the_next_picture(camera):
    for frame in range(40):
        camera.show(frame / 10, *([] if frame == 24 else ["p1"]))
    assert [stamp for stamp, *_ in camera.clips] == [1.5, 1.6, 2.5, 3.2]


# --- ids ---


def test_a_new_id_for_the_same_person_starts_empty_and_mixes_nobody(camera):
    for frame in range(12):
        camera.show(frame / 10, "p1")
    for frame in range(12, 40):
        camera.show(frame / 10, "p2")
    assert {name for _, name, *_ in camera.clips} == {"p2"}
    assert camera.clips[0][0] == 2.7
    assert camera.clips[0][2] == list(range(12, 28))
    assert len(camera.buffer) == 1


def test_two_people_whose_ids_are_exchanged_are_followed_by_id(camera):
    for frame in range(32):
        camera.show(frame / 10, *(("p1", "p2") if frame < 20 else ("p2", "p1")))
    clip = {name: faces for stamp, name, faces, _ in camera.clips if stamp == 2.4}
    # Place 0 of the list has greys below 100.
    assert [grey >= 100 for grey in clip["p1"]] == [False] * 11 + [True] * 5
    assert [grey >= 100 for grey in clip["p2"]] == [True] * 11 + [False] * 5


def test_people_without_an_id_are_passed_over(camera):
    for frame in range(20):
        camera.show(frame / 10, "", "p1", "")
    assert {name for _, name, *_ in camera.clips} == {"p1"}
    assert len(camera.buffer) == 1


# --- stamps ---


def test_stamps_that_go_back_a_little_are_ignored(camera):
    stamps = [0.0, 0.1, 0.2, 0.3, 0.15, 0.3, 0.0, 0.4]
    for stamp in stamps:
        camera.show(stamp, "p1")
    assert camera.taken == [0, 1, 2, 3, 7]


def test_a_recording_that_starts_again_starts_everybody_anew(camera):
    for frame in range(15):
        camera.show(100 + frame / 10, "p1")
    for frame in range(16):
        assert not camera.clips
        camera.show(50 + frame / 10, "p1")
    assert camera.clips[0][2] == list(range(15, 31))


def test_a_jump_ahead_starts_everybody_anew(camera):
    for frame in range(15):
        camera.show(frame / 10, "p1")
    for frame in range(16):
        assert not camera.clips
        camera.show(1e6 + frame / 10, "p1")
    assert camera.clips[0][2] == list(range(15, 31))


def test_after_a_jump_ticks_are_counted_from_the_new_first_frame(camera):
    camera.show(0.0, "p1")
    camera.show(100.04, "p1")
    assert [camera.buffer.wants(t) for t in (100.06, 100.08, 100.1)] == [False, False, True]


def test_a_frame_that_comes_twice_or_a_clock_that_stands_still_changes_nothing(camera):
    for frame in range(20):
        camera.show(frame / 10, "p1")
        camera.show(frame / 10, "p1")
    assert camera.clips[0][2] == list(range(0, 32, 2))
    for _ in range(100):
        assert not camera.buffer.wants(1.9)


@pytest.mark.parametrize("stamp", [np.nan, np.inf, -np.inf])
def test_a_stamp_that_is_not_finite_is_refused(camera, stamp):
    camera.show(0.0, "p1")
    for call in (camera.buffer.wants, lambda s: camera.show(s, "p1")):
        with pytest.raises(InputError, match="stamp"):
            call(stamp)


# --- whatever comes ---

gaps = st.floats(-2, 2) | st.floats(0, 0.2)
crowds = st.lists(st.sampled_from(["p1", "p2", "p3", ""]), max_size=4)


@given(st.lists(st.tuples(gaps, crowds), max_size=60), st.integers(1, 8), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_clips_are_of_one_person_in_order_and_end_now(frames, length, hop):
    """Greys name the person and rise with time, so a clip of one person has to be in order."""
    buffer = make(frames=length, hop=hop, max_people=2)
    stamp = 0.0
    for number, (gap, names) in enumerate(frames, 1):
        stamp += gap
        names = list(dict.fromkeys(names))
        context = np.full((CONTEXT, CONTEXT, 3), number, np.uint8)
        faces = np.zeros((len(names), FACE, FACE, 3), np.uint8)
        faces[..., 0] = number
        faces[..., 1] = np.array([len(n) and ord(n[-1]) for n in names], np.uint8)[:, None, None]
        due = buffer.add(stamp, context, names, faces)
        out = np.zeros((len(due), length, FACE, FACE, 3), np.uint8)
        scene = np.zeros((length, CONTEXT, CONTEXT, 3), np.uint8)
        buffer.gather(due, out, scene)
        assert len(buffer) <= 2
        for name, clip in zip(due, out, strict=True):
            assert (clip[..., 1] == ord(name[-1])).all()
            times = clip[:, 0, 0, 0].astype(int)
            assert (np.diff(times) >= 0).all()
            assert times[-1] == number
            # A face is the frame's own or an earlier one's, never a later one's.
            assert (times <= scene[:, 0, 0, 0]).all()


# --- memory ---


def test_60_people_of_full_size_take_the_bytes_that_are_promised():
    buffer = ClipBuffer(ClipConfig(max_people=60))
    context = np.zeros((112, 112, 3), np.uint8)
    faces = np.zeros((60, 96, 96, 3), np.uint8)
    names = [f"p{i}" for i in range(60)]
    for frame in range(16):
        due = buffer.add(frame / 10, context, names, faces)
    assert len(due) == len(buffer) == 60
    assert buffer.nbytes == 16 * 3 * (112**2 + 60 * 96**2) == 27_144_192


def test_memory_stays_bounded_while_people_come_and_go():
    buffer = make(max_people=5)
    ring = 16 * FACE * FACE * 3
    context = np.zeros((CONTEXT, CONTEXT, 3), np.uint8)
    for frame in range(300):
        names = [f"p{frame // 7}-{i}" for i in range(8)]
        buffer.add(frame / 10, context, names, np.zeros((8, FACE, FACE, 3), np.uint8))
        assert len(buffer) <= 5
        assert buffer.nbytes <= 16 * 3 * CONTEXT**2 + (5 + 4) * ring
        assert buffer.left_out >= 3
    for frame in range(300, 310):
        buffer.add(frame / 10, context, [], np.zeros((0, FACE, FACE, 3), np.uint8))
    assert len(buffer) == 0
    assert buffer.nbytes <= 16 * 3 * CONTEXT**2 + 4 * ring


def test_no_picture_memory_is_made_while_the_same_people_are_there():
    buffer = ClipBuffer()
    context = np.zeros((112, 112, 3), np.uint8)
    faces = np.zeros((3, 96, 96, 3), np.uint8)
    out = np.zeros((3, 16, 96, 96, 3), np.uint8)
    scene = np.zeros((16, 112, 112, 3), np.uint8)
    names = ["p1", "p2", "p3"]

    def run(frames):
        for frame in frames:
            due = buffer.add(frame / 10, context, names, faces)
            buffer.gather(due, out, scene)

    run(range(20))
    gc.collect()
    tracemalloc.start()
    try:
        run(range(20, 60))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 96 * 96 * 3  # less than one picture


def test_people_beyond_the_limit_are_counted_and_get_in_when_somebody_leaves():
    camera = Camera(make(max_people=1))
    for frame in range(10):
        camera.show(frame / 10, "p1", "p2")
        assert camera.buffer.left_out == 1
    for frame in range(10, 40):
        camera.show(frame / 10, "p2")
    assert camera.buffer.left_out == 0
    assert {name for _, name, *_ in camera.clips} == {"p2"}


# --- wrong use ---


def test_pictures_are_copied(camera):
    context = np.zeros((CONTEXT, CONTEXT, 3), np.uint8)
    faces = np.zeros((1, FACE, FACE, 3), np.uint8)
    for frame in range(16):
        due = camera.buffer.add(frame / 10, context, ["p1"], faces)
    context[:] = faces[:] = 255
    out, scene = camera.outputs(1)
    camera.buffer.gather(due, out, scene)
    assert not out.any()
    assert not scene.any()


@pytest.mark.parametrize(
    ("context", "names", "faces", "message"),
    [
        ((CONTEXT, CONTEXT), ["p1"], (1, FACE, FACE, 3), "context"),
        ((CONTEXT, CONTEXT, 3), ["p1"], (2, FACE, FACE, 3), "faces"),
        ((CONTEXT, CONTEXT, 3), ["p1"], (1, FACE, FACE, 4), "faces"),
        ((CONTEXT, CONTEXT, 3), ["p1", "p1"], (2, FACE, FACE, 3), "twice"),
    ],
)
def test_wrong_shapes_and_doubled_ids_are_refused_and_change_nothing(
    camera, context, names, faces, message
):
    with pytest.raises(InputError, match=message):
        camera.buffer.add(0.0, np.zeros(context, np.uint8), names, np.zeros(faces, np.uint8))
    assert len(camera.buffer) == 0
    assert camera.buffer.wants(0.0)


def test_floats_are_refused(camera):
    with pytest.raises(InputError, match="float"):
        camera.buffer.add(
            0.0, np.zeros((CONTEXT, CONTEXT, 3)), [], np.zeros((0, FACE, FACE, 3), np.uint8)
        )


def test_only_people_whose_clip_is_whole_and_ends_now_can_be_gathered(camera):
    for frame in range(17):
        camera.show(frame / 10, *(["p1"] if frame < 16 else []))
    out, scene = camera.outputs(1)
    for name in ("p1", "p9"):
        with pytest.raises(InputError, match=name):
            camera.buffer.gather([name], out, scene)
    with pytest.raises(InputError, match="places"):
        camera.buffer.gather(["p1", "p2"], out, scene)


def test_the_lag_of_a_clip_is_half_its_length():
    assert ClipConfig().lag == 0.75


@pytest.mark.parametrize(
    "wrong", [{"rate": 0.0}, {"frames": 0}, {"hop": 0}, {"max_repeat": -1}, {"max_people": 0}]
)
def test_configurations_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        ClipConfig(**wrong)


def test_a_ring_repeats_its_last_picture_over_a_gap_longer_than_itself():
    ring = FrameRing(4, 1)
    for tick, grey in ((3, 10), (4, 20), (20, 30)):
        ring.put(tick, np.full((1, 1, 3), grey, np.uint8))
    out = np.zeros((4, 1, 1, 3), np.uint8)
    ring.copy_to(out)
    assert out[:, 0, 0, 0].tolist() == [20, 20, 20, 30]
