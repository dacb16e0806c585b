"""`caer data people`: detectors of both layouts, who counts, what is written, and complaints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from caer_ros.bundles import write_atomically
from caer_ros.bundles.detector_import import detector_files
from caer_ros.cli.main import main
from caer_ros.core import EMOTIC26, Box, BundleError, InputError
from caer_ros.datasets.emotic.reader import open_emotic
from caer_ros.datasets.found_emotions import FaceEmotions, SeenFace, distilled, emotions_of
from caer_ros.datasets.found_people import DISAGREE, MISSED, NOBODY, UNSURE, Finder
from caer_ros.datasets.found_set import even_out, write_people
from caer_ros.datasets.found_sources import Sources, list_sources
from caer_ros.datasets.person_detectors import (
    BoxDetector,
    KeypointDetector,
    distinct,
    open_person_detector,
    same_people,
)

# Scores are as given on white pictures, 0 on black ones. Boxes: y1, x1, y2, x2 in shares.
LEFT, RIGHT = (0.2, 0.0, 1.0, 0.4), (0.1, 0.5, 0.9, 1.0)
# Inside LEFT: the head, and somebody who stands far behind.
HEAD, BEHIND = (0.3, 0.1, 0.5, 0.3), (0.7, 0.1, 0.95, 0.2)
ALL = ("boxes", "keypoints")


def _detector(
    path: Path, layout: str, people: Sequence[tuple], classes: Sequence[int] = ()
) -> Path:
    """A network that finds `people`, (box, score) each, as the layout tells them."""
    boxes = np.array([[box for box, _ in people]], np.float32)
    scores = np.array([[score for _, score in people]], np.float32)
    dtype = TensorProto.UINT8 if layout == "boxes" else TensorProto.INT32
    name = "image_tensor:0" if layout == "boxes" else "input:0"
    nodes = [
        helper.make_node("Cast", [name], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["real"], ["top"], keepdims=0),
        helper.make_node("Div", ["top", "white"], ["share"]),
    ]
    constants = {"white": np.array(255, np.float32)}
    if layout == "boxes":
        kinds = np.array([classes or [1] * len(people)], np.float32)
        constants |= {"b": boxes, "s": scores, "detection_classes:0": kinds}
        nodes += [
            helper.make_node("Mul", ["s", "share"], ["detection_scores:0"]),
            helper.make_node("Identity", ["b"], ["detection_boxes:0"]),
        ]
        shapes = {f"detection_{n}:0": None for n in ("boxes", "scores", "classes")}
    else:
        rows = np.zeros((1, 6, 56), np.float32)
        rows[0, : len(people), 51:55], rows[0, : len(people), 55] = boxes[0], scores[0]
        constants["rows"] = rows
        nodes.append(helper.make_node("Mul", ["rows", "share"], ["Identity:0"]))
        shapes = {"Identity:0": [1, 6, 56]}
    graph = helper.make_graph(
        nodes,
        "fake",
        [helper.make_tensor_value_info(name, dtype, [1, "h", "w", 3])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()],
        [numpy_helper.from_array(value, n) for n, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


def _picture(path: Path, width: int = 100, height: int = 80, grey: int = 255) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), grey, np.uint8))
    return path


def _film(path: Path, frames: int) -> Path:
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (96, 80))
    for _ in range(frames):
        film.write(np.full((80, 96, 3), 255, np.uint8))
    film.release()
    return path


def _corners(boxes: Sequence[Box]) -> list[list[int]]:
    return [[round(v) for v in (b.x1, b.y1, b.x2, b.y2)] for b in boxes]


def _finder(tmp_path: Path, first: list, second: list | None = None, together="join") -> Finder:
    one = open_person_detector(_detector(tmp_path / "one.onnx", "boxes", first))
    two = None
    if second is not None:
        two = open_person_detector(_detector(tmp_path / "two.onnx", "keypoints", second))
    return Finder(one, two, together)


WHITE = np.full((80, 100, 3), 255, np.uint8)
BLACK = np.zeros_like(WHITE)


@pytest.mark.parametrize("layout", ALL)
def test_both_layouts_find_the_same_boxes(tmp_path: Path, layout: str) -> None:
    path = _detector(tmp_path / "d.onnx", layout, [(LEFT, 0.7), (RIGHT, 0.9), (LEFT, 0.65)])
    detector = open_person_detector(path)
    assert isinstance(detector, BoxDetector if layout == "boxes" else KeypointDetector)
    found = detector.detect(WHITE)
    # Best first, nobody twice. Keypoint boxes are in shares of the padded input, see below.
    assert [[round(box.x1), round(box.x2)] for box in found] == [[50, 100], [0, 40]]
    if layout == "boxes":
        assert _corners(found) == [[50, 8, 100, 72], [0, 16, 40, 80]]
    assert [round(box.score, 2) for box in found] == [0.9, 0.7]
    assert detector.detect(BLACK) == []


def test_keypoint_boxes_are_in_shares_of_the_padded_input(tmp_path: Path) -> None:
    detector = open_person_detector(_detector(tmp_path / "d.onnx", "keypoints", [(LEFT, 0.7)]))
    # 100 x 80 is shown as 256 x 205 in 256 x 224: a share of the height is 224 / 205 of 80.
    (box,) = detector.detect(WHITE)
    assert (box.x1, box.x2) == pytest.approx((0, 40), abs=0.1)
    assert (box.y1, box.y2) == pytest.approx((0.2 * 80 * 224 / 205, 80), abs=0.1)


def test_only_people_count(tmp_path: Path) -> None:
    path = _detector(tmp_path / "d.onnx", "boxes", [(LEFT, 0.9), (RIGHT, 0.9)], [1, 18])
    assert _corners(open_person_detector(path).detect(WHITE)) == [[0, 16, 40, 80]]


def test_a_head_inside_a_body_is_nobody_else() -> None:
    body, head, other = Box(0, 0, 40, 80), Box(10, 2, 25, 20), Box(35, 0, 80, 80)
    assert distinct([body, head, other]) == [body, other]
    assert distinct([head, body]) == [head, body]


def test_same_people_are_as_many_and_overlap() -> None:
    one, near, far = Box(0, 0, 40, 80), Box(2, 2, 40, 80), Box(50, 0, 80, 80)
    assert same_people([one, far], [far, near])
    assert not same_people([one], [far])
    assert not same_people([one], [near, far])
    assert not same_people([one, far], [near])


@pytest.mark.parametrize(
    ("first", "second", "together", "people", "reason"),
    [
        ([(LEFT, 0.9)], None, "agree", 1, ""),
        # Sure of one, and somebody else may be there.
        ([(LEFT, 0.9), (RIGHT, 0.4)], None, "agree", 0, UNSURE),
        ([(LEFT, 0.9), (RIGHT, 0.2)], None, "agree", 1, ""),
        ([(LEFT, 0.1)], None, "agree", 0, NOBODY),
        ([(LEFT, 0.9)], [(LEFT, 0.5)], "agree", 1, ""),
        ([(LEFT, 0.9)], [(LEFT, 0.5), (RIGHT, 0.5)], "agree", 0, DISAGREE),
        ([(LEFT, 0.1)], [(LEFT, 0.1)], "agree", 0, NOBODY),
        # Sure of the same people, and both, or one of them, of somebody more unsurely.
        ([(LEFT, 0.9), (RIGHT, 0.5)], [(LEFT, 0.5), (RIGHT, 0.25)], "agree", 0, UNSURE),
        ([(LEFT, 0.9), (RIGHT, 0.5)], [(LEFT, 0.5)], "agree", 0, UNSURE),
        ([(LEFT, 0.9)], [(LEFT, 0.5), (RIGHT, 0.25)], "agree", 0, UNSURE),
        ([(LEFT, 0.4)], [(LEFT, 0.2)], "agree", 0, UNSURE),
        ([(LEFT, 0.9)], [(LEFT, 0.5), (RIGHT, 0.5)], "join", 2, ""),
        # Found by both, unsurely.
        ([(LEFT, 0.4)], [(LEFT, 0.2)], "join", 1, ""),
        ([(LEFT, 0.9)], [(RIGHT, 0.2)], "join", 0, UNSURE),
        ([(LEFT, 0.1)], [(LEFT, 0.1)], "join", 0, NOBODY),
        # Surer of a head than of its body: one person, or two?
        ([(HEAD, 0.9), (LEFT, 0.7)], None, "agree", 0, UNSURE),
        ([(HEAD, 0.9), (LEFT, 0.7)], [(HEAD, 0.5), (LEFT, 0.4)], "agree", 0, UNSURE),
        ([(HEAD, 0.9)], [(LEFT, 0.5)], "join", 0, UNSURE),
        ([(LEFT, 0.9), (HEAD, 0.7)], None, "agree", 1, ""),
        ([(BEHIND, 0.9), (LEFT, 0.7)], None, "agree", 2, ""),
        ([(BEHIND, 0.9)], [(LEFT, 0.5)], "join", 2, ""),
    ],
)
def test_who_counts(tmp_path: Path, first, second, together, people: int, reason: str) -> None:
    boxes, said = _finder(tmp_path, first, second, together).find(WHITE)
    assert (len(boxes), said) == (people, reason)


def test_emotions_need_one_face_of_ones_own() -> None:
    left, right = Box(0, 0, 50, 80), Box(40, 0, 100, 80)
    happy, sad = SeenFace(Box(10, 5, 20, 15), "Happy"), SeenFace(Box(70, 5, 80, 15), "Sad")
    between = SeenFace(Box(42, 5, 48, 15), "Fear")
    assert emotions_of([left, right], [happy, sad]) == ["Happy", "Sad"]
    assert emotions_of([left, right], [between]) == ["", ""]
    assert emotions_of([left, right], [happy, between, sad]) == ["", ""]
    assert emotions_of([left], [SeenFace(Box(10, 5, 20, 15), "")]) == [""]


def test_a_sure_emotion_says_what_is_there_and_what_is_not() -> None:
    has, known = distilled("Surprise")
    assert has == ["Doubt/Confusion", "Surprise"]
    assert len(known) == 14
    assert {"Happiness", "Peace"} < set(known) <= set(EMOTIC26)
    assert "Esteem" not in known
    assert distilled("") == ([], [])


class _Faces:
    """Stands in for the networks that read faces; boxes are for pictures of 100 x 80."""

    def __init__(self, *seen: SeenFace) -> None:
        self.seen = seen

    def look(self, bgr: np.ndarray) -> list[SeenFace]:
        x, y = bgr.shape[1] / 100, bgr.shape[0] / 80
        boxes = [face.box for face in self.seen]
        moved = [Box(b.x1 * x, b.y1 * y, b.x2 * x, b.y2 * y) for b in boxes]
        return [SeenFace(b, face.emotion) for b, face in zip(moved, self.seen, strict=True)]


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    train = _picture(tmp_path / "a" / "one.png")
    again = _picture(tmp_path / "b" / "one.jpg", 1280, 800)
    held = _picture(tmp_path / "A_test.png")
    black = _picture(tmp_path / "black.png", grey=0)
    checking = _picture(tmp_path / "D1.png")
    sources = Sources((train, again, held, black, checking), 3, ("D*",), ("A_*.png",))
    faces = _Faces(SeenFace(Box(5, 30, 15, 45), "Happy"))
    out = tmp_path / "out"
    finder = _finder(tmp_path, [(LEFT, 0.9), (RIGHT, 0.8)])
    written = write_people(sources, out, finder, faces, "whose labels")
    assert {split: len(images) for split, images in written.images.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }
    assert (written.people("train"), dict(written.left_out)) == (4, {NOBODY: 1})
    assert written.emotions["test"] == {"Happy": 1}
    assert (out / "README.txt").read_text() == "whose labels"
    assert cv2.imread(str(out / "contact_sheet.png")) is not None
    for file in ("Annotations.json", "Annotations.mat"):
        if not (out / file).is_file():  # without SciPy
            continue
        read = open_emotic(out, annotations=out / file)
        assert [image.path.name for image in read.images["test"]] == ["A_test.png"]
        second, first = read.images["train"]
        assert (first.path.name, second.path.name) == ("one.png", "one-2.png")
        assert (second.width, second.height) == (640, 400)
        assert cv2.imread(str(second.path)).shape == (400, 640, 3)
        assert _corners([first.people[0].box]) == [[0, 16, 40, 80]]
        # Of training people all that was known is one emotion, and that is dropped.
        assert not any(person.known.any() for person in first.people)
        left, right = read.images["test"][0].people
        assert {EMOTIC26[k] for k in np.flatnonzero(left.categories)} == {"Happiness", "Pleasure"}
        assert (left.known.sum(), right.known.sum(), right.categories.sum()) == (14, 0, 0)
        assert np.isnan(right.vad).all()
        assert read.tally.unlabelled == 0


def test_the_commonest_emotion_is_kept_as_often_as_all_others() -> None:
    def entry(name: str, *emotions: str) -> dict:
        people = [
            {"annotations_categories": {"categories": has}, "known_categories": known}
            for has, known in map(distilled, emotions)
        ]
        return {"filename": name, "person": people}

    def told(entries: list[dict]) -> list[str]:
        return [
            "/".join(person["annotations_categories"]["categories"])
            for each in entries
            for person in each["person"]
        ]

    entries = [entry(f"{k}.png", "Happy", "") for k in range(20)]
    entries += [entry("calm.png", "Neutral", "Neutral"), entry("sad.png", "Sad")]
    again = json.loads(json.dumps(entries[::-1]))[::-1]
    assert even_out(entries) == 17
    assert told(entries).count("Happiness/Pleasure") == 3
    assert told(entries).count("Disconnection/Peace") == 2
    assert told(entries).count("Sadness/Suffering") == 1
    forgotten = entries[0]["person"][0], entries[1]["person"][0]
    assert any(person["known_categories"] == [] for person in forgotten)
    assert even_out(again) == 17
    assert again == entries
    assert even_out(entries) == 0
    assert even_out([entry("nobody.png", "")]) == 0


def test_a_face_outside_everybody_leaves_the_picture_out(tmp_path: Path) -> None:
    sources = Sources((_picture(tmp_path / "one.png"), _picture(tmp_path / "two.png")))
    missed = _Faces(SeenFace(Box(80, 5, 90, 15), "Happy"))
    finder = _finder(tmp_path, [(LEFT, 0.9)])
    with pytest.raises(InputError, match="Nobody is found in any of 2 pictures"):
        write_people(sources, tmp_path / "out", finder, missed, "")
    inside = _Faces(SeenFace(Box(20, 30, 30, 40), ""))
    assert write_people(sources, tmp_path / "out", finder, inside, "").left_out[MISSED] == 0


def test_every_third_frame_of_a_film(tmp_path: Path) -> None:
    path = _film(tmp_path / "walk.avi", 8)
    sources = Sources((path,), 3, test=("walk",))
    write_people(sources, tmp_path / "out", _finder(tmp_path, [(LEFT, 0.9)]), None, "")
    found = json.loads((tmp_path / "out/Annotations.json").read_text())
    names = {split: [entry["filename"] for entry in entries] for split, entries in found.items()}
    frames = ["walk_0000.png", "walk_0003.png", "walk_0006.png"]
    assert names == {"train": [], "val": [], "test": frames}
    people = [person for entry in found["test"] for person in entry["person"]]
    assert [person["known_categories"] for person in people] == [[]] * 3


@pytest.mark.parametrize("film_first", [True, False])
def test_a_frame_never_takes_the_name_of_a_picture(tmp_path: Path, film_first: bool) -> None:
    film, picture = _film(tmp_path / "walk.avi", 4), _picture(tmp_path / "Walk_0000.jpg", 50, 40)
    (tmp_path / "b").mkdir()
    again = _film(tmp_path / "b" / "walk.avi", 1)
    files = (film, picture, again) if film_first else (picture, again, film)
    finder, out = _finder(tmp_path, [(LEFT, 0.9)]), tmp_path / "out"
    entries = write_people(Sources(files, 3), out, finder, None, "").images["train"]
    assert len({entry["filename"].lower() for entry in entries}) == 4
    for entry in entries:
        size = entry["image_size"]
        path = out / "emotic" / entry["folder"] / entry["filename"]
        assert cv2.imread(str(path)).shape == (size["n_row"], size["n_col"], 3)
    assert sorted(entry["image_size"]["n_col"] for entry in entries) == [50, 96, 96, 96]


def _damaged(folder: Path) -> tuple[Path, Path, Path]:
    """A picture without a header, one with nothing else, and a film that is none."""
    whole = _picture(folder / "d.png").read_bytes()
    header, nothing, film = folder / "b.png", folder / "c.png", folder / "e.avi"
    nothing.write_bytes(b"")
    header.write_bytes(whole[: whole.index(b"IDAT") + 12])
    film.write_bytes(b"no film")
    return nothing, header, film


def test_damaged_files_are_told_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    detector = _detector(tmp_path / "one.onnx", "boxes", [(LEFT, 0.9)])
    _picture(tmp_path / "in/a.png")
    nothing, _, film = _damaged(tmp_path / "in")
    call = ["data", "people", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    call += ["--detector", str(detector)]
    assert main(call) == 2
    said = capsys.readouterr().err
    assert f"2 of 5 files can not be read, the first: {nothing}" in said
    assert "--skip-bad" in said
    assert not (tmp_path / "out").exists()
    nothing.unlink()
    assert main(call) == 2
    assert f"1 of 4 files can not be read, the first: {film}" in capsys.readouterr().err


def test_damage_behind_a_header_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    detector = _detector(tmp_path / "one.onnx", "boxes", [(LEFT, 0.9)])
    _picture(tmp_path / "in/a.png")
    nothing, header, film = _damaged(tmp_path / "in")
    nothing.unlink()
    film.unlink()
    out = tmp_path / "out"
    call = ["data", "people", str(tmp_path / "in"), "--out", str(out), "--detector", str(detector)]
    assert main(call) == 2
    said = capsys.readouterr().err
    assert f"{header} can not be read" in said
    assert f"Remove {out}" in said
    assert "--skip-bad" in said


def test_damaged_files_are_skipped_by_name_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    detector = _detector(tmp_path / "one.onnx", "boxes", [(LEFT, 0.9)])
    _picture(tmp_path / "in/a.png")
    damaged = _damaged(tmp_path / "in")
    out = tmp_path / "out"
    call = ["data", "people", str(tmp_path / "in"), "--out", str(out), "--detector", str(detector)]
    assert main([*call, "--skip-bad"]) == 0
    said = capsys.readouterr()
    assert f"{out}, train: 2 pictures, 2 people" in said.out
    assert all(str(path) in said.err for path in damaged)
    assert "left out: 3 files (can not be read)" in said.err
    found = json.loads((out / "Annotations.json").read_text())
    assert [entry["filename"] for entry in found["train"]] == ["a.png", "d.png"]


def test_folders_give_their_pictures_and_films(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.jpg", "a.png", "c.gif", "notes.txt"):
        (tmp_path / "in" / name).touch()
    assert [p.name for p in list_sources([tmp_path / "in"])] == ["a.png", "b.jpg", "c.gif"]
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing.png"):
        with pytest.raises(InputError, match="no pictures and no films"):
            list_sources([path])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    people = [(LEFT, 0.9)]
    first = _detector(tmp_path / "one.onnx", "boxes", people)
    second = _detector(tmp_path / "two.onnx", "keypoints", people)
    _picture(tmp_path / "in/a.png")
    _picture(tmp_path / "in/b.png", grey=0)
    out = tmp_path / "out"
    arguments = ["data", "people", str(tmp_path / "in"), "--out", str(out)]
    assert main([*arguments, "--detector", str(first), "--join", str(second)]) == 0
    said = capsys.readouterr()
    assert f"{out}, train: 1 pictures, 1 people" in said.out
    assert "left out: 1 pictures (nobody is found)" in said.err
    text = (out / "README.txt").read_text()
    assert "pseudo-labels" in text
    assert "one.onnx" in text
    assert "two.onnx" in text
    # Without --faces nobody looks for any.
    assert "face" not in text
    # The folder is taken now.
    assert main([*arguments, "--detector", str(first)]) != 0
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--detector", "missing.onnx"], "missing.onnx does not exist"),
        (["--detector", "in/a.png"], "is no network that can be run"),
        (["--detector", "other.onnx"], "no person detector of a known layout"),
        (["--detector", "one.onnx", "--min-score", "0"], "out of range"),
        (["--detector", "one.onnx", "--film-step", "0"], "out of range"),
        (["--detector", "one.onnx", "--faces", "yunet.onnx"], "need each other"),
    ],
)
def test_complaints(
    tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture, options: list[str], complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _picture(tmp_path / "in/a.png")
    _detector(tmp_path / "one.onnx", "boxes", [(LEFT, 0.9)])
    other = onnx.load(_detector(tmp_path / "other.onnx", "keypoints", [(LEFT, 0.9)]))
    other.graph.output[0].type.tensor_type.shape.dim[2].dim_value = 17
    other.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.zeros((1, 6, 17), "f4"), "rows"))
    onnx.save(other, str(tmp_path / "other.onnx"))
    assert main(["data", "people", "in", "--out", "out", *options]) != 0
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_face_detector_is_named(tmp_path: Path, root: Path, shared_data: Path) -> None:
    detector = _detector(tmp_path / "one.onnx", "boxes", [(LEFT, 0.9)])
    yunet = shared_data / "yunet_s_640_640.onnx"
    bundle = tmp_path / "yunet"
    for name, content in detector_files("yunet", yunet.read_bytes(), "a file").items():
        write_atomically(bundle / name, content)
    call = ["data", "people", str(_picture(tmp_path / "a.png")), "--detector", str(detector)]
    call += ["--emotions", str(root / "models" / "caer_net_s")]
    for faces, file in ((yunet, yunet), (bundle, bundle / "fp32.onnx")):
        out = tmp_path / f"out_{faces.stem}"
        assert main([*call, "--faces", str(faces), "--out", str(out)]) == 0
        text = (out / "README.txt").read_text()
        assert hashlib.sha256(file.read_bytes()).hexdigest() in text
        assert "face of 24 pixels or more outside everybody's box" in text


def test_the_shipped_network_tells_emotions(root: Path, shared_data: Path, photos: Path) -> None:
    bundle = root / "models" / "caer_net_s"
    image = cv2.imread(str(photos / "astronaut.png"))
    with FaceEmotions(str(shared_data / "yunet_s_640_640.onnx"), str(bundle), 1) as faces:
        (seen,) = faces.look(image)
    assert seen.emotion == "Happy"
    assert 24 <= seen.box.width < image.shape[1] / 2
    with pytest.raises(InputError, match=r"gone.onnx can not be read"):
        FaceEmotions("gone.onnx", str(bundle))
    with pytest.raises(BundleError, match="No model 'nothing'"):
        FaceEmotions("yunet", "nothing")
