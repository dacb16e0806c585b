"""The gap between renders and photographs: its measures by hand, its switches, its page."""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from caer_ros.core import CAER7, Box
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.photoreal.person import Studio, open_studio
from caer_ros.datasets.photoreal.picture import Picture, person_of, take
from caer_ros.training.teacher import Teacher

SCRIPTS = Path(__file__).parents[2] / "scripts"
SEED, PERSON, LABEL = 1, 8, "Surprise"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/domain_gap.py, whose neighbours are loaded as gap_*."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        return importlib.import_module("domain_gap")
    finally:
        sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def measures(script: ModuleType) -> ModuleType:
    return sys.modules["gap_measures"]


@pytest.fixture(scope="module")
def switches(script: ModuleType) -> ModuleType:
    return sys.modules["gap_switches"]


@pytest.fixture(scope="module")
def renders(script: ModuleType) -> ModuleType:
    return sys.modules["gap_renders"]


@pytest.fixture(scope="module")
def studio(face_model: FaceModel) -> Studio:
    return open_studio(face_model)


@pytest.fixture(scope="module")
def full(studio: Studio) -> Picture:
    return take(studio, person_of(studio, SEED, PERSON), SEED, PERSON, LABEL)


def some_faces(measures: ModuleType, people: int = 30, shift: float = 0.0, seed: int = 0):
    """One Happy and one Neutral face of each of `people`, five features."""
    rng = np.random.default_rng(seed)
    pose = np.tile(measures.COMPARED, people)
    features = rng.normal(0, 1, (len(pose), 5)) + (pose == pose[0])[:, None] + shift
    return measures.Faces(features, pose, np.repeat(np.arange(people), 2))


def once(faces) -> np.ndarray:
    return np.ones((1, len(faces)))


def test_the_distance_of_two_normal_distributions_is_that_of_the_book(
    measures: ModuleType,
) -> None:
    one = np.zeros(2), np.array([4.0, 9.0])
    assert measures.frechet(one, one) == 0
    assert measures.frechet(one, (np.array([3.0, 4.0]), one[1])) == 25
    # (2 - 1)² + (3 - 1)²
    assert measures.frechet(one, (one[0], np.ones(2))) == 5


def test_equal_faces_are_not_apart_and_moved_ones_by_how_far_they_moved(
    measures: ModuleType,
) -> None:
    real = some_faces(measures)
    axes = measures.main_axes(real)
    times = once(real), once(real)
    assert measures.distances(real, real, axes, times) == pytest.approx([0], abs=1e-12)
    way = np.array([2.0, 0, 0, 0, -1.0])
    moved = measures.Faces(real.features + way, real.pose, real.who)
    # Both poses weigh the same, and here as many faces have either.
    variance = real.features.var(axis=0).sum()
    found = measures.distances(moved, real, axes, times)
    assert found == pytest.approx([5 / variance])
    wider = measures.Faces(2 * real.features - real.features.mean(axis=0), real.pose, real.who)
    assert measures.distances(wider, real, axes, times) == pytest.approx([1])


def test_a_rare_pose_weighs_as_much_as_a_frequent_one(measures: ModuleType) -> None:
    weights = measures.even_weights(
        np.array([3, 3, 3, 4]), np.array([[1.0, 1, 1, 1], [3, 0, 0, 1]])
    )
    assert weights == pytest.approx(np.array([[1 / 6, 1 / 6, 1 / 6, 1 / 2], [0.5, 0, 0, 0.5]]))


def test_people_are_drawn_with_all_of_their_faces(measures: ModuleType) -> None:
    who = np.array([7, 9, 7, 2, 9, 2])
    times = measures.draws(who, 50, np.random.default_rng(0))
    assert (times[0] == 1).all()
    assert all((times[:, 0] == times[:, 2]).tolist())
    assert (times.sum(axis=1) == 6).all()
    assert times.max() > 1


def test_only_what_differs_is_told_apart(measures: ModuleType) -> None:
    real = some_faces(measures, 60)
    accuracy = []
    for shift in (0.0, 4.0):
        renders = some_faces(measures, 30, shift, seed=1)
        tally = measures.tell_apart(renders, real, 4, 0)
        accuracy.append(float(tally.accuracy((once(renders), once(real)))[0]))
    assert accuracy[0] == pytest.approx(0.5, abs=0.2)
    assert accuracy[1] > 0.98


def test_nobody_is_in_training_and_test_at_once(measures: ModuleType) -> None:
    # Each person is a point of its own, real or not by chance: only who knows the person knows.
    rng = np.random.default_rng(0)
    points = 10 * rng.normal(0, 1, (40, 60))
    who = np.repeat(np.arange(20), 2)
    happy = np.tile(measures.COMPARED, 20)
    renders = measures.Faces(points[:20].repeat(2, axis=0), happy, who)
    real = measures.Faces(points[20:].repeat(2, axis=0), happy, who)
    tally = measures.tell_apart(renders, real, 4, 0)
    assert tally.accuracy((once(renders), once(real)))[0] < 0.75


def corner(picture: Picture) -> np.ndarray:
    """Where there is neither person nor shadow."""
    return picture.image[:24, :24]


