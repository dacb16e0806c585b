"""OpenVINO's arithmetic: nothing that was not measured on the bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from caer_ros.bundles import Bundle
from caer_ros.core import BundleError, InputError
from caer_ros.perception.cpu_hint import hint_for
from caer_ros.perception.pipeline_config import PipelineConfig

_MEASURED = {"int8": {"int8": {}, "int8_bf16": {}, "int8_f16": {}}, "fp32": {"fp32_bf16": {}}}


@pytest.fixture
def bundle() -> Bundle:
    plain = {"summary": "", "license": "", "labels": (), "multi_label": False}
    empty = {"inputs": {}, "outputs": {}, "decode": {}, "files": {}}
    return Bundle(Path(), "m", "1", "caer_static", **plain, **empty, extra={"metrics": _MEASURED})


@pytest.fixture
def has_bf16(monkeypatch):
    open_vino = pytest.importorskip("caer_ros.engines.open_vino")
    monkeypatch.setattr(open_vino, "hints_here", lambda: ("f32", "bf16"))


def test_auto_takes_what_was_measured_and_this_cpu_has(bundle, has_bf16, monkeypatch):
    assert hint_for(bundle, "int8", "openvino", "auto") == "bf16"
    monkeypatch.setattr("caer_ros.engines.open_vino.hints_here", lambda: ("f32", "f16"))
    assert hint_for(bundle, "int8", "openvino", "auto") == "f16"
    assert hint_for(bundle, "fp32", "openvino", "auto") == "f32"
    monkeypatch.setattr("caer_ros.engines.open_vino.hints_here", lambda: ("f32",))
    assert hint_for(bundle, "int8", "openvino", "auto") == "f32"


@pytest.mark.parametrize("metrics", [None, {}, {"int8": None}, {"int8": {"int8": {}}}, "what?"])
def test_what_was_not_measured_is_not_taken(bundle, has_bf16, metrics):
    bare = replace(bundle, extra={"metrics": metrics})
    assert hint_for(bare, "int8", "openvino", "auto") == "f32"
    assert hint_for(replace(bundle, extra={}), "int8", "openvino", "auto") == "f32"
    with pytest.raises(BundleError, match="was not measured") as caught:
        hint_for(bare, "int8", "openvino", "bf16")
    assert "caer calibrate" in caught.value.remedy


def test_one_that_was_asked_for_is_taken_where_it_was_measured(bundle):
    assert hint_for(bundle, "fp32", "openvino", "bf16") == "bf16"
    assert hint_for(bundle, "int8", "openvino", "f32") == "f32"
    with pytest.raises(BundleError, match="fp32 of 'm'"):
        hint_for(bundle, "fp32", "openvino", "f16")


@pytest.mark.parametrize("backend", ["onnxruntime", "tensorrt"])
def test_other_back_ends_have_no_hints(bundle, backend):
    assert hint_for(bundle, "int8", backend, "bf16") == "f32"


def test_the_configuration_knows_the_hints():
    assert PipelineConfig().cpu_hint == "auto"
    with pytest.raises(InputError, match="cpu_hint"):
        PipelineConfig(cpu_hint="fast")
