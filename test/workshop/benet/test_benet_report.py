"""All scores in one object, its tables and its pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.core import EMOTIC26, InputError
from caer_ros.evaluation.benet.figures import draw_categories, draw_joint, draw_reliability
from caer_ros.evaluation.benet.map_figure import draw_maps, strongest_emotions
from caer_ros.evaluation.benet.predictions import AtTruth, GroundTruth, ImageDetections
from caer_ros.evaluation.benet.report import BenetScores, benet_scores, tune
from caer_ros.evaluation.benet.tables import (
    category_table,
    markdown,
    report_text,
    table_1,
    table_2,
    table_3,
)

Split = tuple[list[GroundTruth], list[AtTruth], list[ImageDetections]]


def split(pictures: int, seed: int) -> Split:
    """Made-up pictures of two people, found well, with predictions that are better than chance."""
    rng = np.random.default_rng(seed)
    truths, read, detections = [], [], []
    for _ in range(pictures):
        corner = np.array([[0, 0], [200, 0]]) + rng.uniform(0, 50, (2, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(40, 120, (2, 2))], axis=1)
        positives = rng.random((2, 26)) < 0.3
        positives[:, 7] = False
        said = np.clip(0.3 * positives + 0.7 * rng.random((2, 26)), 0, 1)
        vad = rng.uniform(-1, 1, (2, 3))
        truths.append(GroundTruth(boxes, positives * 1.0, np.ones((2, 26), bool), vad))
        read.append(AtTruth(said, vad / 2))
        moved = boxes + rng.normal(0, 3, (2, 4))
        detections.append(ImageDetections(moved, rng.random(2), said))
    return truths, read, detections


@pytest.fixture(scope="module")
def judged() -> Split:
    return split(20, 1)


@pytest.fixture(scope="module")
def scores(judged: Split) -> BenetScores:
    truths, read, detections = judged
    return benet_scores(truths, read, detections, tune(*split(20, 2)[:2]))


def test_everything_is_there(scores: BenetScores) -> None:
    assert (scores.images, scores.people) == (20, 40)
    assert [form.form for form in scores.joint] == ["literal", "strict", "legacy_iou"]
    plain = json.loads(json.dumps(scores.as_dict(), allow_nan=False))
    assert plain["emotions"]["left_out"] == ["Disconnection"]
    assert plain["emotions"]["mean"] > plain["emotions"]["chance"]
    assert plain["joint"]["strict"]["average"] <= plain["joint"]["literal"]["average"]
    assert plain["person_legacy"]["ap"] > plain["person"]["ap"] > 0
    assert plain["vad"]["valence"]["ccc"] == pytest.approx(0.8, abs=0.1)
    assert 0 < plain["named"]["micro_f1"] < 1
    assert plain["calibration"]["error_after"] < plain["calibration"]["error_before"]


def test_a_network_without_detection_and_vad(judged: Split) -> None:
    truths, read, _ = judged
    scores = benet_scores(truths, [replace(said, vad=None) for said in read])
    assert set(scores.as_dict()) == {"images", "people", "emotions"}
    text = report_text("BU", scores)
    assert "Table 1" in text
    assert not any(word in text for word in ("Table 2", "Table 3", "Valence", "alibration"))


def test_perfect_reading(judged: Split) -> None:
    truths = judged[0]
    perfect = [AtTruth(truth.categories) for truth in truths]
    found = [
        ImageDetections(truth.boxes, np.ones(len(truth.boxes)), truth.categories)
        for truth in truths
    ]
    scores = benet_scores(truths, perfect, found, tune(truths, perfect))
    assert scores.emotions.mean == pytest.approx(100)
    assert scores.person is not None
    assert scores.person.ap == pytest.approx(100)
    assert [form.average for form in scores.joint] == pytest.approx([100] * 3)
    assert scores.named is not None
    assert scores.named.micro_f1 == 1


def test_detections_that_do_not_fit(judged: Split) -> None:
    truths, read, detections = judged
    with pytest.raises(InputError, match="pictures"):
        benet_scores(truths, read, detections[:-1])


def test_tables_hold_our_figures_only(scores: BenetScores) -> None:
    one = {"BU+Det": scores}
    assert scores.person is not None
    first, second, third = table_1(one), table_2(one), table_3(one)
    assert cells(first, "mAP") == [f"{scores.emotions.mean:.2f}"]
    assert cells(first, "chance") == [f"{scores.emotions.chance:.2f}"]
    assert cells(second, "AP") == [f"{scores.person.ap:.2f}"]
    assert cells(second, "AP50") == [f"{scores.person.ap50:.2f}"]
    assert cells(third, "Det. thr.") == [*(f"{t:.2f}" for t in np.arange(0.5, 1, 0.05)), "Avg."]
    strict = scores.joint[1]
    assert cells(third, "BU+Det, strict") == [
        *(f"{mean:.2f}" for mean in strict.means),
        f"{strict.average:.2f}",
    ]
    everything = report_text("BU+Det", scores)
    assert not any("ACIVS" in text for text in (first, second, third, everything))
    assert "legacy" not in second


def test_published_figures_stand_in_rows_of_their_own(scores: BenetScores) -> None:
    assert scores.person is not None
    assert scores.person_legacy is not None
    one = {"BU+Det": scores, "mine": scores}
    first = table_1(one, published=True)
    # The paper's columns in its order, then ours; a dash where a row has nothing.
    source = "Cladière et al., ACIVS 2023"
    assert cells(first, f"mAP, {source}") == ["23.10", "27.22", "27.49", "27.73", "28.75", "–"]
    mine = f"{scores.emotions.mean:.2f}"
    assert cells(first, "mAP") == ["–", mine, "–", "–", "–", mine]
    second = table_2(one, published=True)
    assert cells(second, f"AP, {source}") == ["49.66", "49.16", "51.49", "51.71", "–"]
    assert cells(second, "AP, legacy IoU")[0] == f"{scores.person_legacy.ap:.2f}"
    third = table_3(one, published=True)
    assert cells(third, f"BU+Det+PC, {source}")[-2:] == ["19.37", "24.15"]
    assert source in report_text("BU+Det", scores, published=True)


def test_category_table(scores: BenetScores) -> None:
    text = category_table(scores.emotions)
    first = scores.emotions.categories[0]
    expected = [f"{first.ap:.2f}", f"{first.prevalence:.2f}", str(first.support)]
    assert cells(text, "Affection") == expected
    assert cells(text, "Disconnection") == ["–", "0.00", "0"]
    assert cells(text, "mean")[0] == f"{scores.emotions.mean:.2f}"
    assert len(text.splitlines()) == 2 + 26 + 1


def test_markdown_is_aligned() -> None:
    assert markdown(["a", "bcd"], [["long", "1"]]).splitlines() == [
        "| a    | bcd |",
        "| ---- | --: |",
        "| long |   1 |",
    ]


def cells(table: str, title: str) -> list[str]:
    """The cells right of a row's title; there is one such row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    (row,) = [row for row in rows if row[0] == title]
    return row[1:]


