"""Thresholds of a multi-label model: read, carried with every estimate, and used for its names."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from caer_ros.bundles import Bundle, read_bundle
from caer_ros.core import EMOTIC26, Box, BundleError, EmotionEstimate, PersonEmotion, named_labels
from caer_ros.perception import Pipeline, PipelineConfig, Result, draw_overlay
from caer_ros.perception.bags.definitions import emotion_types
from caer_ros.perception.bags.people_message import people_bytes
from caer_ros.perception.benet import BenetReader
from caer_ros.perception.frames import Origin
from caer_ros.perception.held import HeldEstimates
from caer_ros.perception.palette import OTHER, emotion_color, estimate_color
from caer_ros.perception.report import describe_estimate, result_to_dict
from caer_ros.perception.smoothing import EmotionSmoother

LABELS = ("Anger", "Peace", "Pain")
CHOSEN = {"Anger": 0.5, "Peace": None, "Pain": 0.25}
FRAME = np.full((240, 320, 3), 100, np.uint8)


def estimate(*probabilities: float, thresholds=(0.5, math.nan, 0.25)) -> EmotionEstimate:
    return EmotionEstimate(
        "m",
        LABELS,
        np.array(probabilities, np.float32),
        True,
        thresholds=None if thresholds is None else np.array(thresholds, np.float32),
    )


# --- names ---


def test_names_are_at_or_above_their_thresholds_the_largest_margin_first() -> None:
    assert named_labels(np.array([0.5, 0.9, 0.9]), np.array([0.5, 0.1, 0.3])).tolist() == [1, 2, 0]
    assert estimate(0.5, 1.0, 0.4).named().tolist() == [2, 0]
    assert estimate(0.49, 1.0, 0.24).named().tolist() == []
    # Without thresholds nothing is known to hold, and the likeliest are shown.
    assert estimate(0.5, 1.0, 0.4, thresholds=None).named() is None
    assert estimate(0.5, 1.0, 0.4, thresholds=None).order().tolist() == [1, 0, 2]
    # Equals come in the order of the labels.
    assert estimate(0.4, 0.5, 0.5, thresholds=None).order().tolist() == [1, 2, 0]


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1))
def test_a_label_is_named_exactly_where_it_reaches_its_threshold(pairs) -> None:
    probabilities, thresholds = np.array(pairs, np.float32).T
    named = named_labels(probabilities, thresholds)
    assert sorted(named.tolist()) == np.flatnonzero(probabilities >= thresholds).tolist()
    margins = (probabilities - thresholds)[named]
    assert (np.diff(margins) <= 0).all()


# --- bundles ---


@pytest.fixture
def write(tmp_path: Path):
    """A function that writes a bundle with these thresholds and reads it back."""

    def written(thresholds: object, multi_label: bool = True) -> Bundle:
        card = {
            "schema": 1,
            "name": "toy",
            "version": "1",
            "task": "person_emotion_maps",
            "labels": list(LABELS),
            "multi_label": multi_label,
            "inputs": {"images": {"short_side": 64, "multiple_of": 64}},
            "outputs": {"emotions": {"shape": ["images", 2, len(LABELS)]}},
            "decode": {"top_k": 2, "threshold": 0.3},
            "files": {"fp32": {"path": "fp32.onnx", "sha256": "0" * 64}},
        }
        if thresholds != "none":
            card["decode"]["thresholds"] = thresholds
        (tmp_path / "model.yaml").write_text(yaml.safe_dump(card))
        return read_bundle(tmp_path)

    return written


def test_thresholds_come_in_the_order_of_the_labels(write) -> None:
    found = write(dict(reversed(CHOSEN.items()))).thresholds()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [0.5, math.nan, 0.25])
    assert not found.flags.writeable
    assert write("none").thresholds() is None
    assert write({"Anger": 0, "Peace": 1, "Pain": 1.0}).thresholds().tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("thresholds", "complaint"),
    [
        ([0.5, None, 0.25], "are no mapping"),
        (0.5, "are no mapping"),
        ({"Anger": 0.5, "Peace": None}, "lack the label 'Pain'"),
        (CHOSEN | {"Joy": 0.5}, "have 'Joy', which is no label"),
        (CHOSEN | {"Pain": 1.01}, "have 1.01 for 'Pain'"),
        (CHOSEN | {"Pain": -0.1}, "have -0.1 for 'Pain'"),
        (CHOSEN | {"Pain": math.nan}, "have nan for 'Pain'"),
        (CHOSEN | {"Pain": "0.5"}, "have '0.5' for 'Pain'"),
        (CHOSEN | {"Pain": True}, "have True for 'Pain'"),
    ],
)
def test_thresholds_that_do_not_fit_are_refused_with_a_remedy(write, thresholds, complaint) -> None:
    with pytest.raises(BundleError, match=complaint) as caught:
        write(thresholds)
    assert "model.yaml: decode.thresholds" in str(caught.value)
    # `caer temperature` alone would read the same bundle and stop there.
    remedy = "Take decode.thresholds out, then run `caer temperature`"
    assert remedy in str(caught.value)


def test_a_distribution_has_no_thresholds(write) -> None:
    with pytest.raises(BundleError, match="multi_label is false") as caught:
        write(CHOSEN, multi_label=False)
    assert str(caught.value).endswith("Take decode.thresholds out.")


# --- the robot ---


class Two:
    """An engine that finds two people, who are the same in every frame."""

    def run(self, arrays, outputs=None):
        return {
            "boxes": np.array([[[0, 0, 20, 60], [30, 0, 60, 60]]], np.float32),
            "scores": np.array([[0.9, 0.8]], np.float32),
            "emotions": np.array([[[0.6, 0.9, 0.3], [0.4, 0.9, 0.2]]], np.float32),
            "peaks": np.array([2]),
        }

    def close(self) -> None:
        pass


def look(bundle: Bundle, frames: int = 1) -> list[EmotionEstimate]:
    config = PipelineConfig(tracking="never")
    with Pipeline(config, [BenetReader(bundle, Two())]) as pipeline:
        results = [pipeline.process(np.zeros((64, 64, 3), np.uint8), "bgr8") for _ in range(frames)]
    return [each for result in results for person in result.people for each in person.estimates]


def test_every_estimate_of_the_robot_has_the_bundles_one_array(write) -> None:
    estimates = look(write(CHOSEN), frames=2)
    assert len(estimates) == 4
    np.testing.assert_array_equal(estimates[0].thresholds, [0.5, math.nan, 0.25])
    assert all(each.thresholds is estimates[0].thresholds for each in estimates)
    assert [each.named().tolist() for each in estimates[:2]] == [[0, 2], []]
    assert [each.thresholds for each in look(write("none"))] == [None, None]


def test_what_is_smoothed_or_held_keeps_its_thresholds() -> None:
    given = estimate(0.9, 0, 0)
    smoother = EmotionSmoother()
    for stamp, each in enumerate((given, replace(given, probabilities=np.zeros(3, np.float32)))):
        person = PersonEmotion(track_id="p1", estimates=(each,))
        (smoothed,) = smoother.update([person], stamp * 0.01)[0].estimates
        assert smoothed.thresholds is given.thresholds
    # Names are of the smoothed probabilities, which have hardly moved.
    assert smoothed.named().tolist() == [0]
    held = HeldEstimates()
    held.keep("p1", smoothed, 1.0)
    assert held.recall("p1", "m", 1.5).thresholds is given.thresholds


# --- what is shown ---


def test_text_and_json_name_by_thresholds() -> None:
    several, nothing = estimate(0.55, 0.9, 0.75), estimate(0.4, 0.9, 0.2)
    assert describe_estimate(several) == "Pain 75%, Anger 55%"
    assert describe_estimate(nothing) == "no emotion reaches its threshold"
    assert describe_estimate(replace(several, thresholds=None)) == "Peace 90%, Pain 75%, Anger 55%"
    people = tuple(
        PersonEmotion(estimates=(each,)) for each in (several, replace(several, thresholds=None))
    )
    with_them, without = (
        person["estimates"][0] for person in result_to_dict("a", 0.0, Result(people, {}))["people"]
    )
    assert with_them["named"] == ["Pain", "Anger"]
    assert with_them["thresholds"] == {"Anger": 0.5, "Peace": None, "Pain": 0.25}
    assert with_them["top_label"] == "Peace"
    assert (without["named"], without["thresholds"]) == (None, None)


def test_the_colour_is_that_of_the_first_name() -> None:
    assert estimate_color(estimate(0.55, 0.9, 0.75)) == emotion_color("Pain")
    assert estimate_color(estimate(0, 1, 0)) == OTHER
    assert estimate_color(estimate(0, 1, 0, thresholds=None)) == emotion_color("Peace")
    assert estimate_color(None) == OTHER


def drawn(thresholds: dict[str, float] | None) -> np.ndarray:
    """A body with Anger 0.8, Happiness 0.6 and Sadness 0.4, and thresholds of 1 unless told."""
    strong = {"Anger": 0.8, "Happiness": 0.6, "Sadness": 0.4}
    probabilities = np.array([strong.get(label, 0.1) for label in EMOTIC26], np.float32)
    limits = None
    if thresholds is not None:
        limits = np.array([thresholds.get(label, 1.0) for label in EMOTIC26], np.float32)
    one = EmotionEstimate("m", EMOTIC26, probabilities, True, thresholds=limits)
    person = PersonEmotion(body=Box(40, 10, 140, 230), estimates=(one,))
    return draw_overlay(FRAME, "bgr8", Result((person,), {}))


def bars(picture: np.ndarray) -> dict[str, int]:
    """First row below row 100 in which there is a long line of an emotion's colour, by emotion."""
    rows = {}
    for label in ("Anger", "Happiness", "Sadness"):
        match = (picture[100:228, 45:135] == emotion_color(label)).all(axis=2).sum(axis=1)
        long = np.flatnonzero(match >= 15)
        if len(long):
            rows[label] = int(long[0])
    return rows


