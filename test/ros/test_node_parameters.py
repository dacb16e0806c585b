"""Parameters: the table, the file that repeats it, and changes while the node runs."""

from __future__ import annotations

import pytest
import yaml
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, SetParameters

from caer_ros.perception import PipelineConfig
from caer_ros.ros.parameter_table import SPECS, When
from caer_ros.ros.parameters import camera_topics, pipeline_config


def number(name: str, value: float) -> Parameter:
    kind = ParameterType.PARAMETER_DOUBLE
    return Parameter(name=name, value=ParameterValue(type=kind, double_value=value))


def text(name: str, value: str) -> Parameter:
    kind = ParameterType.PARAMETER_STRING
    return Parameter(name=name, value=ParameterValue(type=kind, string_value=value))


def change(stage, parameter: Parameter):
    request = SetParameters.Request(parameters=[parameter])
    return stage.probe.call(SetParameters, "/emotion_node/set_parameters", request).results[0]


def test_the_file_repeats_the_defaults_of_the_table(root):
    written = yaml.safe_load((root / "config" / "emotion.yaml").read_text())
    assert written["/**"]["ros__parameters"] == {spec.name: spec.default for spec in SPECS}


@pytest.mark.parametrize(
    ("topics", "cameras"),
    [
        ([""], {"": "camera/image_raw"}),
        (["/front/image_raw"], {"front": "/front/image_raw"}),
        (
            ["/r/front/image_raw", "", "/r/rear/image_raw/compressed"],
            {"front": "/r/front/image_raw", "rear": "/r/rear/image_raw/compressed"},
        ),
        # Both would be called left: then all have their whole names.
        (
            ["/a/left/image", "/b/left/image"],
            {"a_left_image": "/a/left/image", "b_left_image": "/b/left/image"},
        ),
        (["image", "image"], {"image": "image"}),
    ],
)
def test_cameras_are_called_by_their_topics(topics, cameras):
    values = {spec.name: spec.default for spec in SPECS} | {"image_topics": topics}
    assert camera_topics(values) == cameras
    assert pipeline_config(values).cameras == tuple(cameras)


def test_the_tables_defaults_are_the_pipelines():
    assert pipeline_config({spec.name: spec.default for spec in SPECS}) == PipelineConfig()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_parameter_is_described_and_its_default_allowed(spec):
    assert len(spec.description) > 15
    if isinstance(spec.default, (int, float)) and not isinstance(spec.default, bool):
        assert spec.low < spec.high
        assert spec.low <= spec.default <= spec.high
    if spec.choices:
        assert spec.default in spec.choices


def test_thresholds_change_while_it_runs_and_topics_do_not(stage, astronaut):
    stage.active_node()
    probe = stage.probe
    assert len(probe.ask(astronaut).people) == 1

    assert change(stage, number("min_face", 400.0)).successful
    assert probe.ask(astronaut).people == []
    assert change(stage, number("min_face", 16.0)).successful
    assert len(probe.ask(astronaut).people) == 1

    # Not of this model, which sees faces; the pipeline takes it all the same.
    assert change(stage, number("person_threshold", 0.9)).successful
    assert len(probe.ask(astronaut).people) == 1

    refused = change(stage, text("emotions_topic", "other"))
    assert not refused.successful
    assert "only while the node is unconfigured" in refused.reason
    assert not change(stage, number("detector_threshold", 7.0)).successful
    refused = change(stage, text("precision", "int3"))
    assert not refused.successful
    assert "fp32, fp16, int8" in refused.reason

    assert change(stage, number("max_rate_hz", 2.0)).successful
    before = len(probe.arrays)
    for index in range(30):
        probe.send(astronaut, sec=index + 1)
        probe.spin(0.05)
    assert 2 <= len(probe.arrays) - before <= 6  # 1.5 s at two a second, and some slack


def test_ranges_are_seen_from_outside(stage):
    stage.node(autostart=False)
    names = [spec.name for spec in SPECS]
    request = DescribeParameters.Request(names=names)
    reply = stage.probe.call(DescribeParameters, "/emotion_node/describe_parameters", request)
    shown = dict(zip(names, reply.descriptors, strict=True))
    assert shown["detector_threshold"].floating_point_range[0].from_value == 0.05
    assert shown["max_people"].integer_range[0].to_value == 256
    assert "fp32, fp16, int8" in shown["precision"].additional_constraints
    for spec in SPECS:
        assert shown[spec.name].read_only == (spec.when is When.AT_START)


@pytest.mark.parametrize(
    ("parameter", "value"), [("max_rate_hz", 10), ("detector_threshold", 3.5), ("max_people", 0)]
)
def test_a_wrong_value_at_start_ends_with_one_line(stage, parameter, value):
    node = stage.node(**{parameter: value})
    assert node.wait(10.0) == 2
    assert "Traceback" not in node.output
    assert parameter in node.output


def test_a_wrong_choice_at_start_is_told_and_waited_for(stage):
    node = stage.node(precision="fp8")
    assert stage.probe.until(lambda: "Not configured" in node.output, 20.0), node.output
    assert "precision is 'fp8': use one of fp32, fp16, int8." in node.output
    assert stage.probe.state() == "unconfigured"
