"""EMOTIC from MATLAB, JSON and CSV, HECO from its table: labels, boxes, numbers, complaints."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from caer_ros.core import EMOTIC26, HECO8, Box, InputError
from caer_ros.datasets.emotic.heco import open_heco, read_heco, split_of
from caer_ros.datasets.emotic.images import FolderImages, without_bad
from caer_ros.datasets.emotic.mat_file import read_mat
from caer_ros.datasets.emotic.names import HECO_AS_EMOTIC, HECO_PLACES, emotic_place
from caer_ros.datasets.emotic.reader import open_emotic, read_emotic
from caer_ros.datasets.emotic.records import AnnotatedImage, AnnotatedPerson
from caer_ros.datasets.emotic.splits import choose_split, merge
from caer_ros.datasets.scenes.emotic import emotic_image, write_annotations
from caer_ros.datasets.scenes.emotic_labels import categories_of
from caer_ros.datasets.scenes.folders import EMOTIC_FOLDER, SceneSet, write_scenes
from caer_ros.datasets.scenes.spec import SceneControls

SCENES = SceneControls(ambiguity=0.8, companions=3, width=320, height=120)


def _names(person: AnnotatedPerson) -> set[str]:
    return {EMOTIC26[place] for place in np.flatnonzero(person.categories)}


def _entry(name: str, people: list[dict[str, Any]], width: int = 60, height: int = 40) -> dict:
    return {
        "filename": name,
        "folder": "mscoco/images",
        "image_size": {"n_row": height, "n_col": width},
        "original_database": {"name": "x", "info": {"image_id": 1, "annotations_id": 1}},
        "person": people,
    }


def _train_person(box: list[float], names: list[str], vad=(5, 6, 7)) -> dict[str, Any]:
    values = dict(zip(("valence", "arousal", "dominance"), vad, strict=True))
    return {
        "body_bbox": box,
        "annotations_categories": {"categories": names},
        "annotations_continuous": values,
    }


def _test_person(box: list[float], answers: list[list[str]]) -> dict[str, Any]:
    numbers = [{"valence": 2.0 + k, "arousal": 4, "dominance": 6} for k in range(len(answers))]
    united = [n for n in EMOTIC26 if any(n in answer for answer in answers)]
    return {
        "body_bbox": box,
        "annotations_categories": [{"categories": answer} for answer in answers],
        "combined_categories": united,
        "annotations_continuous": numbers,
        "combined_continuous": {"valence": 2.25, "arousal": 4, "dominance": 6},
    }


def _json(root: Path, **splits: list[dict]) -> Path:
    root.mkdir(exist_ok=True)
    (root / "Annotations.json").write_text(json.dumps(splits))
    return root


def _same(a: AnnotatedImage, b: AnnotatedImage) -> None:
    assert (a.path, a.width, a.height, a.split) == (b.path, b.width, b.height, b.split)
    assert len(a.people) == len(b.people)
    for p, q in zip(a.people, b.people, strict=True):
        assert p.box == q.box
        np.testing.assert_array_equal(p.categories, q.categories)
        np.testing.assert_array_equal(p.known, q.known)
        np.testing.assert_array_equal(p.vad, q.vad)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SceneSet]:
    out = tmp_path_factory.mktemp("scenes") / "e"
    wanted = SceneSet("emotic", {"train": 14, "validation": 7, "test": 7}, 5, SCENES)
    write_scenes(out, wanted)
    return out, wanted


def test_drawn_scenes_read_back_as_they_were_drawn(scenes: tuple[Path, SceneSet]) -> None:
    out, wanted = scenes
    images = read_emotic(out)
    assert {split: len(listed) for split, listed in images.items()} == wanted.counts
    assert max(len(image.people) for image in images["train"]) >= 3
    for split, listed in images.items():
        for index, image in enumerate(listed):
            scene = wanted.stream(split).scene(index)
            entry = emotic_image(scene, image.path.name, EMOTIC_FOLDER, split)
            assert (image.width, image.height) == (320, 120)
            assert image.path.is_file()
            for k, (person, record) in enumerate(zip(image.people, entry["person"], strict=True)):
                body = scene.bodies[k]
                corners = (person.box.x1, person.box.y1, person.box.x2, person.box.y2)
                assert corners == pytest.approx((body.x1, body.y1, body.x2, body.y2), abs=0.006)
                named = record["annotations_categories"]
                answers = [named] if split == "train" else named
                united = {name for answer in answers for name in answer["categories"]}
                assert _names(person) == united <= set(categories_of(scene, k))
                numbers = record.get("combined_continuous", record["annotations_continuous"])
                vad = [(numbers[d] - 5.5) / 4.5 for d in ("valence", "arousal", "dominance")]
                np.testing.assert_allclose(person.vad, vad, atol=1e-6)
                assert person.known.all()


def test_matlab_and_json_say_the_same(scenes: tuple[Path, SceneSet]) -> None:
    out, _ = scenes
    matlab = open_emotic(out)
    plain = open_emotic(out, annotations=out / "Annotations.json")
    assert matlab.files == (out / "Annotations.mat",)
    for split in ("train", "validation", "test"):
        for a, b in zip(matlab.images[split], plain.images[split], strict=True):
            _same(a, b)


def test_what_matlab_squeezes_is_undone(tmp_path: Path) -> None:
    entries = {
        "train": [
            _entry("a.jpg", [_train_person([1, 2, 30, 35], ["Peace"])]),
        ],
        "validation": [_entry("b.jpg", [_test_person([0, 0, 20, 20], [["Anger"]])])],
        "test": [
            _entry("c.jpg", [_test_person([0, 0, 20, 20], [["Fear"], ["Fear", "Pain"], ["Pain"]])]),
            _entry("d.jpg", [_train_person([0, 0, 9, 9], ["Peace", "Pain"], (np.nan, 3, np.nan))]),
        ],
    }
    assert write_annotations(tmp_path, entries) == tmp_path / "Annotations.mat"
    squeezed = read_mat(tmp_path / "Annotations.mat")
    # The traps are there: one picture is no list, one category is a text.
    assert squeezed["train"]["person"]["annotations_categories"]["categories"] == "Peace"
    images = read_emotic(tmp_path)
    assert _names(images["train"][0].people[0]) == {"Peace"}
    assert _names(images["validation"][0].people[0]) == {"Anger"}
    assert _names(images["test"][0].people[0]) == {"Fear", "Pain"}
    vad = images["test"][1].people[0].vad
    assert np.isnan(vad).tolist() == [True, False, True]
    assert vad[1] == pytest.approx((3 - 5.5) / 4.5)
    assert vad.dtype == np.float32


def test_union_or_majority_of_annotators(tmp_path: Path) -> None:
    answers = [["Fear", "Pain"], ["Fear"], ["Peace"]]
    person = _test_person([0, 0, 20, 20], answers)
    root = _json(tmp_path / "a", test=[_entry("a.jpg", [person])])
    assert _names(read_emotic(root)["test"][0].people[0]) == {"Fear", "Pain", "Peace"}
    assert _names(read_emotic(root, "majority")["test"][0].people[0]) == {"Fear"}
    # Half is no majority.
    two = _test_person([0, 0, 20, 20], [["Fear"], ["Peace"]])
    root = _json(tmp_path / "b", test=[_entry("a.jpg", [two])])
    assert _names(read_emotic(root, "majority")["test"][0].people[0]) == set()
    with pytest.raises(InputError, match="Unknown labels 'all'"):
        read_emotic(root, "all")


def test_missing_combined_fields_are_made_of_the_annotators(tmp_path: Path) -> None:
    person = _test_person([0, 0, 20, 20], [["Fear"], ["Pain"], ["Fear"]])
    del person["combined_categories"]
    person["combined_continuous"] = {"valence": float("nan")}
    person["annotations_continuous"][0]["dominance"] = None
    root = _json(tmp_path, val=[_entry("a.jpg", [person])])
    read = read_emotic(root)["validation"][0].people[0]
    assert _names(read) == {"Fear", "Pain"}
    np.testing.assert_allclose(read.vad, [(3 - 5.5) / 4.5, (4 - 5.5) / 4.5, (6 - 5.5) / 4.5])


def test_boxes_are_clipped_and_people_outside_or_without_labels_left_out(tmp_path: Path) -> None:
    people = [
        _train_person([-5, 3, 70, 20], ["Peace"]),
        _train_person([60, 3, 90, 20], ["Peace"]),  # touches the edge only
        _train_person([20, 20, 10, 30], ["Peace"]),  # turned inside out
        _train_person([0, 0, 5, 5], []),
        _train_person([1, 1, 5, 5], ["Anger"], (0, 11, 5)),
    ]
    root = _json(
        tmp_path,
        train=[_entry("a.jpg", people), _entry("b.jpg", people[1:4]), _entry("a.jpg", people[:1])],
    )
    found = open_emotic(root)
    (image,) = found.images["train"]
    assert [person.box for person in image.people] == [
        Box(0, 3, 60, 20),
        Box(1, 1, 5, 5),
        Box(0, 3, 60, 20),
    ]
    tally = found.tally
    assert (len(tally.outside), tally.unlabelled, tally.clipped) == (4, 2, 2)
    assert (tally.odd_vad, tally.merged) == (1, 1)
    assert (
        "a.jpg, person 2: the box (60, 3, 90, 20) has no area inside the 60x40"
        in (tally.outside[0])
    )
    assert np.isnan(image.people[1].vad).tolist() == [True, True, False]


def test_names_are_tolerant() -> None:
    for name, right in {
        "Disquitement": "Disquietment",
        "doubt / confusion": "Doubt/Confusion",
        " PEACE ": "Peace",
    }.items():
        assert EMOTIC26[emotic_place(name, "here")] == right
    assert [emotic_place(name, "") for name in EMOTIC26] == list(range(26))


def test_an_unknown_category_names_file_person_and_remedy(tmp_path: Path) -> None:
    people = [_train_person([0, 0, 9, 9], ["Peace"]), _train_person([0, 0, 9, 9], ["Hapiness"])]
    root = _json(tmp_path, train=[_entry("a.jpg", people)])
    complaint = "Annotations.json: train, mscoco/images/a.jpg, person 2: 'Hapiness' is no category"
    with pytest.raises(InputError, match=complaint) as error:
        read_emotic(root)
    assert "Did they mean Happiness?" in error.value.remedy


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"body_bbox": [1, 2, 3]}, "is not four numbers"),
        ({"body_bbox": [1, 2, 3, float("nan")]}, "is not four numbers"),
        ({"body_bbox": [1, 2, 3, "x"]}, "'x' is no number"),
        ({"annotations_continuous": {"valence": "high"}}, "'high' is no number"),
    ],
)
def test_malformed_people_are_input_errors(tmp_path: Path, change: dict, complaint: str) -> None:
    person = _train_person([0, 0, 9, 9], ["Peace"]) | change
    root = _json(tmp_path, train=[_entry("a.jpg", [person])])
    with pytest.raises(InputError, match=complaint):
        read_emotic(root)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"folder": ""}, "no folder or no name"),
        ({"image_size": {"n_row": 40}}, "size is missing"),
        ({"image_size": []}, "size is missing"),
        ({"person": ["Peace"]}, "is no record of a person"),
        ({"person": []}, "nobody with a box and a category"),
    ],
)
def test_malformed_pictures_are_input_errors(tmp_path: Path, entry: dict, complaint: str) -> None:
    whole = _entry("a.jpg", [_train_person([0, 0, 9, 9], ["Peace"])])
    with pytest.raises(InputError, match=complaint):
        read_emotic(_json(tmp_path, train=[whole | entry]))


def test_missing_and_damaged_annotations(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        read_emotic(tmp_path / "no")
    with pytest.raises(InputError, match="has no annotations"):
        read_emotic(tmp_path)
    (tmp_path / "Annotations.json").write_text("[")
    with pytest.raises(InputError, match="no readable JSON"):
        read_emotic(tmp_path)
    (tmp_path / "Annotations.json").write_text('{"train": "x"}')
    with pytest.raises(InputError, match="'train' is no list of pictures"):
        read_emotic(tmp_path)
    (tmp_path / "Annotations.json").write_text("{}")
    with pytest.raises(InputError, match="no train, val or test"):
        read_emotic(tmp_path)
    for damage in (b"", b"MATLAB 5.0 MAT-file" + bytes(200), b"x" * 500):
        (tmp_path / "Annotations.mat").write_bytes(damage)
        with pytest.raises(InputError, match="no MATLAB file"):
            read_emotic(tmp_path)


def test_published_layout_and_lists(tmp_path: Path) -> None:
    folder = tmp_path / "emotic/mscoco/images"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "a.png"), np.zeros((40, 60, 3), np.uint8))
    notes = tmp_path / "Annotations"
    notes.mkdir()
    header = "Index,Folder,Filename,Image Size,BBox,Categorical_Labels,Continuous_Labels,Gender,Age"
    # The size comes in the wrong order; the picture knows better.
    row = 'mscoco/images,a.png,"[40, 60]","[0, 0, 50, 30]","[\'Peace\', \'Pain\']","[1, 10, nan]"'
    other = 'mscoco/images,a.png,"[40, 60]","[50, 5, 60, 30]","[\'Fear\']",""'
    (notes / "train.csv").write_text(f"{header}\n0,{row},Male,Kid\n1,{other},Male,Kid\n")
    (notes / "val.csv").write_text(f"{header}\n0,{row.replace('a.png', 'gone.png')},Male,Kid\n")
    found = open_emotic(tmp_path)
    assert [path.name for path in found.files] == ["train.csv", "val.csv"]
    (image,) = found.images["train"]
    assert image.path == folder / "a.png"
    assert (image.width, image.height) == (60, 40)
    assert [_names(person) for person in image.people] == [{"Peace", "Pain"}, {"Fear"}]
    assert image.people[1].box == Box(50, 5, 60, 30)
    np.testing.assert_allclose(image.people[0].vad, [-1, 1, np.nan])
    assert np.isnan(image.people[1].vad).all()
    (missing,) = found.images["validation"]
    assert (missing.width, missing.height) == (40, 60)
    with pytest.raises(InputError, match=r"val.csv line 2.*no majority"):
        read_emotic(tmp_path, "majority")


@pytest.mark.parametrize(
    ("header", "row", "complaint"),
    [
        ("BBox", '"[0, 0, 9"', r"train.csv line 2 is wrong: bbox reads '\[0, 0, 9'"),
        ("BBox", "(lambda: 0)()", "which is no list"),
        ("Image Size", '"[9]"', "imagesize holds 1 numbers"),
        ("Categorical_Labels", '"[3]"', "holds something that is no name"),
        ("Categorical_Labels", "\"['Joy']\"", "train.csv line 2, person 1: 'Joy' is no category"),
    ],
)
def test_bad_lists(tmp_path: Path, header: str, row: str, complaint: str) -> None:
    cells = {
        "Folder": "f",
        "Filename": "a.png",
        "Image Size": '"[60, 40]"',
        "BBox": '"[0, 0, 9, 9]"',
        "Categorical_Labels": "\"['Peace']\"",
    } | {header: row}
    (tmp_path / "train.csv").write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    with pytest.raises(InputError, match=complaint):
        read_emotic(tmp_path)


def test_lists_of_other_data_sets_are_none(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("Fear/0.png,2,1,2,3,4\n")
    with pytest.raises(InputError, match="has no annotations"):
        read_emotic(tmp_path)


def _heco(root: Path, rows: list[tuple], folder: str = "Data", pictures: bool = True) -> Path:
    (root / "Labels").mkdir(parents=True, exist_ok=True)
    (root / folder).mkdir(exist_ok=True)
    header = "Image,xmin,ymin,xmax,ymax,Category,Valence,Arousal,Dominance,Label_SA,Label_CA"
    with (root / "Labels/HECO_Labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows([*row, "Low", "High"] for row in rows)
    for name in {row[0] for row in rows} if pictures else ():
        cv2.imwrite(str(root / folder / name), np.zeros((40, 60, 3), np.uint8))
    return root


def test_heco_gives_every_person_his_own_box_and_known_categories(tmp_path: Path) -> None:
    rows = [
        ("b.png", 1, 2, 20, 30, "Anger", 1, 5.5, 10),
        ("a.png", 5, 5, 25, 35, "Disgust", 4, 4, 4),
        ("b.png", 30, 3, 80, 33, "Happinesst", "", 4, 4),
        ("b.png", 70, 3, 80, 33, "Peace", 4, 4, 4),
    ]
    found = open_heco(_heco(tmp_path, rows))
    first, second = found.images["train"]
    assert [person.box for person in first.people] == [Box(1, 2, 20, 30), Box(30, 3, 60, 33)]
    assert [_names(person) for person in first.people] == [{"Anger"}, {"Happiness"}]
    assert [_names(person) for person in second.people] == [{"Aversion"}]
    assert {EMOTIC26[k] for k in np.flatnonzero(first.people[0].known)} == {
        "Anger", "Aversion", "Excitement", "Fear", "Happiness", "Peace", "Sadness", "Surprise",
    }  # fmt: skip
    np.testing.assert_allclose(first.people[0].vad, [-1, 0, 1])
    assert np.isnan(first.people[1].vad).tolist() == [True, False, False]
    assert (len(found.tally.outside), found.tally.clipped) == (1, 1)
    assert "HECO_Labels.csv line 5: the box (70, 3, 80, 33)" in found.tally.outside[0]
    assert "1 to 10" in found.notes[0]
    assert first.dataset == "heco"


def test_heco_labels_never_fall_on_the_first_eight_categories() -> None:
    assert dict(zip(HECO8, HECO_PLACES, strict=True)) == {
        "Anger": 1, "Disgust": 4, "Excitement": 13, "Fear": 15,
        "Happiness": 16, "Peace": 18, "Sadness": 20, "Surprise": 23,
    }  # fmt: skip
    assert [EMOTIC26[k] for k in HECO_PLACES] == [HECO_AS_EMOTIC[name] for name in HECO8]


@pytest.mark.parametrize(
    ("values", "vad", "scale"),
    [
        ((1, 5.5, 10), (-1, 0, 1), "1 to 10"),
        ((0.1, 0.55, 1), (-1, 0, 1), "tenths"),
        ((-1, 0, 0.5), (-1, 0, 0.5), "-1 to 1"),
        (("", "", ""), (np.nan,) * 3, "not given"),
    ],
)
def test_the_scale_of_heco_is_found(tmp_path: Path, values: tuple, vad: tuple, scale: str) -> None:
    found = open_heco(_heco(tmp_path, [("a.png", 1, 2, 20, 30, "Fear", *values)], "Images"))
    np.testing.assert_allclose(found.images["train"][0].people[0].vad, vad, atol=1e-6)
    assert scale in found.notes[0]


def test_heco_is_split_by_the_picture_s_name_alone(tmp_path: Path) -> None:
    rows = [(f"{k}.png", 1, 2, 20, 30, "Fear", 5, 5, 5) for k in range(40) for _ in range(2)]
    images = read_heco(_heco(tmp_path, rows), train=0.5, validation=0.25)
    sizes = {split: len(listed) for split, listed in images.items()}
    assert sum(sizes.values()) == 40
    assert sizes["train"] > sizes["test"] > 0
    assert sizes["validation"] > 0
    for split, listed in images.items():
        assert all(split_of(image.path.name, 0.5, 0.25) == split for image in listed)
        assert all(len(image.people) == 2 for image in listed)
    assert split_of("3.png", 1.0, 0.0) == "train"
    # What is training stays training when the share grows.
    assert all(split_of(i.path.name, 0.8, 0.1) == "train" for i in images["train"])


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (("a.png", 1, 2, 20, 30, "Boredom", 5, 5, 5), "line 2: 'Boredom' is no label of HECO"),
        (("a.png", 1, 2, "x", 30, "Fear", 5, 5, 5), "line 2: 'x' is no number"),
        (("a.png", 1, 2, "", 30, "Fear", 5, 5, 5), "is not four numbers"),
        (("a.png", 1, 2, 20, 30, "Fear", 5, 5, 11), "go from 5 to 11"),
        (("a.png", 1, 2, 20, 30, "Fear", 5, 5), "has 10 fields instead of 11"),
        (("a.png", 70, 2, 80, 30, "Fear", 5, 5, 5), "nobody in a readable picture"),
    ],
)
def test_bad_heco_lines(tmp_path: Path, row: tuple, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_heco(_heco(tmp_path, [row]))


def test_bad_heco_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        read_heco(tmp_path / "no")
    with pytest.raises(InputError, match=r"has no HECO_Labels.csv"):
        read_heco(tmp_path)
    rows = [("a.png", 1, 2, 20, 30, "Fear", 5, 5, 5), ("b.png", 1, 2, 20, 30, "Fear", 5, 5, 5)]
    root = _heco(tmp_path, rows)
    with pytest.raises(InputError, match="not possible"):
        read_heco(root, 0.8, 0.3)
    (root / "Data/b.png").unlink()
    with pytest.raises(InputError, match=r"b.png is not a readable image"):
        read_heco(root)
    found = open_heco(root, skip_bad=True)
    assert (len(found.images["train"]), len(found.tally.unreadable)) == (1, 1)
    (root / "Labels/HECO_Labels.csv").write_text("Image,xmin\n")
    with pytest.raises(InputError, match="has no column ymin"):
        read_heco(root)


def test_merging_adds_to_training_only(tmp_path: Path) -> None:
    person = _train_person([0, 0, 9, 9], ["Peace"])
    entries = {"train": [_entry("a.jpg", [person])], "test": [_entry("b.jpg", [person])]}
    emotic = read_emotic(_json(tmp_path / "e", **entries))
    rows = [(f"{k}.png", 1, 2, 20, 30, "Fear", 5, 5, 5) for k in range(20)]
    heco = read_heco(_heco(tmp_path / "h", rows), train=0.5)
    merged = merge(emotic, heco)
    assert len(merged["train"]) == 1 + len(heco["train"]) < 21
    assert merged["test"] == emotic["test"]
    assert len(emotic["train"]) == 1
    with pytest.raises(InputError, match=r"has no validation pictures \(it has train, test\)"):
        choose_split(merged, "validation", tmp_path)
    assert choose_split(merged, "test", tmp_path) == emotic["test"]


@pytest.fixture
def picture(tmp_path: Path) -> AnnotatedImage:
    """60x40, left half red."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30, 2] = 255
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    return _picture(tmp_path / "a.png", 60, 40)