@pytest.mark.parametrize("name", ["skin", "wrinkles", "hair", "wear", "features", "light"])
def test_a_switch_changes_the_person_and_nothing_else(
    name: str, studio: Studio, full: Picture, renders: ModuleType
) -> None:
    (variant,) = (v for v in renders.VARIANTS if v.name == f"no {name}")
    (without,) = renders.shoot(variant, studio, SEED, PERSON, (LABEL,))
    assert (without.image != full.image).any(axis=2).mean() > 0.005
    assert without.view == full.view
    assert np.array_equal(corner(without), corner(full))


@pytest.mark.parametrize("name", ["ground", "camera"])
def test_a_switch_changes_the_picture_of_the_same_person(
    name: str, studio: Studio, full: Picture, renders: ModuleType
) -> None:
    (variant,) = (v for v in renders.VARIANTS if v.name == f"no {name}")
    (without,) = renders.shoot(variant, studio, SEED, PERSON, (LABEL,))
    assert not np.array_equal(corner(without), corner(full))
    assert np.array_equal(without.landmarks, full.landmarks)


def test_every_means_is_tried_and_all_are_on_again_afterwards(
    studio: Studio, full: Picture, renders: ModuleType, switches: ModuleType
) -> None:
    tried = {"skin", "wrinkles", "hair", "wear", "features", "light", "ground", "camera"}
    assert {one.name for one in switches.MEANS} == tried
    patches = [patch for one in switches.MEANS for patch in one.patches]
    before = [getattr(patch.module, patch.name) for patch in patches]
    with switches.switched_off(switches.MEANS):
        during = [getattr(patch.module, patch.name) for patch in patches]
    assert all(off is not on for off, on in zip(during, before, strict=True))
    with pytest.raises(ZeroDivisionError), switches.switched_off(switches.MEANS):
        _ = 1 / 0
    assert before == [getattr(patch.module, patch.name) for patch in patches]
    (again,) = renders.shoot(renders.VARIANTS[0], studio, SEED, PERSON, (LABEL,))
    assert np.array_equal(again.image, full.image)


def write_real(folder: Path, people: int) -> None:
    """A folder as of `caer data faces`: of each person a patch and a warped one."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(people):
        for index in range(2):
            name = f"p{number}/0000_0_{index:02d}.png"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / name), rng.integers(0, 256, (192, 192, 3), np.uint8))
            rows.append([name, 48, 48, 144, 144])
    with (folder / "faces.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


def test_the_page_and_its_picture_are_written(
    script: ModuleType,
    renders: ModuleType,
    face_model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    one_thread: None,
) -> None:
    rng = np.random.default_rng(6)
    rendered = []

    def noise(variant, studio, seed, number, labels=CAER7):
        rendered.append((variant.name, number))
        image = rng.integers(0, 256, (120, 160, 3), np.uint8)
        return [renders.Scene(image, Box(40, 20, 100, 90), None) for _ in labels]

    def look(teacher, crops):
        said = np.arange(len(crops)) % 2 + 3
        return rng.normal(said[:, None], 1, (len(crops), 6)), said

    for module in (script, renders):
        monkeypatch.setattr(module, "shoot", noise)
        monkeypatch.setattr(module, "look", look)
    monkeypatch.setattr(script, "load_teacher", lambda path: Teacher().eval())
    monkeypatch.setattr(script, "open_studio", lambda model: None)
    write_real(tmp_path / "faces", 12)
    words = [
        "domain_gap.py", str(face_model_path), str(tmp_path / "faces"), "--people", "6",
        "--teacher", "folder/teacher", "--leave-out", "p1*", "--work", str(tmp_path),
        "--out", str(tmp_path / "docs"),
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", words)
    assert script.main() == 0
    text = (tmp_path / "docs" / "domain-gap.md").read_text()
    # p1, p10 and p11 are left out, and no warped copy counts.
    assert "9 faces of which the teacher calls 5 Happy and 4 Neutral" in text.replace("\n", " ")
    assert "scripts/domain_gap.py" in text
    assert "--leave-out 'p1*'" in text
    assert str(tmp_path) not in text
    for variant in script.VARIANTS:
        assert text.count(f"| {variant.name} ") == 3
        assert {n for name, n in rendered if name == variant.name} >= set(range(6))
    picture = cv2.imread(str(tmp_path / "docs" / "images" / "domain-gap.jpg"))
    assert picture.shape[1] == 4 * 320


def test_what_was_measured_is_kept(
    renders: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    monkeypatch.setattr(renders, "shoot", lambda *_: [renders.Scene(image, Box(0, 0, 1, 1), None)])
    kept = renders.Kept(tmp_path, None, 1, None)
    first = kept.get("one", lambda: (np.arange(3), np.array([True])))
    again = renders.Kept(tmp_path, None, 1, None).get("one", lambda: pytest.fail("again"))
    assert [a.tolist() for a in again] == [a.tolist() for a in first] == [[0, 1, 2], [True]]
    image[0] = 1
    other = renders.Kept(tmp_path, None, 1, None).get("one", lambda: (np.zeros(1),))
    assert other[0].tolist() == [0]
    detector = tmp_path / "detector.onnx"
    detector.write_bytes(b"another")
    other = renders.Kept(tmp_path, None, 1, detector).get("one", lambda: (np.ones(1),))
    assert other[0].tolist() == [1]
