"""`caer evaluate TEACHER`: the teacher itself before labelled people."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from caer_ros.cli.main import main
from caer_ros.core import CAER7
from caer_ros.training import teacher


def ask_by_brightness(network: object, crops: np.ndarray) -> torch.Tensor:
    """Stands in for the teacher: every 30 grey levels are another emotion."""
    told = torch.from_numpy(crops[:, 40, 40, 0].astype(np.int64)) // 30
    return 4.0 * torch.nn.functional.one_hot(told.clamp(max=6), 7)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(teacher, "load_teacher", lambda path: None)
    monkeypatch.setattr(teacher, "ask_teacher", ask_by_brightness)
    weights = tmp_path / "package" / "model" / "face_expression_model.bin"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"")
    return tmp_path / "package"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Three greys; one of them labelled otherwise than the stand-in says."""
    lines = []
    for number, (grey, label) in enumerate(((15, 0), (105, 3), (195, 5))):
        file = f"{CAER7[label]}/{number}.png"
        path = tmp_path / "people" / "test" / file
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), np.full((120, 160, 3), grey, np.uint8))
        lines.append(f"{file},{label},40,30,90,90\n")
    (tmp_path / "people" / "test.csv").write_text("".join(lines))
    return tmp_path / "people"


def test_the_teacher_before_labels(package: Path, people: Path, capsys) -> None:
    assert main(["evaluate", str(package), "--data", str(people), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["samples"] == 3
    assert told["accuracy"] == pytest.approx(2 / 3)


def test_validation_is_refused(package: Path, people: Path, capsys) -> None:
    words = ["evaluate", str(package), "--data", str(people), "--split", "validation"]
    assert main(words) == 2
    assert "train or test" in capsys.readouterr().err