def test_pictures_of_scores(scores: BenetScores, tmp_path: Path) -> None:
    assert scores.calibration is not None
    draw_categories(scores.emotions, tmp_path / "categories.png")
    draw_joint(scores.joint, scores.emotions.chance, tmp_path / "joint.png")
    draw_reliability(scores.calibration, tmp_path / "reliability.png")
    for name in ("categories", "joint", "reliability"):
        picture = cv2.imread(str(tmp_path / f"{name}.png"))
        assert min(picture.shape[:2]) > 300
        assert picture.std() > 5


def maps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A gray picture and maps of half its size with a spot at (40, 20) of the picture."""
    heat = np.zeros((30, 40))
    heat[10, 20] = 0.9
    emotions = np.full((26, 30, 40), 0.01)
    emotions[3, 10, 20], emotions[5, 10, 20] = 0.5, 0.8
    emotions[9, 0, 0] = 1  # nobody is there
    return np.full((60, 80, 3), 90, np.uint8), heat, emotions


def test_the_strongest_emotions_are_those_of_the_people() -> None:
    image, _, emotions = maps()
    person = np.array([[30.0, 10, 51, 31]])
    assert strongest_emotions(emotions, person, image, 2) == [5, 3]
    assert strongest_emotions(emotions, np.zeros((0, 4)), image, 3) == [9, 5, 3]
    # A centre outside the picture is read at its edge.
    assert strongest_emotions(emotions, np.array([[-50.0, -50, 2, 2]]), image, 1) == [9]


def test_picture_of_the_maps(tmp_path: Path) -> None:
    image, heat, emotions = maps()
    person = np.array([[30.0, 10, 51, 31]])
    true, found, wide = (tmp_path / name for name in ("true.png", "found.png", "wide.png"))
    draw_maps(true, image, heat, emotions, true=person)
    draw_maps(found, image, heat, emotions, true=person, found=person + 15)
    draw_maps(wide, image, heat, emotions)
    pictures = [cv2.imread(str(path)) for path in (true, found, wide)]
    assert all(min(picture.shape[:2]) > 300 for picture in pictures)
    green = [(picture == (48, 208, 48)).all(axis=2).sum() for picture in pictures]
    amber = [(picture == (0, 176, 255)).all(axis=2).sum() for picture in pictures]
    # The legend has a line of each colour; boxes add more.
    assert green[0] > 3 * green[2] > 0
    assert amber[1] > 3 * amber[0] > 0


def test_maps_that_can_not_be_drawn(tmp_path: Path) -> None:
    image, heat, emotions = maps()
    path = tmp_path / "x.png"
    bad = [
        (image.astype(float), heat, emotions, None),
        (image, heat[:5], emotions, None),
        (image, heat, emotions[:20], None),
        (image, heat * np.nan, emotions, None),
        (image, heat, emotions, np.zeros(4)),
    ]
    for picture, people, feelings, boxes in bad:
        with pytest.raises(InputError):
            draw_maps(path, picture, people, feelings, boxes)
    assert not path.exists()
    assert len(EMOTIC26) == len(emotions)
