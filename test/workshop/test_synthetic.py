"""The renderer and the data set it makes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.caer_s import list_samples, read_rgb
from caer_ros.datasets.expressions import RECIPES, sample_expression
from caer_ros.datasets.ict_face import FaceModel, load_face_model
from caer_ros.datasets.people import load_people
from caer_ros.datasets.raster import rasterize
from caer_ros.datasets.synthetic import HEIGHT, WIDTH, render_scene, write_dataset


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_near_quads_hide_far_ones() -> None:
    square = np.array([[2, 2, 0], [2, 8, 0], [8, 8, 0], [8, 2, 0]], float)
    vertices = np.concatenate([square, square + np.array([2, 2, 5])])
    values = np.repeat([[1.0], [2.0]], 4, axis=0)
    image, mask = rasterize(vertices, values, np.arange(8).reshape(2, 4), 12, 12)
    assert image[3, 3, 0] == 1
    assert image[6, 6, 0] == 2
    assert not mask[0, 0]
    assert mask[2:8, 2:8].all()


def test_quads_that_face_away_are_not_drawn() -> None:
    square = np.array([[2, 2, 0], [8, 2, 0], [8, 8, 0], [2, 8, 0]], float)
    outside = np.array([[1, 1, 0], [1, 2, 0], [2, 2, 0], [2, 1, 0]], float)
    quads = np.arange(8).reshape(2, 4)
    _, mask = rasterize(np.concatenate([square, outside]), np.ones((8, 1)), quads, 12, 12)
    assert not mask[4:, 4:].any()


@pytest.mark.parametrize("label", CAER7)
def test_recipes_use_shapes_that_exist(label: str, face_model: FaceModel) -> None:
    weights = sample_expression(label, np.random.default_rng(0), face_model.expressions)
    assert weights.keys() <= face_model.expressions.keys()
    assert all(0 <= weight <= 1 for weight in weights.values())
    for shape in RECIPES[label]:
        assert any(name.removesuffix("_L").removesuffix("_R") == shape for name in weights)


def test_unknown_label_has_no_recipe(face_model: FaceModel) -> None:
    with pytest.raises(ValueError, match="Contempt"):
        sample_expression("Contempt", np.random.default_rng(0), face_model.expressions)


def test_one_seed_one_picture(face_model: FaceModel) -> None:
    first = render_scene(face_model, seed=4, person=2, label="Happy")
    again = render_scene(face_model, seed=4, person=2, label="Happy")
    other = render_scene(face_model, seed=5, person=2, label="Happy")
    assert first.image.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(first.image, again.image)
    assert first.box == again.box
    assert (first.image != other.image).any()


def test_face_box_lies_on_the_face(face_model: FaceModel) -> None:
    box = render_scene(face_model, seed=4, person=1, label="Neutral").box
    assert 0.2 * HEIGHT < box.height < 0.7 * HEIGHT
    assert 0.5 < box.width / box.height < 1.3
    assert box.clipped(WIDTH, HEIGHT) is not None


@pytest.mark.slow
def test_data_set_layout_and_repeatability(face_model: FaceModel, tmp_path: Path) -> None:
    counts = write_dataset(face_model, tmp_path / "a", count=14, seed=9)
    write_dataset(face_model, tmp_path / "b", count=14, seed=9)
    assert counts == {"train": 7, "test": 7}
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert (tmp_path / "a" / "contact_sheet.png").is_file()
    samples = list_samples(tmp_path / "a", "test")
    assert [sample.label for sample in samples] == list(range(7))
    assert read_rgb(samples[0].path).shape == (HEIGHT, WIDTH, 3)
    people = load_people(tmp_path / "a", [], True, 100)
    assert people.faces.shape == (7, 96, 96, 3)
    assert people.contexts.shape == (7, 224, 224, 3)


def test_folder_that_is_not_empty_is_left_alone(face_model: FaceModel, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="new folder"):
        write_dataset(face_model, tmp_path, count=14, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_missing_face_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_face_model(tmp_path / "none.npz")


def test_face_model_of_something_else(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", N=np.zeros((4, 3)))
    with pytest.raises(InputError, match="ICT-FaceKit"):
        load_face_model(tmp_path / "other.npz")


def test_pictures_without_boxes(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "Anger"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "0001.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"0001.png.*caer data synth"):
        list_samples(tmp_path, "train")
    (tmp_path / "train.csv").write_text("Anger/0001.png,0,1,1,5,5\n")
    (sample,) = list_samples(tmp_path, "train")
    assert sample.box == Box(1, 1, 5, 5)
