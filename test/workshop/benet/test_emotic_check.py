"""`caer data check` of EMOTIC and HECO folders, through the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from caer_ros.cli.main import main
from caer_ros.datasets.emotic.check import check_people, people_layout
from caer_ros.datasets.scenes.folders import SceneSet, write_scenes
from caer_ros.datasets.scenes.spec import SceneControls


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scenes") / "e"
    controls = SceneControls(companions=3, width=320, height=120)
    write_scenes(out, SceneSet("emotic", {"train": 14, "test": 7}, 5, controls))
    return out


def _row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name}  ")]
    return line.split()[len(name.split()) :]


def test_drawn_scenes_are_counted_as_they_were_drawn(scenes: Path, capsys) -> None:
    assert main(["data", "check", str(scenes)]) == 0
    text = capsys.readouterr().out
    people = {
        split: [
            len(json.loads(line)["bodies"])
            for line in (scenes / f"{split}.jsonl").read_text().splitlines()
        ]
        for split in ("train", "test")
    }
    assert _row(text, "Pictures") == ["14", "7"]
    assert _row(text, "People") == [str(sum(counts)) for counts in people.values()]
    assert _row(text, "2 people") == [str(counts.count(2)) for counts in people.values()]
    annotations = json.loads((scenes / "Annotations.json").read_text())
    happy = sum(
        "Happiness" in person["annotations_categories"]["categories"]
        for entry in annotations["train"]
        for person in entry["person"]
    )
    assert _row(text, "Happiness")[0] == str(happy)
    assert "Unusable: 0 pictures or people." in text
    assert "published" not in text


def test_json(scenes: Path, capsys) -> None:
    assert main(["data", "check", str(scenes), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["dataset"] == "emotic"
    train = said["splits"]["train"]
    assert train["images"] == 14
    assert train["with_vad"] == train["people"]
    assert sum(train["people_per_image"].values()) == 14
    assert sum(train["positives"].values()) / train["people"] == pytest.approx(
        train["labels_per_person"], abs=1e-3
    )
    assert set(train["never_annotated"]) == {n for n, k in train["positives"].items() if not k}
    assert said["bad"] == []


def _write(root: Path, entries: dict[str, list[dict[str, Any]]], missing: set[str] = frozenset()):
    for listed in entries.values():
        for entry in listed:
            path = root / "emotic" / entry["folder"] / entry["filename"]
            path.parent.mkdir(parents=True, exist_ok=True)
            if entry["filename"] not in missing:
                cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))
    (root / "Annotations.json").write_text(json.dumps(entries))
    return root


def _entry(name: str, boxes: list[list[float]], vad: float | None = 5) -> dict[str, Any]:
    person = [
        {
            "body_bbox": box,
            "annotations_categories": {"categories": ["Peace", "Pain"]},
            "annotations_continuous": {"valence": vad, "arousal": 5, "dominance": 5},
        }
        for box in boxes
    ]
    size = {"n_row": 40, "n_col": 60}
    return {"filename": name, "folder": "mscoco/images", "image_size": size, "person": person}


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Everything wrong once."""
    entries = {
        "train": [
            _entry("a.png", [[0, 0, 20, 20], [0, 0, 20, 19.5], [30, 0, 70, 20]]),
            _entry("gone.png", [[0, 0, 9, 9]]),
            _entry("torn.png", [[0, 0, 9, 9]], None),
            _entry("small.png", [[0, 0, 9, 9]]),
        ],
        "test": [_entry("a.png", [[70, 0, 80, 20], [0, 0, 9, 9]])],
    }
    root = _write(tmp_path / "set", entries, {"gone.png"})
    folder = root / "emotic/mscoco/images"
    (folder / "torn.png").write_bytes((folder / "torn.png").read_bytes()[:40])
    cv2.imwrite(str(folder / "small.png"), np.zeros((4, 6, 3), np.uint8))
    return root


