"""`caer data check`: counts, damaged files, boxes outside, leaks, and a split by clip."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from caer_ros.cli.main import main
from caer_ros.datasets.audit import audit
from caer_ros.datasets.clip_groups import group_files
from caer_ros.datasets.fingerprints import describe
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.near_duplicates import LEAST_LIKENESS, MOST_BITS, find_pairs
from caer_ros.datasets.samples import Sample


def scene(seed, shift=0):
    """An invented room, seen from `shift` pixels further right: uint8 [90, 120, 3]."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    room = cv2.resize(cells, (180, 90), interpolation=cv2.INTER_CUBIC)
    return room[:, shift : shift + 120]


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def save_video(path, frames, fps=25):
    path.parent.mkdir(parents=True, exist_ok=True)
    size = (frames[0].shape[1], frames[0].shape[0])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    for frame in frames:
        writer.write(np.ascontiguousarray(frame))
    writer.release()


@pytest.fixture
def leaky(tmp_path, monkeypatch):
    """Four frames of each of 21 clips, dealt out by frame: three to train, one to test."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "set"
    for clip in range(21):
        name = ("Anger", "Sad", "Happy")[clip % 3]
        for frame in range(4):
            split = "test" if frame == 2 else "train"
            save(root / split / name / f"{clip * 10 + frame:04d}.png", scene(clip, 3 * frame))
    return root


@pytest.fixture
def clean(tmp_path, monkeypatch):
    """Nine unlike pictures in three splits."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "set"
    for number in range(9):
        split = ("train", "val", "test")[number % 3]
        name = ("Fear", "Surprise")[number % 2]
        save(root / split / name / f"{number}.png", scene(100 + number))
    return root


