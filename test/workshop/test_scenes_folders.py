"""Written sets of scenes, read back by the readers of the data sets that they imitate."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.cli import data_scenes
from caer_ros.core import CAER7, EMOTIC26, InputError
from caer_ros.datasets.caer_s import list_samples
from caer_ros.datasets.face_boxes import NAME, read_boxes, with_boxes
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.scenes.emotic_labels import OF_EMOTION, OF_THING
from caer_ros.datasets.scenes.folders import SceneSet, read_about, write_scenes
from caer_ros.datasets.scenes.media import encode_png
from caer_ros.datasets.scenes.objects import CUES
from caer_ros.datasets.scenes.spec import SceneControls

TINY = SceneControls(ambiguity=(0.5, 1.0), reliability=0.6, companions=2, width=160, height=120)


def _set(layout: str, **counts: int) -> SceneSet:
    return SceneSet(layout, counts, seed=9, controls=TINY, frames=16)


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scenes") / "s"
    assert write_scenes(out, _set("caer-s", train=14, test=7)) == {"train": 14, "test": 7}
    return out


def test_caer_s_reads_back(pictures: Path) -> None:
    data = read_dataset(pictures)
    assert data.kind == "image"
    assert [len(data.split(name)) for name in ("train", "test")] == [14, 7]
    rows = {row["file"]: row for row in _rows(pictures / "train.jsonl")}
    boxes = read_boxes(pictures / NAME)
    for sample in data.split("train"):
        row = rows[data.relative(sample)]
        assert CAER7[sample.label] == row["label"]
        assert sample.box is not None
        assert (sample.box.x1, sample.box.y2) == (row["faces"][0][0], row["faces"][0][3])
        assert boxes[row["file"]].subject() is not None
        assert len(boxes[row["file"]].frames[0]) == len(row["faces"])
    assert len(list_samples(pictures, "test")) == 7
    assert all(sample.box is not None for sample in with_boxes(data, boxes))


def test_one_sample_can_be_drawn_again_from_the_folder(pictures: Path) -> None:
    stream = read_about(pictures).stream("train")
    for row in _rows(pictures / "train.jsonl")[3:9:3]:
        scene = stream.scene(row["index"])
        assert encode_png(scene.image) == (pictures / row["file"]).read_bytes()
        assert {"file": row["file"]} | json.loads(json.dumps(scene.record())) == row


def test_the_record_says_what_can_be_reached(pictures: Path) -> None:
    about = json.loads((pictures / "scenes.json").read_text())
    assert about["ceilings"] == TINY.ceilings().as_dict()
    assert about["ceilings"]["both"] > max(about["ceilings"]["face"], about["ceilings"]["context"])
    assert read_about(pictures).controls == TINY
    for name in ("contact_sheet.png", "vocabulary.png"):
        assert cv2.imread(str(pictures / name)) is not None


def test_the_same_seed_gives_the_same_bytes(pictures: Path, tmp_path: Path) -> None:
    write_scenes(tmp_path / "again", _set("caer-s", train=14, test=7))
    files = sorted(p.relative_to(pictures) for p in pictures.rglob("*") if p.is_file())
    assert len(files) == 14 + 7 + 2 * 2 + 4
    for name in files:
        assert (tmp_path / "again" / name).read_bytes() == (pictures / name).read_bytes(), name


def test_caer_clips_read_back_and_repeat(tmp_path: Path) -> None:
    write_scenes(tmp_path / "a", _set("caer", validation=7))
    write_scenes(tmp_path / "b", _set("caer", validation=7))
    data = read_dataset(tmp_path / "a")
    assert data.kind == "video"
    assert {sample.label for sample in data.split("validation")} == set(range(7))
    boxes = read_boxes(tmp_path / "a" / NAME)
    for sample in data.samples:
        name = data.relative(sample)
        assert sample.path.read_bytes() == (tmp_path / "b" / name).read_bytes()
        video = cv2.VideoCapture(str(sample.path))
        assert video.get(cv2.CAP_PROP_FPS) == 10
        assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 16
        assert video.read()[1].shape == (120, 160, 3)
        assert boxes[name].found == 16


def test_emotic_json_has_several_people_with_boxes(tmp_path: Path) -> None:
    out = tmp_path / "e"
    write_scenes(out, _set("emotic", train=7, validation=7, test=7))
    images = json.loads((out / "Annotations.json").read_text())
    assert [len(images[name]) for name in ("train", "val", "test")] == [7, 7, 7]
    assert max(len(entry["person"]) for entry in images["train"]) > 1
    for entry in images["val"]:
        picture = cv2.imread(str(out / "emotic" / entry["folder"] / entry["filename"]))
        assert picture.shape[:2] == (entry["image_size"]["n_row"], entry["image_size"]["n_col"])
        for person in entry["person"]:
            x1, y1, x2, y2 = person["body_bbox"]
            assert 0 <= x1 < x2 <= 160
            assert 0 <= y1 < y2 <= 120
            assert len(person["annotations_categories"]) == 5
            united = {c for a in person["annotations_categories"] for c in a["categories"]}
            assert united == set(person["combined_categories"]) <= set(EMOTIC26)
            assert all(1 <= v <= 10 for v in person["combined_continuous"].values())


def test_emotic_mat_reads_back(tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    write_scenes(tmp_path / "a", _set("emotic", train=7, test=7))
    write_scenes(tmp_path / "b", _set("emotic", train=7, test=7))
    path = tmp_path / "a" / "Annotations.mat"
    assert path.read_bytes() == (tmp_path / "b" / "Annotations.mat").read_bytes()
    images = json.loads((tmp_path / "a" / "Annotations.json").read_text())
    mat = scipy_io.loadmat(str(path), squeeze_me=True, struct_as_record=False)
    for split, count in (("train", 1), ("test", 3)):
        for entry, plain in zip(mat[split], images[split], strict=True):
            assert entry.filename == plain["filename"]
            assert entry.image_size.n_col == 160
            assert (
                entry.original_database.info.image_id
                == plain["original_database"]["info"]["image_id"]
            )
            people = np.atleast_1d(entry.person)
            assert len(people) == len(plain["person"])
            for person, wanted in zip(people, plain["person"], strict=True):
                np.testing.assert_allclose(person.body_bbox, wanted["body_bbox"])
                assert np.atleast_1d(person.annotations_categories).size == count
                if split == "test":
                    assert (
                        list(np.atleast_1d(person.combined_categories))
                        == wanted["combined_categories"]
                    )
                    assert (
                        person.combined_continuous.valence
                        == wanted["combined_continuous"]["valence"]
                    )


def test_categories_reach_all_of_emotic() -> None:
    reached = {c for names in OF_EMOTION.values() for c in names} | set(OF_THING.values())
    assert reached | {"Confidence", "Fatigue", "Esteem", "Sympathy"} == set(EMOTIC26)
    assert set(OF_THING) == {drawing.__name__ for cues in CUES.values() for drawing in cues}


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    data_scenes.add_parser(parser.add_subparsers())
    args = parser.parse_args(["scenes", *arguments])
    return int(args.run(args))


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "cli"
    options = ("--train", "7", "--test", "0", "--size", "160x120", "--ambiguity", "0.2:1", "--json")
    assert _run(str(out), *options) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["counts"] == {"train": 7}
    assert said["ceilings"]["face"] < 1
    assert len(list(out.glob("train/*/0000.png"))) == 7
    with pytest.raises(InputError, match="is not empty"):
        _run(str(out))


def test_contact_sheet_alone(tmp_path: Path) -> None:
    assert _run(str(tmp_path / "look"), "--contact-sheet", "--size", "160x120") == 0
    assert sorted(p.name for p in (tmp_path / "look").iterdir()) == [
        "contact_sheet.png",
        "vocabulary.png",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ambiguity", "1.5"), "not within 0 to 1"),
        (("--ambiguity", "some"), "no number and no range"),
        (("--size", "100x80"), "Width 100 is not within"),
        (("--size", "big"), "is no size"),
        (("--train", "0", "--test", "0"), "No scenes are asked for"),
        (("--layout", "caer", "--frames", "8"), "frames a clip are too few"),
    ],
)
def test_bad_calls(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _run(str(tmp_path / "new"), *options)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can not be made"):
        _run(str(tmp_path / "file" / "out"))


def test_an_unfinished_folder_has_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the record of a finished set"):
        read_about(tmp_path)
    (tmp_path / "scenes.json").write_text('{"schema": 99}')
    with pytest.raises(InputError, match="schema 99"):
        read_about(tmp_path)