def test_everything_wrong_is_found(spoilt: Path, capsys) -> None:
    assert main(["data", "check", str(spoilt)]) == 2
    captured = capsys.readouterr()
    for reason in (
        "gone.png can not be read",
        "torn.png is not a readable image",
        "small.png has 6x4 pixels, but its annotation says 60x40",
        "a.png, person 1: the box (70, 0, 80, 20) has no area inside the 60x40 picture",
    ):
        assert reason in captured.err
    assert "4 pictures or people are unusable, the first: " in captured.err
    assert "Traceback" not in captured.err
    assert _row(captured.out, "People") == ["6", "1"]
    assert _row(captured.out, "with V, A, D") == ["5", "1"]
    assert _row(captured.out, "Twice annotated") == ["1", "0"]
    assert _row(captured.out, "Peace") == ["6", "1"]
    assert _row(captured.out, "3 people") == ["1", "0"]
    for line in (
        "1 boxes reach over the edge (clipped).",
        "1 pictures are in more than one split.",
        "Pictures and people in train: 4 and 6 (published: 16,977 and 23,266).",
        "Pictures and people in validation: none (published: 2,085 and 3,315).",
    ):
        assert line in captured.out
    assert main(["data", "check", str(spoilt), "--skip-bad", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (len(said["bad"]), said["outside"], said["boxes_over_edge"]) == (4, 1, 1)
    assert said["published"]["test"] == [4388, 7203]


def test_heco_is_counted_by_its_eight_labels(tmp_path: Path, capsys) -> None:
    (tmp_path / "Labels").mkdir()
    (tmp_path / "Data").mkdir()
    rows = ["Image,xmin,ymin,xmax,ymax,Category,Valence,Arousal,Dominance"]
    rows += [
        "a.png,0,0,20,20,Disgust,1,2,3",
        "a.png,20,0,40,20,Fear,1,2,",
        "no.png,0,0,9,9,Fear,1,2,3",
    ]
    (tmp_path / "Labels/HECO_Labels.csv").write_text("\n".join(rows) + "\n")
    cv2.imwrite(str(tmp_path / "Data/a.png"), np.zeros((40, 60, 3), np.uint8))
    assert people_layout(tmp_path) == "heco"
    assert main(["data", "check", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "no.png is not a readable image" in captured.err
    assert _row(captured.out, "Aversion") == ["1"]
    assert _row(captured.out, "Fear") == ["1"]
    assert _row(captured.out, "with V, A, D") == ["1"]
    assert "Affection" not in captured.out
    assert "Note: Valence, arousal and dominance were read as 1 to 10." in captured.out
    assert "1 and 2 (published: 9,385 and 19,781)" in captured.out


def test_wrong_calls(tmp_path: Path, scenes: Path, capsys) -> None:
    assert main(["data", "check", str(tmp_path / "nothere")]) == 2
    assert "nothere is no folder" in capsys.readouterr().err
    assert main(["data", "check", str(scenes), "--lists", str(tmp_path)]) == 2
    assert "not for" in capsys.readouterr().err
    assert main(["data", "check", str(scenes), "--workers", "0"]) == 2
    assert "too small" in capsys.readouterr().err
    broken = _write(tmp_path, {"train": [_entry("a.png", [[0, 0, 9, 9]])]})
    text = (broken / "Annotations.json").read_text()
    (broken / "Annotations.json").write_text(text.replace("Peace", "Piece"))
    assert main(["data", "check", str(broken)]) == 2
    err = capsys.readouterr().err
    assert "mscoco/images/a.png, person 1: 'Piece' is no category of EMOTIC" in err
    assert err.count("\n") == 1


def test_other_folders_are_not_taken_for_people(tmp_path: Path) -> None:
    assert people_layout(tmp_path / "no") == ""
    assert people_layout(tmp_path) == ""
    (tmp_path / "train.csv").write_text("Fear/0.png,2,1,2,3,4\n")
    assert people_layout(tmp_path) == ""


def test_a_picture_in_two_splits_is_read_once(spoilt: Path) -> None:
    (spoilt / "emotic/mscoco/images/a.png").write_bytes(b"")
    found = check_people(spoilt)
    assert [path.name for path in found.shared] == ["a.png"]
    assert len(found.bad) == len(set(found.bad)) == 5
