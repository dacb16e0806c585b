"""Scores of a BENet bundle as the robot runs it, with readers that know the people."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from caer_ros.cli import evaluate_benet
from caer_ros.cli.main import main
from caer_ros.core import EMOTIC26, HECO8, Box, EmotionEstimate, InputError, PersonEmotion
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.emotic.records import AnnotatedImage, AnnotatedPerson
from caer_ros.evaluation.benet.judge_maps_bundle import judge_maps_bundle
from caer_ros.perception import Scene

BOXES = (Box(2, 4, 26, 60), Box(34, 8, 62, 62))
PICTURES = 40


def annotated(known: bool = True) -> MemoryImages:
    """Pictures of two people each, grey by their number; every other person is happy."""
    records, arrays = [], []
    for index in range(PICTURES):
        people = []
        for number, box in enumerate(BOXES):
            categories = np.zeros(len(EMOTIC26), np.float32)
            categories[EMOTIC26.index("Happiness")] = (index + number) % 2
            nan = np.full(3, np.nan, np.float32)
            people.append(AnnotatedPerson(box, categories, np.full(26, known), nan))
        records.append(AnnotatedImage(Path(f"{index}.png"), 64, 64, tuple(people), "test"))
        arrays.append(np.full((64, 64, 3), index, np.uint8))
    return MemoryImages(records, arrays)


class Reader:
    """Finds the first person of every picture, the second of the first half; rates the happy ones
    higher, or lower."""

    def __init__(self, right: bool = True, blind: bool = False) -> None:
        self.right, self.blind, self.closed = right, blind, False

    def run(self, scenes: list[Scene], timings: dict[str, float]) -> None:
        index = int(scenes[0].image[0, 0, 0])
        people = []
        for number, box in enumerate(BOXES):
            if self.blind or (number and index >= PICTURES // 2):
                continue
            happy = bool((index + number) % 2)
            said = np.full(26, 0.1, np.float32)
            said[EMOTIC26.index("Happiness")] = 0.8 if happy == self.right else 0.2
            estimate = EmotionEstimate("any", EMOTIC26, said, multi_label=True)
            body = Box(box.x1 + 1, box.y1, box.x2 + 1, box.y2, 0.9)
            people.append(PersonEmotion(body=body, estimates=(estimate,)))
        scenes[0].people = tuple(people)

    def close(self) -> None:
        self.closed = True


def test_who_is_found_and_what_is_said_of_them() -> None:
    scores = judge_maps_bundle(Reader(), annotated(), EMOTIC26)
    assert (scores.images, scores.people, scores.found) == (40, 80, 60)
    # Nobody is found who is not there: precision is 1 up to a recall of three quarters.
    assert scores.person.ap50 == pytest.approx(75, abs=1)
    assert scores.emotions is not None
    assert scores.emotions.mean == pytest.approx(100)
    assert scores.emotions.chance == pytest.approx(50)
    assert len(scores.emotions.left_out) == 25
    strict = next(form for form in scores.joint if form.form == "strict")
    # Of 40 happy people 30 are found.
    assert strict.means[0] == pytest.approx(75)
    assert "75.00" in scores.text()


def test_what_is_said_counts() -> None:
    wrong = judge_maps_bundle(Reader(right=False), annotated(), EMOTIC26)
    assert wrong.emotions is not None
    assert wrong.emotions.mean < 55


def test_boxes_alone_can_be_judged() -> None:
    scores = judge_maps_bundle(Reader(), annotated(known=False), EMOTIC26)
    assert scores.emotions is None
    assert scores.joint == ()
    assert scores.person.ap50 == pytest.approx(75, abs=1)
    assert "No emotion of theirs is annotated" in scores.text()


def test_nobody_found_is_said() -> None:
    with pytest.raises(InputError, match="finds nobody"):
        judge_maps_bundle(Reader(blind=True), annotated(), EMOTIC26)


def test_the_command_judges_a_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    reader, opened = Reader(), []
    card = SimpleNamespace(task="person_emotion_maps", labels=EMOTIC26)
    (tmp_path / "model.yaml").write_text("read by nobody\n")
    monkeypatch.setattr("caer_ros.bundles.read_bundle", lambda path: card)
    monkeypatch.setattr("caer_ros.training.benet.data.open_images", lambda *_: annotated())
    monkeypatch.setattr(
        "caer_ros.perception.benet.BenetReader.open",
        lambda bundle, config, backend: opened.append(config.precision) or reader,
    )
    call = ["evaluate", str(tmp_path), "--data", str(tmp_path), "--precision", "int8"]
    assert main([*call, "--out", str(tmp_path / "out")]) == 0
    assert opened == ["int8"]
    assert reader.closed
    assert "60 found" in capsys.readouterr().out
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert told["found"] == 60
    assert told["person"]["ap50"] == pytest.approx(75, abs=1)
    assert evaluate_benet.is_benet_bundle(tmp_path)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--protocol", "square"], "--protocol:"),
        (["--flip", "--heads"], "--flip and --heads:"),
        (["--pictures", "0"], "--pictures:"),
        (["--workers", "0"], "--workers:"),
    ],
)
def test_what_only_checkpoints_know_is_refused(
    options: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "model.yaml").write_text("read by nobody\n")
    assert main(["evaluate", str(tmp_path), "--data", str(tmp_path), *options]) == 2
    assert f"{named} only for checkpoints" in capsys.readouterr().err


def test_other_labels_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    card = SimpleNamespace(task="person_emotion_maps", labels=HECO8, name="eight")
    (tmp_path / "model.yaml").write_text("read by nobody\n")
    monkeypatch.setattr("caer_ros.bundles.read_bundle", lambda path: card)
    assert main(["evaluate", str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "The 8 labels of 'eight' are not EMOTIC's 26" in capsys.readouterr().err
