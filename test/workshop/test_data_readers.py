"""Finding samples in the folder layouts seen in the wild, and journals that survive a kill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.class_names import class_of
from caer_ros.datasets.face_list import ListedFile, read_face_list, write_face_list
from caer_ros.datasets.journal import Journal, read_journal
from caer_ros.datasets.layouts import read_dataset


def touch(root: Path, *names: str) -> Path:
    """Empty files: readers only list."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def seen(data) -> list[tuple[str, str, str]]:
    return [(s.split, CAER7[s.label], s.path.name) for s in data.samples]


def test_caer_s_with_its_two_spellings_of_anger(tmp_path):
    root = touch(tmp_path, "train/Angry/0001.png", "test/Anger/0001.png", "test/SAD/0007.png")
    data = read_dataset(root)
    assert data.kind == "image"
    assert seen(data) == [
        ("train", "Anger", "0001.png"),
        ("test", "Anger", "0001.png"),
        ("test", "Sad", "0007.png"),
    ]
    assert data.splits() == ["train", "test"]


def test_caer_afew_and_sfew(tmp_path):
    caer = touch(
        tmp_path / "caer", "train/Fear/0001.avi", "validation/Happy/0002.avi", "test/Sad/3.avi"
    )
    assert [s for s, _, _ in seen(read_dataset(caer))] == ["train", "validation", "test"]
    assert read_dataset(caer).samples[0].clip == "train/Fear/0001"

    afew = touch(
        tmp_path / "afew",
        "Train/Angry/000046280.avi",
        "Val/Surprise/000111.avi",
        "Test/unlabelled.avi",
        "Train_Aligned_Faces/000046280/001.jpg",
    )
    data = read_dataset(afew)
    assert (data.kind, seen(data)) == (
        "video",
        [("train", "Anger", "000046280.avi"), ("validation", "Surprise", "000111.avi")],
    )
    assert len(data.notes) == 2

    sfew = touch(
        tmp_path / "sfew",
        "Train_Aligned_Faces/Happy/Hangover_012530_00000001.png",
        "Train_Aligned_Faces/Happy/Hangover_012530_00000009.png",
        "Val_Aligned_Faces/Sad/21_000046280_00000018.png",
    )
    assert [s.clip for s in read_dataset(sfew).samples] == [
        "Hangover_012530",
        "Hangover_012530",
        "21_000046280",
    ]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (["train/Suprise/1.png"], r"train/Suprise: 'Suprise' is no class.*Did you mean Surprise"),
        (["train/Contempt/1.png"], "train/Contempt: 'Contempt' is no class"),
        (["train/Happy/readme.txt"], "train holds no picture"),
        (["train/Happy/1.png", "test/Happy/notes.md"], "test holds no picture"),
        (["train/Happy/1.png", "test/Happy/1.avi"], "mixes pictures and videos"),
        (["pictures/Happy/1.png"], "holds no split"),
        (["val/Sad/1.png", "validation/Sad/1.png"], "two folders for one split"),
    ],
)
def test_a_wrong_folder_is_named_with_a_remedy(tmp_path, files, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        read_dataset(touch(tmp_path, *files))
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_a_missing_folder_and_a_missing_split(tmp_path):
    with pytest.raises(InputError, match="nothere is no folder"):
        read_dataset(tmp_path / "nothere")
    data = read_dataset(touch(tmp_path, "train/Sad/1.png"))
    assert len(data.split("train")) == 1
    with pytest.raises(InputError, match=r"has no validation split \(it has train\)"):
        data.split("validation")


@pytest.mark.parametrize("prefix", ["", "train/"])
def test_lists_with_and_without_the_split_in_front(tmp_path, prefix):
    root = touch(tmp_path, "train/Angry/0001.png", "train/Sad/0002.png")
    (root / "train.txt").write_text(f"{prefix}Anger/0001.png,0,-3,4.5,50,60\n")
    data = read_dataset(root)
    (sample,) = data.samples
    assert sample.path == root / "train/Angry/0001.png"
    assert sample.box == Box(-3, 4.5, 50, 60)
    assert data.unlisted == 1


def test_the_public_validation_list_names_files_below_test(tmp_path):
    root = touch(tmp_path, "train/Sad/1.png", "test/Sad/1.png", "test/Sad/2.png")
    for name, line in (("train", "Sad/1.png"), ("val", "Sad/2.png"), ("test", "Sad/1.png")):
        (root / f"{name}.txt").write_text(f"{line},5,0,0,0,0\n")
    data = read_dataset(root)
    assert [(s.split, s.path.relative_to(root).as_posix(), s.box) for s in data.samples] == [
        ("train", "train/Sad/1.png", None),
        ("validation", "test/Sad/2.png", None),
        ("test", "test/Sad/1.png", None),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("Sad/1.png,5,1,2,3\n", "line 1 is wrong: 5 columns"),
        ("Sad/1.png,5,1,2,3,4\nSad/1.png,4,1,2,3,4\n", r"line 2.*label 4 \(Neutral\) does not fit"),
        ("Sad/1.png,five,1,2,3,4\n", "line 1"),
        ("Sad/1.png,5,9,2,3,4\n", "box without area"),
        ("Sad/1.png,5,nan,2,3,4\n", "not finite"),
        ("Sadd/1.png,5,1,2,3,4\n", "line 1: 'Sadd' is no class"),
        ("../Sad/1.png,5,1,2,3,4\n", "is not CLASS/FILE"),
        ("Sad/9.png,5,1,2,3,4\n", "names Sad/9.png, which is not below"),
    ],
)
def test_a_wrong_list_names_file_and_line(tmp_path, text, complaint):
    root = touch(tmp_path, "train/Sad/1.png")
    (root / "train.csv").write_text(text)
    with pytest.raises(InputError, match=complaint) as caught:
        read_dataset(root)
    assert "train.csv" in str(caught.value)


def test_a_written_list_reads_back(tmp_path):
    rows = [ListedFile("Sad/1.png", 5, Box(1, 2.25, 30, 40)), ListedFile("Fear/2.png", 2, None)]
    write_face_list(tmp_path / "train.csv", rows)
    assert read_face_list(tmp_path / "train.csv") == rows


def test_every_class_is_known_in_any_case():
    assert [class_of(name.upper(), "x") for name in CAER7] == list(range(7))


def test_a_journal_keeps_whole_rows_only(tmp_path):
    path = tmp_path / "work" / "j.jsonl"
    with Journal(path, {"a": 1}) as journal:
        journal.append({"n": 1})
        journal.append({"n": 2})
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        with Journal(path, {"a": 1}) as journal:
            kept = [row["n"] for row in journal.rows]
            assert kept == [1, 2][: len(kept)]
            journal.append({"n": 3})
        assert [row["n"] for row in read_journal(path)[1]] == [*kept, 3]
        for line in path.read_text().splitlines():
            json.loads(line)


def test_a_journal_of_other_work_or_in_use_is_refused(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path, {"size": 640}), pytest.raises(InputError, match="another process"):
        Journal(path, {"size": 640})
    with pytest.raises(InputError, match="size 640 instead of 320"):
        Journal(path, {"size": 320})
    path.write_text("hello\n")
    with pytest.raises(InputError, match="line 1 is no JSON object"):
        Journal(path, {})
