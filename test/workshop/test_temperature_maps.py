"""Thresholds of a BENet bundle, with an engine that knows the people and guesses what they feel."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from sklearn.metrics import f1_score

from caer_ros.bundles import read_bundle
from caer_ros.bundles.files import sha256_of
from caer_ros.cli import temperature_maps
from caer_ros.cli.main import main
from caer_ros.core import EMOTIC26, Box, InputError
from caer_ros.datasets.emotic.images import MemoryImages
from caer_ros.datasets.emotic.records import AnnotatedImage, AnnotatedPerson
from caer_ros.evaluation.benet.bundle_people import FoundPeople, ask_people
from caer_ros.evaluation.benet.bundle_tuning import tune_bundle
from caer_ros.perception.benet import BenetReader

PICTURES, SIDE = 80, 64
BOXES = ((2, 4, 26, 60), (34, 8, 62, 62))


def annotated(count: int = PICTURES) -> MemoryImages:
    """Pictures of two people each, whose number is written into their first pixel."""
    rng = np.random.default_rng(0)
    records, arrays = [], []
    for index in range(count):
        people = tuple(
            AnnotatedPerson(
                Box(*box),
                (rng.random(26) < 0.2).astype(np.float32),
                np.ones(26, bool),
                np.full(3, np.nan, np.float32),
            )
            for box in BOXES
        )
        records.append(AnnotatedImage(Path(f"{index}.png"), SIDE, SIDE, people, "validation"))
        arrays.append(np.full((SIDE, SIDE, 3), index, np.uint8))
    return MemoryImages(records, arrays)


class Knowing:
    """Finds the first person of each picture, in every other one the second; says nothing above
    0.4, but more where an emotion is annotated."""

    def __init__(self, images: MemoryImages) -> None:
        self._images, self.closed = images, False

    def run(self, arrays: dict, outputs: list[str]) -> dict[str, np.ndarray]:
        index = int(arrays["images"][0, SIDE // 2, SIDE // 2, 0])
        rng = np.random.default_rng(index)
        truth = np.stack([p.categories for p in self._images.records[index].people])
        emotions = (0.1 + 0.2 * truth + rng.uniform(0, 0.1, truth.shape)).astype(np.float32)
        second = 0.8 if index % 2 else 0.0
        return {
            "boxes": np.array([BOXES], np.float32) + 1,
            "scores": np.array([[0.9, second]], np.float32),
            "emotions": emotions[None],
            "peaks": np.array([2 if second else 1]),
        }

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "fp32.onnx").write_bytes(b"not looked at")
    card = {
        "schema": 1,
        "name": "maps",
        "version": "1",
        "task": "person_emotion_maps",
        "labels": list(EMOTIC26),
        "multi_label": True,
        "inputs": {"images": {"short_side": SIDE, "multiple_of": 32}},
        "outputs": {"emotions": {"shape": ["images", 2, 26]}},
        "decode": {"top_k": 2, "threshold": 0.5},
        "files": {"fp32": {"path": "fp32.onnx", "sha256": sha256_of(folder / "fp32.onnx")}},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(card, sort_keys=False))
    return folder


def look(bundle: Path, images: MemoryImages) -> FoundPeople:
    return ask_people(BenetReader(read_bundle(bundle), Knowing(images)), images)


def test_found_people_are_matched_with_what_is_annotated(bundle: Path) -> None:
    images = annotated(4)
    found = look(bundle, images)
    assert found.picture.tolist() == [0, 1, 1, 2, 3, 3]
    assert found.annotated == 8
    wanted = [images.records[i].people[k] for i, k in ((0, 0), (1, 0), (1, 1), (2, 0), (3, 0))]
    truth = np.stack([person.categories for person in wanted]) > 0.5
    np.testing.assert_array_equal(found.positives[:5], truth)
    np.testing.assert_array_equal(found.emotions > 0.25, found.positives)
    assert found.known.all()


def test_each_fold_is_named_by_the_others(bundle: Path) -> None:
    found = look(bundle, annotated())
    tuned = tune_bundle(found, EMOTIC26)
    # Nothing reaches a half. The lowest probability of somebody who has the emotion is without a
    # fault for those it was chosen on, and a little too high for one of the others now and then.
    assert tuned.at_half.macro_f1 == 0
    assert 0.9 < tuned.named.macro_f1 < 1
    assert ((tuned.thresholds.values > 0.25) & (tuned.thresholds.values < 0.4)).all()
    named = tuned.thresholds.named(found.emotions)
    assert f1_score(found.positives, named, average="macro") == pytest.approx(1)
    assert tuned.errors.error_after < tuned.errors.error_before
    assert (tuned.people, tuned.annotated, tuned.pictures) == (120, 160, 80)
    # Who is judged does not choose: where the first fold alone is annotated the other way round,
    # its names are wrong.
    first = found.picture < 16
    turned = found.positives.copy()
    turned[first] = ~turned[first]
    other = tune_bundle(
        FoundPeople(found.emotions, turned, found.known, found.picture, 160), EMOTIC26
    )
    assert other.named.micro_f1 < 0.8


def test_too_few_people_are_refused(bundle: Path) -> None:
    with pytest.raises(InputError, match="45 of 60 annotated people were found, in 30 pictures"):
        tune_bundle(look(bundle, annotated(30)), EMOTIC26)


def test_a_bundle_gets_its_thresholds(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    images = annotated()
    engine, asked = Knowing(images), []
    monkeypatch.setattr(temperature_maps, "BenetReader", SimpleNamespace(
        open=lambda card, config, backend: BenetReader(card, engine)
    ))  # fmt: skip
    monkeypatch.setattr(
        temperature_maps, "open_images", lambda data, split: asked.append((data, split)) or images
    )
    call = ["temperature", str(bundle), "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*call, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(data.folder, split) for data, split in asked] == [(tmp_path, "validation")]
    assert engine.closed
    card = yaml.safe_load((bundle / "model.yaml").read_text())
    assert card["decode"].keys() == {"top_k", "threshold", "thresholds"}
    assert tuple(card["decode"]["thresholds"]) == EMOTIC26
    assert card["metrics"]["thresholds"] | {"thresholds": card["decode"]["thresholds"]} == told
    assert told["macro_f1"]["half"] < told["macro_f1"]["thresholds"]
    assert told["calibration_error"]["after"] < told["calibration_error"]["before"]
    assert (tmp_path / "out" / "reliability.png").stat().st_size > 1000
    # Written values give every name that the chosen ones gave.
    values = np.array(list(card["decode"]["thresholds"].values()))
    found = look(bundle, images)
    np.testing.assert_array_equal(found.emotions >= values, found.positives)
    assert main([*call, "--split", "test"]) == 0
    assert asked[-1][1] == "test"
    assert "thresholds chosen on 120 of 160 annotated people" in capsys.readouterr().out


def test_two_folders_are_refused(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    call = ["temperature", str(bundle), "--data", str(tmp_path), str(tmp_path)]
    assert main(call) == 2
    assert "chosen on one folder" in capsys.readouterr().err
