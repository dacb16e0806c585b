"""CAER-Net's stage with an engine that tells people by their grey: no network, all the rest."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.bundles import Bundle
from caer_ros.core import CAER7, Box, BundleError, EngineError, InputError, PersonEmotion
from caer_ros.perception import PipelineConfig, Scene, caer_clip
from caer_ros.perception.caer_clip import TASK, CaerClipStage
from caer_ros.perception.clip_batch import MOST
from caer_ros.perception.clip_buffer import ClipBuffer
from caer_ros.perception.held import HeldEstimates

NOW = 1_700_000_000.0
FACE, CONTEXT, ROWS, COLUMNS = 8, 14, 16, 22
PLACES = 24  # for faces, in a row; each 8 pixels wide and 16 apart
WIDTH, HEIGHT = 16 * PLACES, 48


def bundle(**changes) -> Bundle:
    people, scenes = ["people", 16], ["scenes", 16]
    fields = {
        "folder": Path("somewhere"),
        "name": "toy",
        "version": "1",
        "task": TASK,
        "summary": "",
        "license": "",
        "labels": CAER7,
        "multi_label": False,
        "inputs": {
            "face": {"shape": [*people, FACE, FACE, 3], "margin": 0.1},
            "context": {
                "shape": [*scenes, CONTEXT, CONTEXT, 3],
                "fill": 0,
                "frame": [ROWS, COLUMNS],
            },
        },
        "outputs": {"logits": {"shape": ["people", 7]}},
        "decode": {"rate": 10.0, "hop": 8, "temperature": 1.0},
        "files": {},
    }
    return Bundle(**fields | changes)


class Fake:
    """Says of each person how grey his clip is, as the distance of two logits."""

    def __init__(self):
        self.calls, self.asked, self.spoil, self.closed = [], [], False, False

    def run(self, arrays, outputs=None):
        self.calls.append({name: array.copy() for name, array in arrays.items()})
        self.asked.append(tuple(outputs))
        people, scenes = len(arrays["face"]), len(arrays["context"])
        logits = np.full((people, 7), -50.0, np.float32)
        logits[:, 0] = arrays["face"].reshape(people, -1).mean(axis=1) / 100
        logits[:, 1] = 0
        if self.spoil:
            logits[0, 0] = np.nan
        attention = np.zeros((scenes, 2, 7, 7), np.float32)
        attention[:, 0, 0, 0] = 1  # of the older half: the top left cell
        attention[:, 1, 6, 6] = 1  # of the newer half: the bottom right one
        answer = {
            "logits": logits,
            "fusion": np.tile(np.float32([0.25, 0.75]), (people, 1)),
            "attention": attention,
        }
        return {name: answer[name] for name in outputs}

    def close(self):
        self.closed = True


class Camera:
    """Shows people, each with a place and a grey, to a stage."""

    def __init__(self, stage: CaerClipStage, name: str = ""):
        self.stage, self.name = stage, name
        self.memory = SimpleNamespace(
            clips=ClipBuffer(stage.clip_config), held=HeldEstimates(forget_after=2.0)
        )

    def scene(self, stamp, people, background=30, want_maps=False) -> Scene:
        """people: id -> grey, or None for somebody whose face is not found."""
        image = np.full((HEIGHT, WIDTH, 3), background, np.uint8)
        found = []
        for place, (name, grey) in enumerate(people.items()):
            name = name.strip("?")
            if grey is None:
                found.append(PersonEmotion(body=Box(0, 0, 9, 9), track_id=name))
                continue
            x = 16 * place + 4
            image[10:38, x - 4 : x + 12] = grey
            found.append(PersonEmotion(face=Box(x, 20, x + 8, 28), track_id=name))
        faces = tuple(p.face for p in found if p.face)
        return Scene(
            image,
            "bgr8",
            NOW + stamp,
            self.name,
            want_maps,
            tuple(found),
            faces,
            memory=self.memory,
        )

    def show(self, stamp, people, **others) -> Scene:
        scene = self.scene(stamp, people, **others)
        self.timings: dict[str, float] = {}
        self.stage.run([scene], self.timings)
        return scene


@pytest.fixture
def engine() -> Fake:
    return Fake()


@pytest.fixture
def camera(engine) -> Camera:
    return Camera(CaerClipStage(bundle(), engine))


def greys(person) -> list[float]:
    """What the engine saw of this person, as it says in each estimate."""
    return [100 * float(np.log(e.probabilities[0] / e.probabilities[1])) for e in person.estimates]


def lags(scene) -> list[float | None]:
    return [round(p.estimates[0].lag, 3) if p.estimates else None for p in scene.people]


# --- when and what ---


def test_the_first_estimate_comes_with_a_whole_clip_and_is_held_with_its_age(camera, engine):
    shown = {}
    for frame in range(30):
        scene = camera.show(frame / 10, {"p1": 120})
        shown[frame] = lags(scene)[0]
        if shown[frame] is not None:
            (estimate,) = scene.people[0].estimates
            assert greys(scene.people[0]) == pytest.approx([120], abs=0.5)
            assert (estimate.model, estimate.labels) == ("toy", CAER7)
            assert estimate.probabilities.sum() == pytest.approx(1)
            assert (estimate.lambda_face, estimate.lambda_context) == (0.25, 0.75)
    assert [shown[f] for f in (14, 15, 16, 17, 23, 24, 29)] == [
        *(None, 0.75, 0.75),
        *(0.85, 1.45, 0.75, 1.25),
    ]
    assert len(engine.calls) == 3


def test_a_clip_holds_sixteen_frames_in_order_and_hides_the_faces(camera, engine):
    for frame in range(17):
        camera.show(frame / 10, {"p1": 100 + frame}, background=30 + frame)
    faces, contexts = engine.calls[-1]["face"][0], engine.calls[-1]["context"][0]
    assert faces.shape == (16, FACE, FACE, 3)
    assert faces.mean(axis=(1, 2, 3)).tolist() == list(range(101, 117))
    # The face stands at the left, outside the middle: the context shows the background alone.
    assert contexts[:, :, -1].mean(axis=(1, 2)).tolist() == list(range(31, 47))
    assert contexts.dtype == faces.dtype == np.uint8


def test_every_face_of_the_frame_is_hidden_from_the_context(camera, engine):
    for frame in range(16):
        scene = camera.scene(frame / 10, {"p1": 200}, background=90)
        # Left out of the people, as those beyond max_people are.
        scene.faces += (Box(WIDTH / 2, 0, WIDTH, HEIGHT / 2),)
        camera.stage.run([scene], {})
    (call,) = engine.calls
    hidden = (call["context"][0] == 0).all(axis=(0, 3))
    # Of the frame in 22 x 16, the right upper quarter; of its middle, one row and four columns off.
    wanted = np.zeros((ROWS, COLUMNS), bool)
    wanted[:8, 11:] = True
    assert np.array_equal(hidden, wanted[1:15, 4:18])


def test_between_ticks_nothing_is_cut_and_nothing_run(camera, engine):
    cut = []
    for frame in range(90):
        camera.show(frame / 30, {"p1": 120})
        if "preprocess" in camera.timings:
            cut.append(frame)
    assert cut == [0, *range(2, 90, 3)]
    assert len(engine.calls) == 3
    assert "infer" not in camera.timings


def test_all_who_are_due_on_all_cameras_go_in_one_run(engine):
    stage = CaerClipStage(bundle(), engine)
    left, right, idle = (Camera(stage, name) for name in ("left", "right", "idle"))
    for frame in range(17):
        scenes = [
            idle.scene(frame / 10, {}),
            left.scene(frame / 10, {"p1": 60, "p2": 90}, background=40),
            right.scene(frame / 10, {"p1": 150}, background=50),
        ]
        stage.run(scenes, {})
    call = engine.calls[-1]
    assert call["face"].mean(axis=(1, 2, 3, 4)).tolist() == pytest.approx([60, 90, 150], abs=0.5)
    assert call["context"][:, :, :, -1].mean(axis=(1, 2, 3)).tolist() == [40, 50]
    assert call["scene"].tolist() == [0, 0, 1]
    # Ids are a camera's own: nobody gets what was said of his namesake.
    seen = [[greys(p)[0] for p in scene.people] for scene in scenes]
    assert seen[1] == pytest.approx([60, 90], abs=0.5)
    assert seen[2] == pytest.approx([150], abs=0.5)


def test_a_crowd_is_run_in_turns_in_the_same_buffers(camera, engine):
    people = {f"p{i}": 10 * i + 5 for i in range(PLACES)}
    for frame in range(16):
        scene = camera.show(frame / 10, people)
    assert [len(call["face"]) for call in engine.calls] == [MOST, MOST, PLACES - 2 * MOST]
    assert [len(call["context"]) for call in engine.calls] == [1, 1, 1]
    seen = [greys(person)[0] for person in scene.people]
    assert seen == pytest.approx(list(people.values()), abs=0.5)


def test_logits_are_divided_by_the_temperature(engine):
    camera = Camera(
        CaerClipStage(bundle(decode={"rate": 10.0, "hop": 8, "temperature": 4.0}), engine)
    )
    for frame in range(16):
        scene = camera.show(frame / 10, {"p1": 120})
    assert greys(scene.people[0]) == pytest.approx([120 / 4], abs=0.5)


# --- who ---


def test_a_new_id_gets_nothing_of_the_old_one(camera, engine):
    for frame in range(40):
        name = "p1" if frame < 20 else "p2"
        scene = camera.show(frame / 10, {name: 60 if name == "p1" else 180})
        if frame == 19:
            assert greys(scene.people[0]) == pytest.approx([60], abs=0.5)
        if 20 <= frame < 35:
            assert scene.people[0].estimates == ()
    assert greys(scene.people[0]) == pytest.approx([180], abs=0.5)


def test_two_who_swap_ids_keep_their_pictures_apart(camera, engine):
    # The tracker's mistake is not seen here; but from then on each id has its own clip again.
    for frame in range(41):
        a, b = (60, 180) if frame < 16 else (180, 60)
        scene = camera.show(frame / 10, {"p1": a, "p2": b})
    assert [greys(p)[0] for p in scene.people] == pytest.approx([180, 60], abs=0.5)


def test_without_a_face_or_for_a_while_without_frames_the_last_estimate_is_held(camera):
    for frame in range(17):
        camera.show(frame / 10, {"p1": 120})
    assert lags(camera.show(1.7, {"p1": None})) == [0.85]
    assert lags(camera.show(3.5, {"p1": None})) == [2.65]
    # Older than two seconds it is gone.
    assert lags(camera.show(3.7, {"p1": None})) == [None]
    assert lags(camera.show(3.8, {"p1": 120})) == [None]


def test_who_has_no_id_gets_no_estimate(camera, engine):
    for frame in range(20):
        scene = camera.show(frame / 10, {"": 120})
    assert scene.people[0].estimates == ()
    assert engine.calls == []


def test_dropped_frames_change_neither_rhythm_nor_lag(camera):
    # Frame 24, with which a clip is due, is dropped: the next one ends it.
    got = {}
    for frame in range(60):
        if frame % 10 not in (3, 4, 7):
            got[frame] = lags(camera.show(frame / 10, {"p1": 120}))[0]
    assert [got[f] for f in (12, 15, 16, 22, 25, 32)] == [None, 0.75, 0.75, 1.35, 0.75, 0.75]


def test_after_a_long_gap_everybody_starts_anew(camera, engine):
    for frame in (*range(20), *range(60, 80)):
        scene = camera.show(frame / 10, {"p1": 120})
        assert bool(scene.people[0].estimates) == (15 <= frame < 20 or frame >= 75)


def test_stamps_that_go_back_start_anew_and_stamps_a_little_back_do_not(camera, engine):
    for frame in range(18):
        camera.show(frame / 10, {"p1": 120})
    runs = len(engine.calls)
    assert lags(camera.show(1.5, {"p1": 120})) == [0.65]
    assert lags(camera.show(1.8, {"p1": 120})) == [0.95]
    assert len(engine.calls) == runs
    for frame in range(16):
        # The tracker gives new ids in a new recording; even if it did not, nothing old is shown.
        scene = camera.show(frame / 10 - 500, {"p1": 60})
        assert bool(scene.people[0].estimates) == (frame == 15)
    assert greys(scene.people[0]) == pytest.approx([60], abs=0.5)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.033, 0.1, 0.1, 0.1, 0.1, 0.3, 1.5, -0.2, -30.0]),
        st.lists(st.sampled_from(["p1", "p2", "p3"]), unique=True, max_size=3),
    ),
    min_size=40,
    max_size=70,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_whatever_happens_everybody_gets_his_own_estimate_with_its_true_lag(steps):
    own = {"p1": 60, "p2": 120, "p3": 200}
    engine = Fake()
    camera = Camera(CaerClipStage(bundle(), engine))
    stamp, said = 100.0, {}
    for move, names in steps:
        stamp += move
        calls = len(engine.calls)
        scene = camera.show(stamp, {name: own[name] for name in names})
        for call in engine.calls[calls:]:
            for face in call["face"]:
                who = min(own, key=lambda name: abs(own[name] - face.mean()))
                assert np.abs(face.astype(int) - own[who]).max() <= 1
                said[who] = stamp
        for person in scene.people:
            age = stamp - said.get(person.track_id, -1e9)
            if abs(age) > 2.0:
                assert person.estimates == ()
            else:
                assert greys(person) == pytest.approx([own[person.track_id]], abs=0.5)
                assert person.estimates[0].lag == pytest.approx(max(0.0, 0.75 + age), abs=1e-5)


# --- maps ---


def test_attention_is_asked_for_only_where_somebody_looks(camera, engine):
    for frame in range(17):
        assert camera.show(frame / 10, {"p1": 120}).attention is None
    for frame in range(17, 30):
        scene = camera.show(frame / 10, {"p1": 120}, want_maps=True)
        # From the next clip on, and held between clips.
        assert (scene.attention is not None) == (frame >= 24)
    assert engine.asked[0] == engine.asked[1] == ("logits", "fusion")
    assert engine.asked[2] == ("logits", "fusion", "attention")
    assert camera.show(3.0, {"p1": 120}).attention is None
    assert camera.show(3.1, {}, want_maps=True).attention is None


def test_the_newest_attention_lies_over_the_middle_of_the_frame(camera):
    for frame in range(16):
        scene = camera.show(frame / 10, {"p1": 120}, want_maps=True)
    attention = scene.attention
    assert attention.shape == (ROWS, COLUMNS)
    assert attention.dtype == np.float32
    assert attention.sum() == pytest.approx(1, abs=1e-5)
    # The cell at the bottom right of the middle 14 x 14; nothing beside it.
    row, column = np.unravel_index(attention.argmax(), attention.shape)
    assert (row, column) == (1 + 13, 4 + 13)
    assert attention[:, :4].max() == attention[:, 18:].max() == attention[15].max() == 0


# --- what goes wrong ---


def test_nan_is_an_error_and_the_next_clip_is_read(camera, engine):
    for frame in range(16):
        camera.show(frame / 10, {"p1": 120})
    engine.spoil = True
    with pytest.raises(EngineError, match="NaN"):
        camera.show(1.6, {"p1": 120})
    engine.spoil = False
    # What was said before is still held.
    assert lags(camera.show(1.7, {"p1": 120})) == [0.95]
    for frame in range(18, 25):
        scene = camera.show(frame / 10, {"p1": 120})
    assert lags(scene) == [0.75]


def test_a_model_that_is_too_slow_for_its_own_clips_is_named(camera, engine, monkeypatch):
    clock = iter(np.arange(0, 1000, 0.8))
    monkeypatch.setattr(caer_clip, "perf_counter", lambda: float(next(clock)))
    for frame in range(16):
        scene = camera.show(frame / 10, {"p1": 120, "p2": 50})
    assert scene.warnings == ("2 clips took 0.8 s; above 0.5 s all may start anew.",)


def test_people_beyond_the_limit_are_counted(engine):
    camera = Camera(CaerClipStage(bundle(), engine, max_people=2))
    people = {"p1": 50, "p2": 100, "p3": 150}
    for frame in range(16):
        scene = camera.show(frame / 10, people)
    assert scene.warnings == ("max_people is 2: of 1 no clip is collected.",)
    assert [len(p.estimates) for p in scene.people] == [1, 1, 0]
    # Somebody new waits until a place is free.
    scene = camera.show(1.6, {"p3": 150, "p2": 100})
    assert scene.warnings == ("max_people is 2: of 1 no clip is collected.",)


def test_a_camera_that_collects_no_clips_is_passed_over(camera, engine):
    camera.memory.clips = None
    for frame in range(20):
        scene = camera.show(frame / 10, {"p1": 120})
    assert scene.people[0].estimates == ()
    assert engine.calls == []


def test_warming_up_benchmarks_and_closing(camera, engine):
    camera.stage.warm_up()
    camera.stage.run_bare(3)
    camera.stage.run_bare(100)
    camera.stage.run_bare(0)
    assert [len(call["face"]) for call in engine.calls] == [1, 3, MOST]
    assert [len(call["context"]) for call in engine.calls] == [1, 1, 1]
    camera.stage.close()
    assert engine.closed


def test_without_tracking_it_does_not_open():
    config = PipelineConfig(tracking="never")
    with pytest.raises(InputError, match="Set tracking to always"):
        CaerClipStage.open(bundle(), config, "onnxruntime")


def inputs(**changes) -> dict:
    given = bundle().inputs
    return {"inputs": {name: dict(given[name]) | changes.get(name, {}) for name in given}}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"task": "caer_static"}, "task caer_static, not caer_clip"),
        ({"decode": {"rate": 10.0}}, "hop"),
        ({"decode": {"rate": 0.0, "hop": 8}}, "rate is 0"),
        ({"decode": {"rate": 10.0, "hop": 8, "temperature": 0}}, "temperature"),
        ({"labels": ("Anger",)}, "labels"),
        (inputs(context={"frame": [10, 10]}), "context.frame"),
        (inputs(context={"frame": [16]}), "values to unpack"),
        (inputs(context={"shape": ["scenes", 8, CONTEXT, CONTEXT, 3]}), "as many frames"),
        (inputs(face={"shape": ["people", 16]}), "index"),
        ({"inputs": {}}, "face"),
    ],
)
def test_a_bundle_that_does_not_fit_is_named(engine, changes, complaint):
    with pytest.raises(BundleError, match=complaint):
        CaerClipStage(bundle(**changes), engine)