def _picture(path: Path, width: int, height: int) -> AnnotatedImage:
    person = AnnotatedPerson(
        Box(0, 0, 9, 9), np.zeros(26, "f4"), np.ones(26, bool), np.full(3, np.nan, "f4")
    )
    return AnnotatedImage(path, width, height, (person,), "train")


def test_pictures_are_rgb(picture: AnnotatedImage) -> None:
    pixels = FolderImages([picture]).pixels(0)
    assert pixels.shape == (40, 60, 3)
    assert pixels[5, 5].tolist() == [255, 0, 0]


@pytest.mark.parametrize("damage", [b"", b"no picture at all", None])
def test_corrupt_pictures_name_themselves_and_are_counted(
    picture: AnnotatedImage, tmp_path: Path, damage: bytes | None
) -> None:
    bad = _picture(tmp_path / "bad.png", 60, 40)
    if damage is not None:
        bad.path.write_bytes(damage)
    with pytest.raises(InputError, match=r"bad.png (is not a readable image|can not be read)"):
        FolderImages([picture, bad]).pixels(1)
    good, complaints = without_bad([bad, picture], "train")
    assert good == [picture]
    assert len(complaints) == 1
    assert "bad.png" in complaints[0]
    with pytest.raises(InputError, match="No picture of train can be read"):
        without_bad([bad], "train")


def test_the_annotated_size_decides_about_turning(tmp_path: Path) -> None:
    from PIL import Image

    image = Image.new("RGB", (60, 40), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to look at it
    image.save(tmp_path / "a.jpg", exif=exif)
    stored, turned = _picture(tmp_path / "a.jpg", 60, 40), _picture(tmp_path / "a.jpg", 40, 60)
    assert FolderImages([stored]).pixels(0).shape == (40, 60, 3)
    assert FolderImages([turned]).pixels(0).shape == (60, 40, 3)
    with pytest.raises(InputError, match="has 60x40 pixels, but its annotation says 50x40"):
        FolderImages([_picture(tmp_path / "a.jpg", 50, 40)]).pixels(0)
