"""The bundle models/benet_w18: its thresholds, its smaller files, its size, whom it finds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml

from caer_ros.bundles import read_bundle
from caer_ros.cli.main import main
from caer_ros.core import EMOTIC26
from caer_ros.networks.registry import build_network

BUNDLE = Path(__file__).parents[3] / "models" / "benet_w18"


def test_it_says_from_when_a_label_holds() -> None:
    bundle = read_bundle(BUNDLE)
    thresholds = bundle.decode["thresholds"]
    assert set(thresholds) == set(EMOTIC26)
    assert all(value is None or 0 < value < 1 for value in thresholds.values())


def test_smaller_files_were_measured_and_agree() -> None:
    told = yaml.safe_load((BUNDLE / "model.yaml").read_text())
    metrics, guard = told["metrics"], told["guard"]
    assert {"int8", "int8_onnxruntime"} <= metrics["int8"].keys()
    for result in (*metrics["int8"].values(), metrics["fp16"]["fp16"]):
        assert result["people"] >= 500
        assert result["box_agreement"] >= guard["box_agreement"] >= 0.95
        person_ap = result["person_ap"]
        assert person_ap["fp32"] - person_ap["this"] <= guard["ap_drop"] <= 2


def test_the_card_names_the_networks_size() -> None:
    chosen = yaml.safe_load((BUNDLE / "model.yaml").read_text())["training"]["recipe"]["network"]
    network = build_network(**chosen)
    millions = sum(weight.numel() for weight in network.parameters()) / 1e6
    assert f" {millions:.1f} million parameters" in (BUNDLE / "README.md").read_text()
    weights = [
        np.prod(tensor.dims)
        for tensor in onnx.load(BUNDLE / "fp32.onnx").graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 4
    ]
    # Without biases and what batch norm was before it was folded.
    assert 4.9e6 < sum(weights) < 5.2e6


@pytest.mark.parametrize(
    ("precision", "backend"),
    [("fp32", "onnxruntime"), ("int8", "onnxruntime"), ("int8", "openvino")],
)
def test_it_finds_the_astronaut(
    precision: str, backend: str, photos: Path, capsys: pytest.CaptureFixture
) -> None:
    pytest.importorskip(backend)
    words = ["run", str(photos / "astronaut.png"), "--model", str(BUNDLE), "--json"]
    assert main([*words, "--precision", precision, "--backend", backend]) == 0
    (person,) = json.loads(capsys.readouterr().out)["people"]
    # She fills most of the 512x512 picture, down to its lower edge.
    body = person["body"]
    assert 0 <= body["x1"] < 100
    assert 0 <= body["y1"] < 60
    assert 400 < body["x2"] <= 512
    assert 450 < body["y2"] <= 512
    (estimate,) = person["estimates"]
    assert set(estimate["probabilities"]) == set(EMOTIC26)
    assert estimate["probabilities"]["Happiness"] > estimate["probabilities"]["Sadness"]