def test_a_clean_set_is_counted_as_in_table_1(clean, capsys):
    assert main(["data", "check", str(clean)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "Category",
        "#",
        "of",
        "images",
        "%",
        "train",
        "validation",
        "test",
    ]
    counts = {line.split()[0]: line.split()[1:] for line in lines[2:11] if line[0] != "-"}
    assert counts["Fear"] == ["5", "55.56", "2", "1", "2"]
    assert counts["Surprise"] == ["4", "44.44", "1", "2", "1"]
    assert counts["Total"] == ["9", "100.00", "3", "3", "3"]
    assert any("0 of 3 files (0.0 %)" in line and "Hardly leaky" in line for line in lines)


def test_videos_are_counted_in_clips_and_frames(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for split, seed, count in (("train", 0, 30), ("test", 0, 40), ("test", 7, 20)):
        frames = [scene(seed, i // 2) for i in range(count)]
        save_video(tmp_path / "set" / split / "Disgust" / f"{count}.avi", frames)
    assert main(["data", "check", "set", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    disgust = next(row for row in report["table"] if row["category"] == "Disgust")
    assert (disgust["files"], disgust["frames"], disgust["percent"]) == (3, 90, 100.0)
    assert report["leak_share"] == {"test": 0.5}
    assert report["near_duplicates_across_splits"][0]["b"] == "test/Disgust/40.avi"
    assert cv2.imread("near_duplicates.png").shape == (240, 640, 3)


def test_a_split_by_frame_is_called_leaky_and_drawn(leaky, capsys):
    assert main(["data", "check", str(leaky), "--sheet", "pairs.png"]) == 0
    out = capsys.readouterr().out
    assert "21 of 21 files (100.0 %)" in out
    assert "Very leaky" in out
    assert cv2.imread("pairs.png").shape == (6 * 240, 2 * 640, 3)


def test_the_written_split_keeps_clips_together(leaky, tmp_path, capsys):
    assert main(["data", "check", str(leaky), "--write-split", "lists"]) == 0
    assert '"groups": 21' in capsys.readouterr().err
    data = read_dataset(leaky, tmp_path / "lists")
    splits_of_clip: dict[int, set[str]] = {}
    for sample in data.samples:
        splits_of_clip.setdefault(int(sample.path.stem) // 10, set()).add(sample.split)
    assert len(data.samples) == 84
    assert all(len(splits) == 1 for splits in splits_of_clip.values())
    sizes = [len(data.split(s)) for s in ("train", "validation", "test")]
    assert sizes == pytest.approx([0.7 * 84, 0.1 * 84, 0.2 * 84], abs=4)
    assert main(["data", "check", str(leaky), "--lists", "lists"]) == 0
    assert "0 of 8 files (0.0 %)" in capsys.readouterr().out
    # The same seed gives the same bytes, and lists are never overwritten.
    assert main(["data", "check", str(leaky), "--write-split", "again"]) == 0
    for name in ("train.csv", "validation.csv", "test.csv"):
        assert (tmp_path / "lists" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert main(["data", "check", str(leaky), "--write-split", "lists"]) == 2


def test_byte_identical_files_and_their_labels(clean, capsys):
    data = (clean / "train/Fear/0.png").read_bytes()
    (clean / "test/Fear/copy.png").write_bytes(data)
    (clean / "train/Surprise/copy.png").write_bytes(data)
    found = audit(read_dataset(clean))
    assert [len(group) for group in found.identical] == [3]
    assert found.crossing_identical() == found.contradicting() == list(found.identical)
    assert len(found.leaks["test"]) == 1
    assert main(["data", "check", str(clean)]) == 0
    out = capsys.readouterr().out
    assert "Byte-identical: 1 groups, 1 of them in more than one split, 1 with more than" in out


def test_a_damaged_picture_among_many(clean, capsys):
    bad = clean / "test/Fear/2.png"
    bad.write_bytes(bad.read_bytes()[:200])
    assert main(["data", "check", str(clean)]) == 2
    captured = capsys.readouterr()
    assert "1 of 9 files are unusable" in captured.err
    assert "2.png is not a readable image" in captured.err
    assert "Replace or delete" in captured.err
    assert "Traceback" not in captured.err
    assert main(["data", "check", str(clean), "--skip-bad"]) == 0
    out = capsys.readouterr().out
    assert "Unusable: 1 files." in out
    assert [line.split()[1] for line in out.splitlines() if line.startswith("Total")] == ["8"]


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage"])
def test_a_damaged_video(tmp_path, monkeypatch, damage, capsys):
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        save_video(tmp_path / f"set/train/Sad/{number}.avi", [scene(number, i) for i in range(30)])
    bad = tmp_path / "set/train/Sad/1.avi"
    data = bad.read_bytes()
    bad.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "garbage": b"x" * 999}[damage])
    assert main(["data", "check", "set"]) == 2
    assert "1.avi" in capsys.readouterr().err
    assert main(["data", "check", "set", "--skip-bad"]) == 0
    assert "Unusable: 1 files." in capsys.readouterr().out


def test_boxes_outside_and_over_the_edge(clean, capsys):
    (clean / "train.csv").write_text(
        "Fear/0.png,2,-3,5,40,50\nFear/6.png,2,200,200,240,240\nSurprise/3.png,6,5,5,40,50\n"
    )
    assert main(["data", "check", str(clean)]) == 2
    err = capsys.readouterr().err
    assert "6.png: its face box (200, 200, 240, 240) lies outside the 120x90 picture" in err
    assert main(["data", "check", str(clean), "--skip-bad"]) == 0
    out = capsys.readouterr().out
    assert "Face boxes: 2, 1 reach over the edge (clipped)." in out
    assert "6 files are on no list" in out


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda root: None, "nothere is no folder"),
        (lambda root: save(root / "train/Bored/1.png", scene(0)), "'Bored' is no class"),
        (lambda root: (root / "train/Sad").mkdir(parents=True), "holds no picture"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(tmp_path, make, complaint, capsys):
    make(tmp_path / "nothere")
    assert main(["data", "check", str(tmp_path / "nothere")]) == 2
    err = capsys.readouterr().err
    assert complaint in err
    assert err.count("\n") == 1


def test_pairs_are_those_of_a_plain_search():
    rng = np.random.default_rng(0)
    hashes = rng.random((300, 64)) < 0.5
    thumbnails = rng.normal(size=(300, 16)).astype(np.float32)
    thumbnails /= np.linalg.norm(thumbnails, axis=1, keepdims=True)
    for copy in range(40):  # near copies with some bits flipped
        a, b = rng.choice(300, 2, replace=False)
        hashes[b] = hashes[a] ^ (rng.random(64) < 0.1)
        thumbnails[b] = thumbnails[a] if copy % 2 else thumbnails[b]
    owners = np.arange(300) // 2
    expected = {
        (int(owners[a]), int(owners[b]))
        for a in range(300)
        for b in range(a + 1, 300)
        if owners[a] != owners[b]
        and (hashes[a] != hashes[b]).sum() <= MOST_BITS
        and thumbnails[a] @ thumbnails[b] >= LEAST_LIKENESS
    }
    pairs = find_pairs(hashes, thumbnails, owners)
    assert {(p.owner_a, p.owner_b) for p in pairs} == expected
    assert len(expected) >= 5
    assert all((hashes[p.row_a] != hashes[p.row_b]).sum() == p.bits for p in pairs)
    assert [p.bits for p in pairs] == sorted(p.bits for p in pairs)


def test_real_frames_near_in_time_pair_up_and_other_films_do_not(astronaut, hopper):
    frames = [image[:, x : x + 400] for image in (astronaut, hopper) for x in (0, 6, 12)]
    described = [describe(frame) for frame in frames]
    pairs = find_pairs(
        np.stack([d[0] for d in described]), np.stack([d[1] for d in described]), range(6)
    )
    found = {(p.owner_a, p.owner_b) for p in pairs}
    assert {(0, 1), (1, 2), (3, 4), (4, 5)} <= found
    assert not any(a < 3 <= b for a, b in found)


def test_groups_chain_pairs_neighbours_and_named_clips(tmp_path):
    same, other = np.array([1.0, 0.0]), np.array([0.0, 1.0])

    def sample(name, clip=""):
        return Sample(tmp_path / name, 0, None, "train", clip)

    samples = [
        sample("0001.png"),
        sample("0002.png"),  # next in number and alike: with 0001
        sample("0003.png"),  # next in number, unlike: apart
        sample("0009.png"),  # alike, but not next in number: apart
        sample("a_1.png", "a"),
        sample("b_7.png", "a"),  # named the same clip
        sample("c.png"),
    ]
    looks = np.stack([same, same, other, same, same, other, other])
    groups = group_files(samples, [(2, 6)], looks)
    assert groups[0] == groups[1]
    assert groups[4] == groups[5]
    assert groups[2] == groups[6]
    assert len(set(groups)) == 4
