"""The builder's calls, in order, against a fake TensorRT of four versions; nothing is built."""

import threading
from pathlib import Path

import pytest

from caer_ros.core import EngineBuildError, InputError, OutOfMemory
from caer_ros.engines.trt import compat
from caer_ros.engines.trt.builder import BuildOptions, build_plan
from caer_ros.engines.trt.callbacks import watch_progress
from caer_ros.engines.trt.device import DeviceMissing
from caer_ros.engines.trt.onnx_graph import OnnxGraph
from caer_ros.engines.trt.profile import parse_profile

ONE, FOUR = parse_profile("people=1,scenes=1"), parse_profile("people=4,scenes=1")


@pytest.fixture
def graph(side_for):
    def make(data=b"model", quantized=False, half=False):
        side = side_for()
        return OnnxGraph(Path("m.onnx"), "0" * 64, data, side.inputs, side.outputs, quantized, half)

    return make


def test_it_builds_on_every_version(trt, graph):
    plan = build_plan(trt, graph(), BuildOptions("fp32", [ONE, FOUR]), b"earlier")
    assert plan.engine == b"plan of mode"
    assert plan.timing_cache == b"earlier+measured"
    (config,) = trt.fake.configs
    assert [p["face"] for p in config._profiles] == [((1, 3),) * 3, ((4, 3),) * 3]
    assert config._profiles[1]["context"] == ((1, 3),) * 3


def test_types_come_from_the_file_or_where_they_can_not_from_flags(trt, graph):
    build_plan(trt, graph(quantized=True, half=True), BuildOptions("int8", [ONE]))
    (config,) = trt.fake.configs
    known = trt.NetworkDefinitionCreationFlag
    if trt.__version__ == "8.6.1":
        assert config._flags == {"TF32", "FP16", "INT8"}
        assert config._network_flags == 1 << int(known.EXPLICIT_BATCH)
    else:
        assert config._flags == {"TF32"}
        assert config._network_flags == 1 << int(known.STRONGLY_TYPED)


def test_fp32_means_fp32(trt, graph):
    build_plan(trt, graph(), BuildOptions("fp32", [ONE]))
    assert trt.fake.configs[0]._flags == set()


def test_options_reach_the_builder(trt, graph):
    options = BuildOptions("int8", [ONE], workspace=256, dla=1, portable=True)
    build_plan(trt, graph(quantized=True), options)
    (config,) = trt.fake.configs
    assert config._limits == {"WORKSPACE": 256 << 20}
    assert config.DLA_core == 1
    assert config.default_device_type.name == "DLA"
    assert "GPU_FALLBACK" in config._flags
    assert config.hardware_compatibility_level.name == "AMPERE_PLUS"
    assert str(options) == "workspace=256 dla=1 portable"


def test_a_dla_core_that_is_not_there_is_refused(trt10, graph):
    with pytest.raises(DeviceMissing, match="no DLA core 2"):
        build_plan(trt10, graph(), BuildOptions("int8", [ONE], dla=2))


def test_a_foreign_timing_cache_is_left_out(trt10, graph):
    plan = build_plan(trt10, graph(), BuildOptions("fp32", [ONE]), b"foreign")
    assert plan.timing_cache == b"+measured"


@pytest.mark.parametrize(
    ("failure", "error", "words"),
    [
        ("Internal Error: no implementation", EngineBuildError, "no implementation"),
        ("Requested size was 4 GB: out of memory", OutOfMemory, "--workspace"),
    ],
)
def test_a_failed_build_says_why_and_what_to_do(trt10, graph, failure, error, words):
    trt10.fake.failure = failure
    with pytest.raises(error, match=words):
        build_plan(trt10, graph(), BuildOptions("fp32", [ONE]))


def test_a_file_that_can_not_be_parsed_names_the_node(trt10, graph):
    with pytest.raises(EngineBuildError, match="In node 3: INVALID_NODE"):
        build_plan(trt10, graph(b"bad"), BuildOptions("fp32", [ONE]))


def test_a_profile_without_an_axis_is_refused(trt10, graph):
    with pytest.raises(InputError, match="axis 'scenes'"):
        build_plan(trt10, graph(), BuildOptions("fp32", [parse_profile("people=1")]))


def test_progress_is_told_and_an_interrupt_stops_the_builder(trt10, graph, monkeypatch):
    """Ctrl-C reaches the waiting thread; the builder asks between two steps whether to go on."""
    monkeypatch.setattr("caer_ros.engines.trt.builder._TELL_EVERY_S", 0.01)
    asked, started = [], threading.Event()

    def slow(module, config, tell, go_on):
        tell("Timing kernels, 3 of 9")
        started.set()
        while go_on():
            pass
        asked.append("stopped")

    monkeypatch.setattr("caer_ros.engines.trt.builder.watch_progress", slow)
    heard = []

    def say(line):
        heard.append(line)
        if started.is_set() and "Timing" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_plan(trt10, graph(), BuildOptions("fp32", [ONE]), say=say)
    assert "Timing kernels, 3 of 9" in heard[-1]
    assert asked == ["stopped"]


def test_the_monitor_tells_phases_and_hands_on_the_wish_to_stop(trt10):
    lines, going = [], [True]
    config = trt10.Builder(None).create_builder_config()
    monitor = watch_progress(trt10, config, lines.append, lambda: going[0])
    monitor.phase_start("Timing", None, 4)
    assert monitor.step_complete("Timing", 0)
    going[0] = False
    assert not monitor.step_complete("Timing", 1)
    monitor.phase_finish("Timing")
    assert lines == ["Timing", "Timing, 1 of 4", "Timing, 2 of 4"]


def test_numpy_types_cover_what_networks_use(trt):
    for name in vars(trt.DataType):
        assert compat.numpy_type(getattr(trt.DataType, name)).name.startswith(name[:3].lower()) or (
            name in ("FLOAT", "HALF")
        )
