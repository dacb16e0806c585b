"""People close to photographs: that they show what their label says, and always the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.core import CAER7, InputError
from caer_ros.datasets.caer_s import list_samples, read_rgb
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.photoreal.colour import lab_to_linear, to_linear, to_srgb
from caer_ros.datasets.photoreal.dataset import write_photoreal
from caer_ros.datasets.photoreal.emotions import sample_face
from caer_ros.datasets.photoreal.light import irradiance, sphere
from caer_ros.datasets.photoreal.person import Studio, open_studio
from caer_ros.datasets.photoreal.picture import HEIGHT, WIDTH, person_of, take
from caer_ros.datasets.photoreal.prototypes import PROTOTYPES
from caer_ros.datasets.photoreal.wrinkles import activity
from caer_ros.datasets.photoreal.zbuffer import find_hits, front_sides


@pytest.fixture(scope="module")
def studio(face_model: FaceModel) -> Studio:
    return open_studio(face_model)


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_nearest_quad_is_hit_and_its_values_are_interpolated() -> None:
    square = np.array([[2, 2, 0], [2, 8, 0], [8, 8, 0], [8, 2, 0]], float)
    points = np.concatenate([square, square + np.array([2, 2, 5])])
    quads = np.arange(8).reshape(2, 4)
    hits = find_hits(points, quads, 12, 12)
    face = np.full(144, -1)
    face[hits.pixel] = hits.face
    assert face[3 * 12 + 3] == 0
    assert face[6 * 12 + 6] == 1
    assert face[0] == -1
    across = np.full(144, np.nan)
    across[hits.pixel] = hits.mix(points[:, :1].astype(np.float32))[:, 0]
    assert abs(across[3 * 12 + 5] - 5.5) < 0.6
    assert front_sides(points, quads).all()
    assert not front_sides(points, quads[:, ::-1]).any()


def test_light_from_above_falls_on_what_looks_up() -> None:
    sky = np.repeat(np.clip(sphere()[:, 1:2], 0, 1), 3, axis=1)
    on = irradiance(np.array([[0, 1, 0], [0, -1, 0]], np.float32), None, sphere(), sky)
    assert on[0, 0] > 10 * on[1, 0]


def test_nothing_is_lit_through_the_head(studio: Studio) -> None:
    back = sphere()[:, 2] < -0.9
    nose = int(studio.model.neutral[:9409, 2].argmax())
    assert studio.seen[nose][back].max() == 0
    assert studio.seen[nose][sphere()[:, 2] > 0.9].min() == 1


def test_a_skin_tone_is_what_it_says() -> None:
    colour = to_srgb(lab_to_linear(65.0, 11.0, 15.0)).astype(np.float32)
    lightness, _, b = cv2.cvtColor(colour[None, None], cv2.COLOR_RGB2Lab)[0, 0]
    assert abs(lightness - 65) < 1
    assert abs(np.degrees(np.arctan2(lightness - 50, b)) - 45) < 4
    assert np.allclose(to_srgb(to_linear(np.linspace(0, 1, 9))), np.linspace(0, 1, 9), atol=1e-4)


@pytest.mark.parametrize("label", CAER7)
def test_recipes_use_shapes_that_exist(label: str, face_model: FaceModel) -> None:
    names = {n.removesuffix("_L").removesuffix("_R") for n in face_model.expressions} | {"_lids"}
    assert all(recipe.keys() <= names for recipe in PROTOTYPES[label])
    for seed in range(20):
        weights = sample_face(label, np.random.default_rng(seed), face_model.expressions)
        assert weights.keys() <= face_model.expressions.keys()
        assert all(-1.2 <= weight <= 1.4 for weight in weights.values())


def test_unknown_label_has_no_recipe(face_model: FaceModel) -> None:
    with pytest.raises(ValueError, match="Contempt"):
        sample_face("Contempt", np.random.default_rng(0), face_model.expressions)


# A point of the mean face and how far up it moves on average at least, in cm; below 0: down.
MOVES = [
    ("Anger", (1.5, 5.3), -0.3),
    ("Disgust", (1.7, -0.4), 0.2),
    ("Fear", (1.5, 5.3), 0.3),
    ("Happy", (2.5, -3.4), 0.4),
    ("Sad", (2.5, -3.4), -0.3),
    ("Surprise", (0.0, -7.6), -0.8),
]


@pytest.mark.parametrize(("label", "point", "up"), MOVES)
def test_faces_move_as_their_emotion(
    label: str, point: tuple[float, float], up: float, face_model: FaceModel
) -> None:
    front = face_model.neutral[:9409]
    gap = np.hypot(*(front[:, :2] - point).T) + np.where(front[:, 2] > 5, 0, 100)
    vertex = int(gap.argmin())
    moved = []
    for seed in range(60):
        weights = sample_face(label, np.random.default_rng(seed), face_model.expressions)
        parts = (w * face_model.expressions[n][vertex, 1] for n, w in weights.items())
        moved.append(sum(parts))
    assert float(np.mean(moved)) * np.sign(up) > abs(up)


def test_frowns_fold_the_brow_and_smiles_do_not() -> None:
    frown = activity({"browDown_L": 1.0, "browDown_R": 1.0})
    smile = activity({"mouthSmile_L": 1.0, "mouthSmile_R": 1.0})
    assert frown["glabella"] > 0.8 > 0.1 > smile["glabella"]
    assert smile["nasolabial"] > 0.5 > 0.1 > frown["nasolabial"]


def test_a_picture_depends_on_its_arguments_alone(studio: Studio) -> None:
    person = person_of(studio, 3, 1)
    first = take(studio, person, 3, 1, "Sad")
    take(studio, person, 3, 1, "Happy")
    again = take(studio, person_of(studio, 3, 1), 3, 1, "Sad")
    assert np.array_equal(first.image, again.image)
    assert first.box == again.box
    other = take(studio, person_of(studio, 4, 1), 4, 1, "Sad")
    assert not np.array_equal(first.image, other.image)


def test_landmarks_lie_on_the_face(studio: Studio) -> None:
    for number in range(3):
        picture = take(studio, person_of(studio, 0, number), 0, number, "Neutral")
        assert picture.image.shape == (HEIGHT, WIDTH, 3)
        box, marks = picture.box, picture.landmarks
        spare = 0.15 * box.width
        assert (marks[:, 0] > box.x1 - spare).all()
        assert (marks[:, 0] < box.x2 + spare).all()
        assert (marks[:, 1] > box.y1).all()
        assert (marks[:, 1] < box.y2 + spare).all()


def test_the_data_set_reads_as_caer_s_and_goes_on_where_it_was(
    face_model: FaceModel, tmp_path: Path
) -> None:
    out = tmp_path / "renders"
    assert write_photoreal(face_model, out, 14, 5) == {"train": 7, "test": 7}
    samples = list_samples(out, "train")
    assert [sample.label for sample in samples] == list(range(7))
    assert all(sample.box is not None for sample in samples)
    assert read_rgb(out / "contact_sheet.png").shape[0] % 7 == 0
    before = digest(out)
    (out / "people" / "00001.json").unlink()
    samples[0].path.write_bytes(b"half a picture")
    write_photoreal(face_model, out, 14, 5)
    assert digest(out) == before
    with pytest.raises(InputError, match="other arguments"):
        write_photoreal(face_model, out, 14, 6)


def test_strange_folders_and_small_counts_are_refused(
    face_model: FaceModel, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        write_photoreal(face_model, tmp_path, 14, 0)
    with pytest.raises(InputError, match="too small"):
        write_photoreal(face_model, tmp_path / "new", 7, 0)
