"""Thresholds that a BENet checkpoint carries, on their way into its bundle."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from caer_ros.bundles import read_bundle
from caer_ros.cli.main import main
from caer_ros.core import CAER7, EMOTIC26, InputError
from caer_ros.deploy import export_benet
from caer_ros.deploy.bundle_thresholds import carried_thresholds
from caer_ros.deploy.card import About, file_entry, write_card
from caer_ros.deploy.export_benet import MapsOptions, benet_card
from caer_ros.deploy.onnx_file import Parity
from caer_ros.evaluation.benet.calibration import Calibration
from caer_ros.evaluation.benet.predictions import AtTruth, GroundTruth
from caer_ros.evaluation.benet.report import Tuning, tune
from caer_ros.evaluation.benet.thresholds import Thresholds
from caer_ros.evaluation.benet.tuning_record import tuning_record
from caer_ros.networks.checkpoint import save_checkpoint
from caer_ros.networks.registry import build_network

pytestmark = pytest.mark.usefixtures("one_thread")

PEOPLE, NEVER = 40, EMOTIC26.index("Yearning")


@pytest.fixture(scope="module")
def people() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and what is annotated: above 0.2 whoever has the emotion, nobody the last."""
    rng = np.random.default_rng(0)
    positives = rng.random((PEOPLE, 26)) < 0.4
    positives[:, NEVER] = False
    emotions = 0.2 * positives + rng.uniform(0, 0.19999, positives.shape)
    return emotions.astype(np.float32), positives


@pytest.fixture(scope="module")
def tuning(people: tuple[np.ndarray, np.ndarray]) -> dict:
    """As training keeps it."""
    emotions, positives = people
    boxes = np.tile([0.0, 0, 1, 1], (PEOPLE, 1))
    truth = GroundTruth(
        boxes, positives, np.ones_like(positives), np.full((PEOPLE, 3), np.nan, np.float32)
    )
    return tuning_record(tune([truth], [AtTruth(emotions, None)]))


def card_of(extra: dict, **switches: object) -> dict:
    network = build_network("benet", width=8, **switches)
    return benet_card(network, About("toy", "1", extra, True, ""), MapsOptions(64, 3))


def test_the_bundles_thresholds_name_whom_the_checkpoints_do(tuning, people, tmp_path) -> None:
    card = card_of({"tuning": tuning, "metrics": {"mAP": 17.0}})
    (tmp_path / "fp32.onnx").write_bytes(b"not looked at")
    write_card(tmp_path, card | {"files": {"fp32": file_entry(tmp_path / "fp32.onnx")}})
    bundle = read_bundle(tmp_path)
    thresholds = bundle.thresholds()
    assert tuple(bundle.decode["thresholds"]) == EMOTIC26
    assert bundle.decode["thresholds"]["Yearning"] is None
    assert np.flatnonzero(np.isnan(thresholds)).tolist() == [NEVER]
    emotions, positives = people
    # Compared as the robot does, in float32: nobody loses his name to rounding.
    np.testing.assert_array_equal(emotions >= thresholds, positives)
    assert "true centres" in bundle.extra["metrics"]["thresholds"]["chosen_on"]
    assert bundle.extra["metrics"]["training"] == {"mAP": 17.0}


def test_a_learned_fusion_makes_no_difference_to_thresholds_of_the_maps(tuning) -> None:
    fused, plain = (card_of({"tuning": tuning}, fusion=fusion) for fusion in ("learned", "none"))
    assert fused["decode"]["thresholds"] == plain["decode"]["thresholds"]


def test_without_thresholds_the_card_has_none(tuning) -> None:
    card = card_of({"metrics": {}})
    assert card["decode"] == {"top_k": 3, "threshold": 0.1}
    assert "thresholds" not in card["metrics"]
    assert "none in the checkpoint; `caer temperature`" in carried_thresholds({}, EMOTIC26).said
    # Those of other labels are left behind, and it is said.
    dropped = carried_thresholds({"tuning": tuning}, CAER7)
    assert dropped.thresholds is None
    assert "are of other labels; `caer temperature`" in dropped.said


def test_damaged_thresholds_are_refused(tuning) -> None:
    lacking = {name: value for name, value in tuning["thresholds"].items() if name != "Anger"}
    changes = (lacking, {**tuning["thresholds"], "Anger": "much"}, [0.5] * 26)
    for thresholds in changes:
        with pytest.raises(InputError, match="unreadable"):
            card_of({"tuning": tuning | {"thresholds": thresholds}})
    for value in (1.5, -0.1, float("nan")):
        thresholds = {**tuning["thresholds"], "Anger": value}
        with pytest.raises(InputError, match=r"outside \[0, 1\]"):
            card_of({"tuning": tuning | {"thresholds": thresholds}})


def test_export_carries_them_and_says_so(
    tuning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """The ONNX file itself is made in test_benet_bundle.py, which takes long."""
    monkeypatch.setattr(export_benet, "maps_to_onnx", lambda *_: b"not looked at")
    monkeypatch.setattr(export_benet, "check_maps_parity", lambda *_: Parity(0.0, "nothing"))
    network = build_network("benet", width=8)
    cv2.imwrite(str(tmp_path / "room.png"), np.zeros((64, 64, 3), np.uint8))
    for name, extra in (("with", {"tuning": tuning}), ("without", {})):
        save_checkpoint(network, tmp_path / f"{name}.safetensors", extra)
        call = ["export", str(tmp_path / f"{name}.safetensors"), "--images", str(tmp_path)]
        assert main([*call, "--bundle", str(tmp_path / name), "--short-side", "64"]) == 0
    first, second = capsys.readouterr().out.split("next:")[:2]
    assert "thresholds: the checkpoint's, chosen at the true centres of people" in first
    assert "`caer temperature`" in first
    assert "thresholds: none in the checkpoint" in second
    assert read_bundle(tmp_path / "with").thresholds() is not None
    assert read_bundle(tmp_path / "without").thresholds() is None


def test_a_broken_checkpoint_leaves_the_bundle_as_it_was(tmp_path: Path, capsys) -> None:
    values = Thresholds(EMOTIC26, np.full(26, 2.0), np.ones(26, bool))
    lines = Calibration(EMOTIC26, np.ones(26), np.zeros(26), np.zeros(26, bool))
    extra = {"tuning": tuning_record(Tuning(values, lines))}
    save_checkpoint(build_network("benet", width=8), tmp_path / "c.safetensors", extra)
    cv2.imwrite(str(tmp_path / "room.png"), np.zeros((64, 64, 3), np.uint8))
    bundle = tmp_path / "old"
    bundle.mkdir()
    (bundle / "model.yaml").write_text("old")
    call = ["export", str(tmp_path / "c.safetensors"), "--images", str(tmp_path)]
    assert main([*call, "--bundle", str(bundle)]) == 2
    assert "threshold outside [0, 1]" in capsys.readouterr().err
    assert [path.name for path in bundle.iterdir()] == ["model.yaml"]
    assert (bundle / "model.yaml").read_text() == "old"
