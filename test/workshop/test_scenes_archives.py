"""Drawn copies of the archives have the layouts and oddities of the archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from caer_ros.core import HECO8, InputError
from caer_ros.datasets.emotic.heco import open_heco
from caer_ros.datasets.emotic.names import HECO_PLACES
from caer_ros.datasets.emotic.reader import open_emotic
from caer_ros.datasets.face_boxes import read_boxes
from caer_ros.datasets.layouts import read_dataset
from caer_ros.datasets.scenes import SceneControls
from caer_ros.datasets.scenes.archives import ARCHIVES, write_archive
from caer_ros.datasets.scenes.labelled_archives import Copy

COUNTS = {"train": 8, "validation": 7, "test": 7}
LOOKS = SceneControls(companions=2, width=160, height=120)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of each archive."""
    root = tmp_path_factory.mktemp("archives")
    for name in ARCHIVES:
        write_archive(root / name, name, Copy(COUNTS, controls=LOOKS))
    return root


def test_copies_have_what_the_archives_have(data: Path) -> None:
    assert {p.name for p in (data / "CAER-S").iterdir()} == {"train", "test", "faces.jsonl"}
    assert (data / "CAER-S" / "train" / "Angry").is_dir()
    assert (data / "CAER-S" / "test" / "Anger").is_dir()
    # Fewer samples than a clip of 16 takes, in some.
    frames = [len(faces.frames) for faces in read_boxes(data / "CAER" / "faces.jsonl").values()]
    assert min(frames) < 16 < max(frames)
    for name in ("AFEW", "SFEW"):
        found = read_dataset(data / name)
        assert found.splits() == ["train", "validation"]
        assert any("no class folders" in note for note in found.notes)
    emotic = open_emotic(data / "emotic")
    assert [path.name for path in emotic.files] == ["Annotations.mat"]
    folders = {record.path.parts[-3] for record in emotic.images["test"]}
    assert folders == {"mscoco", "framesdb", "emodb_small", "ade20k"}
    people = [person for record in emotic.images["train"] for person in record.people]
    assert sum(np.isnan(person.vad).any() for person in people) == 1
    assert b"Happinesst," in (data / "HECO" / "Labels" / "HECO_Labels.csv").read_bytes()
    heco = open_heco(data / "HECO")
    assert len(heco.images["train"]) == COUNTS["train"]
    happy = HECO_PLACES[HECO8.index("Happiness")]
    labelled = [p.categories[happy] for record in heco.images["train"] for p in record.people]
    assert sum(labelled) >= 1


def test_unknown_archives_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Use CAER-S, CAER, AFEW, SFEW, emotic, HECO"):
        write_archive(tmp_path / "x", "RAF", Copy(COUNTS))
    with pytest.raises(InputError, match="No training samples"):
        write_archive(tmp_path / "x", "HECO", Copy({"test": 1}))
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine").touch()
    with pytest.raises(InputError, match="not empty"):
        write_archive(tmp_path / "x", "HECO", Copy(COUNTS))
    assert len(ARCHIVES) == 6
