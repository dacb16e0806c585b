"""BENet's reader with an engine that answers what the test says: no network, all arithmetic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from caer_ros.bundles import Bundle
from caer_ros.core import BundleError, EngineError, InputError
from caer_ros.perception import Pipeline, PipelineConfig, draw_overlay
from caer_ros.perception.benet import BenetReader
from caer_ros.perception.report import result_to_dict, result_to_lines

ROWS = 3
LABELS = ("Anger", "Peace", "Yearning", "Esteem")
SHAPES = {
    "boxes": ["images", ROWS, 4],
    "scores": ["images", ROWS],
    "emotions": ["images", ROWS, len(LABELS)],
    "peaks": ["images"],
    "vad": ["images", ROWS, 3],
    "heat": ["images", "h", "w"],
}


def bundle(outputs=tuple(SHAPES), **changes) -> Bundle:
    inputs = {"images": {"short_side": 64, "multiple_of": 64}}
    fields = {
        "folder": Path("somewhere"),
        "name": "toy",
        "version": "1",
        "task": "person_emotion_maps",
        "summary": "",
        "license": "",
        "labels": LABELS,
        "multi_label": True,
        "inputs": inputs,
        "outputs": {name: {"shape": SHAPES[name]} for name in outputs},
        "decode": {"top_k": ROWS, "threshold": 0.3},
        "files": {},
    }
    return Bundle(**fields | changes)


class Fake:
    """An engine that puts out the rows it was given; remembers what it was asked."""

    def __init__(self, boxes=(), scores=(), peaks=None, **changes):
        rows = ROWS - len(boxes)
        self.answer = {
            "boxes": np.array([*boxes, *[[0, 0, 1, 1]] * rows], np.float32)[None],
            "scores": np.array([*scores, *[0] * rows], np.float32)[None],
            "emotions": np.linspace(0, 1, ROWS * len(LABELS), dtype=np.float32).reshape(1, ROWS, 4),
            "peaks": np.array([len(boxes) if peaks is None else peaks]),
            "vad": np.linspace(-1, 1, ROWS * 3, dtype=np.float32).reshape(1, ROWS, 3),
            **changes,
        }
        self.images, self.asked, self.closed = [], [], False

    def run(self, arrays, outputs=None):
        (image,) = arrays["images"]
        self.images.append(image)
        self.asked.append(list(outputs))
        answer = dict(self.answer)
        if "heat" in outputs and "heat" not in answer:
            answer["heat"] = np.zeros((1, image.shape[0] // 2, image.shape[1] // 2), np.float32)
        return {name: answer[name] for name in outputs}

    def close(self):
        self.closed = True


def opened(engine: Fake, config: PipelineConfig | None = None, **changes) -> Pipeline:
    config = config or PipelineConfig()
    reader = BenetReader(bundle(**changes), engine, config.person_threshold, config.max_people)
    return Pipeline(replace(config, tracking="never"), [reader])


def frame(width: int, height: int, channels: int = 3) -> np.ndarray:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.full(shape, 80, np.uint8)


def corners(person) -> tuple[float, ...]:
    return (person.body.x1, person.body.y1, person.body.x2, person.body.y2)


@pytest.mark.parametrize(
    ("size", "given", "wanted"),
    [
        # Nothing is scaled.
        ((128, 64), (10, 20, 30, 60), (10, 20, 30, 60)),
        # By 0.64: input 128 x 64.
        ((200, 100), (64, 16, 96, 48), (100, 25, 150, 75)),
        # By 64 / 120: 85 x 64 in 128 x 64, from column (128 - 85) // 2 = 21 on.
        ((160, 120), (21, 0, 106, 64), (0, 0, 160, 120)),
        ((160, 120), (38, 16, 55, 48), (32, 30, 64, 90)),
        # Over the frame's edges, and into the border beside it.
        ((160, 120), (-10, -5, 63.5, 32), (0, 0, 80, 60)),
        ((160, 120), (63.5, 32, 500, 300), (80, 60, 160, 120)),
        # Enlarged by 4, upright.
        ((16, 32), (4, 8, 40, 100), (1, 2, 10, 25)),
    ],
)
def test_boxes_come_back_in_pixels_of_the_frame(size, given, wanted):
    (person,) = opened(Fake([given], [0.9])).process(frame(*size), "bgr8").people
    assert corners(person) == pytest.approx(wanted, abs=1e-4)
    assert person.face is None
    assert person.body.score == pytest.approx(0.9)


def test_an_estimate_is_multi_label_with_vad():
    engine = Fake([[0, 0, 9, 9], [20, 20, 40, 40]], [0.8, 0.7])
    people = opened(engine).process(frame(64, 64), "bgr8").people
    for row, person in enumerate(people):
        (estimate,) = person.estimates
        assert (estimate.model, estimate.labels) == ("toy", LABELS)
        assert estimate.multi_label
        np.testing.assert_array_equal(estimate.probabilities, engine.answer["emotions"][0, row])
        vad = (estimate.valence, estimate.arousal, estimate.dominance)
        assert vad == pytest.approx(engine.answer["vad"][0, row].tolist())
        assert np.isnan(estimate.lambda_face)
    # The engine owns its outputs; what left is a copy.
    engine.answer["emotions"][:] = 0
    assert people[0].estimates[0].probabilities.max() > 0


def test_a_model_without_vad_and_without_heat():
    engine = Fake([[0, 0, 9, 9]], [0.8])
    pipeline = opened(engine, outputs=("boxes", "scores", "emotions", "peaks"))
    result = pipeline.process(frame(64, 64), "bgr8", want_maps=True)
    assert np.isnan(result.people[0].estimates[0].valence)
    assert result.heat is None
    assert engine.asked == [["boxes", "scores", "emotions", "peaks"]]


def test_an_empty_scene_is_an_empty_list():
    result = opened(Fake()).process(frame(64, 64), "bgr8")
    assert (result.people, result.warnings, result.heat) == ((), (), None)
    assert set(result.timings) == {"preprocess", "infer", "decode", "total"}


def test_who_lies_wholly_in_the_border_is_nobody():
    # The frame begins in column 21; the second touches it, by half a column.
    engine = Fake([[0, 0, 21, 64], [0, 0, 21.5, 64], [106, 0, 128, 64]], [0.9, 0.8, 0.7])
    (person,) = opened(engine).process(frame(160, 120), "bgr8").people
    assert corners(person) == pytest.approx((0, 0, 0.5 * 160 / 85, 120), abs=1e-4)


def test_weak_rows_are_cut_and_the_threshold_changes_while_running():
    engine = Fake([[0, 0, 9, 9], [10, 10, 20, 20], [30, 30, 50, 50]], [0.9, 0.5, 0.2])
    pipeline = opened(engine)
    found = [len(pipeline.process(frame(64, 64), "bgr8").people)]
    for threshold in (0.6, 0.1, 0.0):
        pipeline.update(person_threshold=threshold)
        found.append(len(pipeline.process(frame(64, 64), "bgr8").people))
    # 0 is the bundle's own, 0.3.
    assert found == [2, 1, 3, 2]
    with pytest.raises(InputError, match="person_threshold is 2"):
        pipeline.update(person_threshold=2)
    config = PipelineConfig(person_threshold=0.6)
    assert len(opened(engine, config).process(frame(64, 64), "bgr8").people) == 1


def three(peaks: int) -> Fake:
    return Fake([[0, 0, 9, 9], [10, 10, 20, 20], [30, 30, 50, 50]], [0.9, 0.8, 0.7], peaks)


@pytest.mark.parametrize(
    ("peaks", "max_people", "kept", "warnings"),
    [
        (3, 32, 3, ()),
        (7, 32, 3, ("7 people, the model's top_k is 3: the rest is left out.",)),
        (3, 2, 2, ("3 people, max_people is 2: the rest is left out.",)),
        (7, 2, 2, ("7 people, max_people is 2: the rest is left out.",)),
        (3, 3, 3, ()),
    ],
)
def test_nobody_is_lost_silently(peaks, max_people, kept, warnings):
    pipeline = opened(three(peaks), PipelineConfig(max_people=max_people))
    result = pipeline.process(frame(64, 64), "bgr8")
    assert [p.body.score for p in result.people] == pytest.approx([0.9, 0.8, 0.7][:kept])
    assert result.warnings == warnings


@pytest.mark.parametrize("name", ["boxes", "scores", "emotions", "vad"])
def test_nan_is_an_error_and_the_next_frame_is_read(name):
    engine = three(3)
    pipeline = opened(engine)
    kept = engine.answer[name]
    engine.answer[name] = np.full_like(kept, np.nan)
    with pytest.raises(EngineError, match="NaN"):
        pipeline.process(frame(64, 64), "bgr8")
    engine.answer[name] = kept
    assert len(pipeline.process(frame(64, 64), "bgr8").people) == 3


@pytest.mark.parametrize(
    ("encoding", "pixel", "rgb"),
    [
        ("bgr8", (10, 20, 30), (30, 20, 10)),
        ("rgb8", (10, 20, 30), (10, 20, 30)),
        ("bgra8", (10, 20, 30, 0), (30, 20, 10)),
        ("rgba8", (10, 20, 30, 0), (10, 20, 30)),
        ("mono8", 40, (40, 40, 40)),
    ],
)
def test_every_encoding_becomes_rgb_between_black_borders(encoding, pixel, rgb):
    image = np.zeros((120, 160) if encoding == "mono8" else (120, 160, len(pixel)), np.uint8)
    image[:] = pixel
    before = image.copy()
    engine = Fake()
    opened(engine).process(image, encoding)
    (given,) = engine.images
    assert given.shape == (64, 128, 3)
    assert given.dtype == np.uint8
    assert given.flags.c_contiguous
    assert (given[:, 21:106] == rgb).all()
    assert not given[:, :21].any()
    assert not given[:, 106:].any()
    assert np.array_equal(image, before)


def test_padded_rows_give_the_same_input():
    engine = Fake()
    pipeline = opened(engine)
    picture = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    padded = np.zeros((120, 200, 3), np.uint8)
    padded[:, :160] = picture
    pipeline.process(picture, "bgr8")
    first = engine.images[0].copy()
    pipeline.process(padded[:, :160], "bgr8")
    assert np.array_equal(engine.images[1], first)


def test_the_buffer_is_used_again_until_the_size_changes():
    engine = Fake()
    pipeline = opened(engine)
    for width in (160, 160, 90, 160):
        pipeline.process(frame(width, 120), "bgr8")
    a, b, c, d = engine.images
    assert np.shares_memory(a, b)
    assert c.shape == (128, 64, 3)
    assert d.shape == (64, 128, 3)
    assert not d[:, :21].any()


def test_a_strip_asks_for_no_endless_input():
    # 4 times the short side at most: 240 x 3 in 256 x 64.
    engine = Fake([[8, 30, 248, 33]], [0.9])
    (person,) = opened(engine).process(frame(1600, 20), "bgr8").people
    assert corners(person) == pytest.approx((0, 0, 1600, 20))
    for width, height in ((20, 1600), (16384, 8)):
        opened(engine).process(frame(width, height), "bgr8")
    # No side gets thinner than a pixel.
    assert [i.shape[:2] for i in engine.images] == [(64, 256), (256, 64), (64, 2048)]


def test_heat_is_fetched_only_when_asked_and_covers_the_frame():
    heat = np.zeros((1, 32, 64), np.float32)
    heat[0, :, 10:53] = 0.5  # columns 20 to 106 of the input; the frame has 21 to 106
    engine = Fake(heat=heat)
    pipeline = opened(engine)
    assert pipeline.process(frame(160, 120), "bgr8").heat is None
    seen = pipeline.process(frame(160, 120), "bgr8", want_maps=True).heat
    assert ["heat" in asked for asked in engine.asked] == [False, True]
    assert seen.shape == (32, 43)
    assert (seen == 0.5).all()
    assert not np.shares_memory(seen, heat)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"task": "caer_static"}, "task caer_static, not person_emotion_maps"),
        ({"inputs": {"images": {"multiple_of": 64}}}, "short_side"),
        ({"decode": {"top_k": 3}}, "threshold"),
        ({"labels": ("Anger",)}, "one label an emotion"),
        ({"outputs": ("boxes", "scores", "peaks")}, "emotions"),
    ],
)
def test_a_bundle_that_does_not_fit_is_named(changes, complaint):
    with pytest.raises(BundleError, match=complaint):
        opened(Fake(), **changes)


def test_a_frame_without_pixels_is_refused_and_the_pipeline_lives_on():
    with opened(engine := Fake()) as pipeline:
        for image, encoding in ((frame(0, 0), "bgr8"), (frame(64, 64), "mono8")):
            with pytest.raises(InputError):
                pipeline.process(image, encoding)
        assert pipeline.process(frame(64, 64), "bgr8").people == ()
        pipeline.run_bare(5)
        assert len(engine.images) == 2
    assert engine.closed


def test_the_report_has_bodies_and_vad():
    result = opened(three(9)).process(frame(64, 64), "bgr8")
    row = result_to_dict("a.png", 0.0, result)
    first = row["people"][0]
    assert first["face"] is None
    assert first["body"] == {"x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0, "score": 0.9}
    assert first["estimates"][0]["multi_label"] is True
    assert first["estimates"][0]["valence"] == -1.0
    assert row["warnings"] == ["9 people, the model's top_k is 3: the rest is left out."]
    lines = result_to_lines("a.png", result)
    assert lines[0].startswith("a.png: person 1 at (0, 0) 9x9: Esteem 27%, Yearning 18%")
    assert lines[0].endswith("(valence -1.00, arousal -0.75, dominance -0.50)")


def test_the_overlay_draws_bodies():
    engine = Fake([[10, 10, 60, 60]], [0.9])
    image = frame(64, 64)
    result = opened(engine).process(image, "bgr8", want_maps=True)
    drawn = draw_overlay(image, "bgr8", result)
    assert drawn.shape == image.shape
    assert np.abs(drawn[10:13, 20:50].astype(int) - 80).max() > 30
