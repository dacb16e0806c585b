"""`caer bench node`: the node over DDS beside the bare pipeline. No timing is asserted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml

from caer_ros.cli.bench_node import to_lines
from caer_ros.perception import PipelineConfig
from caer_ros.ros.bench_peer import node_arguments
from caer_ros.ros.parameter_table import BY_NAME

CALL = [sys.executable, "-m", "caer_ros.cli.main", "bench", "node", "--rounds", "1"]
FAST = ["--backend", "onnxruntime", "--detector-size", "320", "--threads", "2"]


def test_it_measures_both_and_prints_json(photos):
    call = [*CALL, *FAST, "--frames", "2", "--width", "320", "--height", "240", "--json"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["width"], report["height"], report["people"]) == (320, 240, 1)
    assert report["about"]["backend"].startswith("onnxruntime")
    for name in ("bare", "inside", "end_to_end"):
        half, most = report[name]
        assert 0 < half <= most, name
    assert report["bare_rate"] > 0
    assert report["node_rate"] > 0
    assert report["overhead"] > -1


@pytest.mark.parametrize(
    ("wrong", "text"), [(["--frames", "0"], "at least 1"), (["--model", "no_such"], "no_such")]
)
def test_what_is_wrong_with_the_call_is_told(photos, wrong, text):
    done = subprocess.run([*CALL, *wrong], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_the_node_gets_the_pipelines_configuration():
    config = PipelineConfig(model="123", detector_size=320, min_face=20.0)
    given = [text for text in node_arguments(config) if ":=" in text]
    values = {name: yaml.safe_load(text) for name, text in (each.split(":=", 1) for each in given)}
    assert values["model"] == "123"  # not a number
    assert values["detector_size"] == 320
    assert values["min_face"] == 20.0
    assert isinstance(values["min_face"], float)
    assert values.keys() <= BY_NAME.keys()
    assert {"precision", "backend", "threads", "tracking"} < values.keys()


def test_the_table_says_what_the_node_adds():
    report = {
        "about": {"model": "caer_net_s 1"},
        "width": 640,
        "height": 480,
        "people": 1,
        "rounds": 3,
        "lost": 0,
        "bare": (60.0, 70.0),
        "inside": (60.5, 72.0),
        "end_to_end": (66.0, 75.0),
        "overhead": 0.1,
        "bare_rate": 16.0,
        "node_rate": 15.0,
        "rate_overhead": 16 / 15 - 1,
    }
    text = "\n".join(to_lines(report))
    assert "add 10.0% to a frame" in text
    assert "16.0 bare, 15.0 through the node (+6.7% time a frame)" in text
    assert "66.00" in text
