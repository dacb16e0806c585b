"""Configure, activate, deactivate, clean up; and what the node does when it can not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters

GREY = np.full((240, 320, 3), 120, np.uint8)


@pytest.fixture
def broken_bundle(tmp_path: Path, photos: Path) -> Path:
    """A copy of the default model with one byte of its network changed."""
    from caer_ros.bundles import find_bundle

    folder = tmp_path / "caer_broken"
    shutil.copytree(find_bundle("caer_net_s").folder, folder)
    network = folder / "fp32.onnx"
    data = bytearray(network.read_bytes())
    data[len(data) // 2] ^= 0xFF
    network.write_bytes(bytes(data))
    return folder


def test_the_cycle_can_be_run_again_and_again(stage, photos):
    probe = stage.probe
    node = stage.node(autostart=False)
    assert probe.state() == "unconfigured"
    for _ in range(3):
        assert probe.change("configure"), node.output
        assert probe.change("activate")
        assert probe.until(lambda: probe.camera.get_subscription_count() == 1)
        assert probe.ask(GREY) is not None
        assert probe.change("deactivate")
        assert probe.until(lambda: probe.camera.get_subscription_count() == 0)
        assert probe.ask(GREY, 0.5) is None
        assert probe.change("cleanup")
        assert probe.state() == "unconfigured"
    assert probe.change("configure")
    assert probe.change("shutdown")
    assert probe.state() == "finalized"


def test_a_missing_model_leaves_the_node_alive_and_a_good_one_mends_it(stage, photos):
    probe = stage.probe
    node = stage.node(model="no_such_model")
    assert probe.until(lambda: "Not configured" in node.output, 20.0)
    assert probe.state() == "unconfigured"
    line = next(line for line in node.output.splitlines() if "Not configured" in line)
    assert "No model 'no_such_model' is installed" in line
    assert "caer models install" in line
    status = probe.fresh_diagnostics()["model"]
    assert status.level == DiagnosticStatus.ERROR
    assert "no_such_model" in status.message

    good = Parameter(
        name="model",
        value=ParameterValue(type=ParameterType.PARAMETER_STRING, string_value="caer_net_s"),
    )
    request = SetParameters.Request(parameters=[good])
    reply = probe.call(SetParameters, "/emotion_node/set_parameters", request)
    assert reply.results[0].successful
    assert probe.change("configure"), node.output
    assert probe.change("activate")
    assert probe.fresh_diagnostics()["model"].level != DiagnosticStatus.ERROR


def test_a_changed_model_file_is_refused(stage, broken_bundle):
    node = stage.node(model=broken_bundle)
    assert stage.probe.until(lambda: "Not configured" in node.output, 20.0)
    assert stage.probe.state() == "unconfigured"
    line = next(line for line in node.output.splitlines() if "Not configured" in line)
    assert "sha256" in line
    assert "fp32.onnx" in line
    assert node.output.count("Not configured") == 1


def test_a_missing_detector_says_how_to_install_it(stage, photos):
    node = stage.node(detector="no_such_detector")
    assert stage.probe.until(lambda: "Not configured" in node.output, 20.0)
    assert "caer models install no_such_detector" in node.output
    assert stage.probe.state() == "unconfigured"