def test_the_overlay_lists_what_reaches_its_threshold_the_largest_margin_first() -> None:
    rows = bars(drawn(None))
    assert list(rows) == sorted(rows, key=rows.__getitem__) == ["Anger", "Happiness", "Sadness"]
    rows = bars(drawn({"Anger": 0.75, "Sadness": 0.1}))
    assert sorted(rows, key=rows.__getitem__) == ["Sadness", "Anger"]
    # Nothing holds: a box, and no card.
    assert (drawn({})[30:200, 60:120] == 100).all()
    assert bars(drawn({})) == {}


def test_a_bag_holds_thresholds() -> None:
    pytest.importorskip("rosbags.typesys")
    store = emotion_types()
    people = [PersonEmotion(estimates=(estimate(0.6, 0.9, 0.3),))]
    people.append(PersonEmotion(estimates=(estimate(0.6, 0.9, 0.3, thresholds=None),)))
    data = people_bytes(store, Origin(1, 2, "lens", 3), people)
    found = store.deserialize_cdr(data, "caer_msgs/msg/PersonEmotionArray")
    first, second = (person.estimates[0] for person in found.people)
    np.testing.assert_array_equal(first.thresholds, np.array([0.5, math.nan, 0.25], np.float32))
    assert second.thresholds.tolist() == []
    assert (first.top_label, second.top_label) == ("Peace", "Peace")
