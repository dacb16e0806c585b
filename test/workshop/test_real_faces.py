"""Cutting photographed faces and giving them other expressions."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.core import Box, InputError
from caer_ros.datasets.expression_warp import fit_pose, model_landmarks, warp_expression
from caer_ros.datasets.ict_face import FaceModel
from caer_ros.datasets.patches import PATCH, cut_patch
from caer_ros.datasets.people import load_people
from caer_ros.datasets.real_faces import (
    YuNet,
    list_faces,
    list_scenes,
    named,
    read_frames,
    write_faces,
)


def frontal_landmarks(face_model: FaceModel) -> np.ndarray:
    points = model_landmarks(face_model)[:, :2] * [5.0, -5.0]
    return points + PATCH / 2


def test_landmarks_are_a_face(face_model: FaceModel) -> None:
    right_eye, left_eye, nose, right_mouth, left_mouth = model_landmarks(face_model)
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert left_mouth[1] < nose[1] < left_eye[1]
    assert nose[2] > max(left_eye[2], left_mouth[2])


def test_pose_puts_the_landmarks_where_they_were_seen(face_model: FaceModel) -> None:
    seen = frontal_landmarks(face_model)
    pose = fit_pose(face_model, seen, PATCH)
    assert pose is not None
    found = pose.project(model_landmarks(face_model))[:, :2]
    np.testing.assert_allclose(found, seen, atol=1.5)


def test_no_pose_for_landmarks_of_no_face(face_model: FaceModel) -> None:
    nonsense = np.array([[10, 10], [20, 180], [150, 12], [100, 100], [15, 14]], float)
    assert fit_pose(face_model, nonsense, PATCH) is None


def test_warp_moves_the_face_and_nothing_else(face_model: FaceModel) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (PATCH, PATCH, 3), dtype=np.uint8)
    pose = fit_pose(face_model, frontal_landmarks(face_model), PATCH)
    assert pose is not None
    smile = {"mouthSmile_L": 1.0, "mouthSmile_R": 1.0}
    warped = warp_expression(picture, pose, face_model, smile)
    changed = (warped != picture).any(axis=2)
    assert changed[PATCH // 2 : PATCH // 2 + 40, PATCH // 2 - 20 : PATCH // 2 + 20].mean() > 0.3
    assert not changed[:10].any()
    assert not changed[-10:].any()


def test_without_weights_nothing_moves(face_model: FaceModel) -> None:
    picture = np.full((PATCH, PATCH, 3), 90, np.uint8)
    pose = fit_pose(face_model, frontal_landmarks(face_model), PATCH)
    assert pose is not None
    np.testing.assert_allclose(warp_expression(picture, pose, face_model, {}), picture, atol=1)


def test_patch_has_the_face_in_its_middle() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 45:55] = 255
    patch, box = cut_patch(image, Box(45, 40, 55, 60), "rgb8")
    assert patch.shape == (PATCH, PATCH, 3)
    assert (box.x1 + box.x2) / 2 == pytest.approx(PATCH / 2)
    assert box.height == pytest.approx(PATCH / 2)
    assert patch[PATCH // 2, PATCH // 2].min() == 255


def test_unreadable_inputs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="detector"):
        YuNet(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no onnx")
    with pytest.raises(InputError, match="can not read"):
        YuNet(tmp_path / "bad.onnx")
    with pytest.raises(InputError, match="picture or a film"):
        list(read_frames(tmp_path / "none.png"))
    with pytest.raises(InputError, match="caer data faces"):
        list_faces(tmp_path)


@pytest.mark.slow
def test_faces_of_a_photograph(
    photos: Path, face_model: FaceModel, tmp_path: Path, shared_data: Path
) -> None:
    detector = shared_data / "yunet_s_640_640.onnx"
    counts = write_faces([photos / "astronaut.png"], tmp_path / "f", detector, face_model, 2, 0)
    assert counts == {"astronaut": 1}
    rows = list_faces(tmp_path / "f")
    assert len(rows) == 3
    assert {source for _, source, _ in rows} == {"astronaut"}
    assert len(list_scenes(tmp_path / "f")) == 1


def test_two_sources_of_one_name_are_refused(face_model: FaceModel, tmp_path: Path) -> None:
    sources = [tmp_path / "a" / "001.jpg", tmp_path / "b" / "001.png"]
    with pytest.raises(InputError, match=r"both be written as '001'"):
        write_faces(sources, tmp_path / "faces", tmp_path / "none.onnx", face_model, 1, 0)
    assert not (tmp_path / "faces").exists()


@pytest.mark.parametrize(
    "line", ["a/0_0_00.png,1,2,3", "a/0_0_00.png,1,2,3,x", "", "a,1,2,3,4,5,6"]
)
def test_a_damaged_table_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text(f"a/0_0_01.png,1,2,3,4\n{line}\n")
    with pytest.raises(InputError, match="not 'SOURCE"):
        list_faces(tmp_path)


def test_each_face_of_a_long_film_stands_in_its_own_scene(tmp_path: Path) -> None:
    """Frames have five digits from the 10,000th on."""
    film = tmp_path / "film"
    film.mkdir()
    for frame, grey in (("1000", 10), ("10000", 200)):
        for name, side in ((f"{frame}_0_00.png", PATCH), (f"{frame}_scene.png", 224)):
            cv2.imwrite(str(film / name), np.full((side, side, 3), grey, np.uint8))
    lines = [f"film/{frame}_0_00.png,60,60,130,130\n" for frame in ("1000", "10000")]
    (tmp_path / "faces.csv").write_text("".join(lines))
    people = load_people(tmp_path, (), False, 10)
    assert people.faces.mean(axis=(1, 2, 3)).round().tolist() == [10, 200]
    assert people.contexts[people.scene].mean(axis=(1, 2, 3)).round().tolist() == [10, 200]


def test_sources_are_named_in_full_or_by_a_pattern() -> None:
    names = ("astronaut", "portraits_A*")
    assert named("astronaut", names)
    assert named("portraits_A12", names)
    assert not named("astronauts", names)
    assert not named("portraits_B12", names)
    assert not named("x_portraits_A1", names)
