"""The bundles in models/ are what their model.yaml and cards say; of CAER-Net-S, all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml

from caer_ros.bundles.bundle import read_bundle
from caer_ros.bundles.files import sha256_of
from caer_ros.core import CAER7, EMOTIC26
from caer_ros.engines import open_engine
from caer_ros.evaluation.predict import softmax

MODELS = Path(__file__).parents[2] / "models"
BUNDLE = MODELS / "caer_net_s"
# What each names, and whether several hold at once.
SHIPPED = {"caer_net_s": (CAER7, False), "benet_w18": (EMOTIC26, True)}


def test_no_bundle_is_left_out() -> None:
    assert {path.parent.name for path in MODELS.glob("*/model.yaml")} == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_file_is_the_promised_one(name: str) -> None:
    bundle = read_bundle(MODELS / name)
    assert bundle.files.keys() == {"fp32", "fp16", "int8", "int8_onnxruntime"}
    for file, digest in bundle.files.values():
        assert sha256_of(bundle.folder / file) == digest
    assert (bundle.labels, bundle.multi_label) == SHIPPED[name]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_demonstration_says_so(name: str) -> None:
    bundle = read_bundle(MODELS / name)
    assert bundle.demonstration
    assert bundle.notice
    card = (bundle.folder / "README.md").read_text()
    assert "demonstration" in card.lower()


def test_smaller_files_were_measured_and_agree() -> None:
    metrics = yaml.safe_load((BUNDLE / "model.yaml").read_text())["metrics"]
    # Beside the files themselves, hints of OpenVINO that were measured and allowed.
    assert {"int8", "int8_onnxruntime"} <= metrics["int8"].keys()
    for result in (*metrics["int8"].values(), metrics["fp16"]["fp16"]):
        assert result["people"] >= 100
        assert result["top_label_agreement"] >= 0.98


def test_the_network_has_the_papers_parameters() -> None:
    sizes = [
        np.prod(tensor.dims)
        for tensor in onnx.load(BUNDLE / "fp32.onnx").graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1
    ]
    # All 12 convolutions' and 6 linear layers' weights; biases and folded batch norm not counted.
    assert sum(size for size in sizes if size > 64) == 2_383_808


@pytest.mark.parametrize(
    ("precision", "backend"),
    [
        ("fp32", "onnxruntime"),
        ("fp16", "onnxruntime"),
        ("int8", "onnxruntime"),
        ("int8", "openvino"),
    ],
)
def test_it_answers(precision: str, backend: str, people: dict[str, np.ndarray]) -> None:
    pytest.importorskip(backend)
    with open_engine(read_bundle(BUNDLE).model_file(precision, backend), backend) as engine:
        answer = {name: array.copy() for name, array in engine.run(people).items()}
    np.testing.assert_allclose(softmax(answer["logits"]).sum(axis=1), 1)
    np.testing.assert_allclose(answer["fusion"].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(answer["attention"].sum(axis=(1, 2)), 1, atol=1e-5)
