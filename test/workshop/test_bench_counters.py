"""What the benchmark counts: multiply-adds of hand-made graphs, joules, peak memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from caer_ros.core import InputError
from caer_ros.deploy import energy
from caer_ros.deploy.energy import Rapl, open_meter, rail_watts
from caer_ros.deploy.graph_cost import count, count_model
from caer_ros.deploy.machine import about_machine, peak_memory_mb

node = helper.make_node


def graph(
    nodes: Sequence[NodeProto],
    inputs: dict[str, Sequence[int | str]],
    constants: dict[str, tuple[int, ...]],
    dtype: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model whose one output is `y`; constants are ones of these shapes."""
    made = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, dtype, list(dims)) for name, dims in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones(s, np.float32), name) for name, s in constants.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_convolution() -> None:
    """3x3 over 8x6 with stride 2 and padding 1: 4x3 outputs of 16 channels, 4 inputs each."""
    conv = node("Conv", ["x", "w"], ["y"], pads=[1] * 4, strides=[2, 2])
    model = graph([conv], {"x": ["n", 4, "h", "w"]}, {"w": (16, 4, 3, 3)})
    cost = count_model(model, {"x": (2, 4, 8, 6)})
    assert cost.macs == 2 * 16 * 4 * 3 * (4 * 9)
    assert cost.weights == 16 * 4 * 9
    assert cost.io_bytes == 4 * (2 * 4 * 8 * 6 + 2 * 16 * 4 * 3)
    assert cost.least_bytes(1) == cost.io_bytes + 16 * 4 * 9


def test_groups_read_their_own_channels_only() -> None:
    conv = node("Conv", ["x", "w"], ["y"], group=4)
    cost = count_model(graph([conv], {"x": [1, 4, 5, 5]}, {"w": (8, 1, 3, 3)}), {"x": (1, 4, 5, 5)})
    assert cost.macs == 8 * 3 * 3 * 9


def test_a_transposed_convolution_counts_from_its_input() -> None:
    up = node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    cost = count_model(graph([up], {"x": [1, 3, 4, 5]}, {"w": (3, 7, 2, 2)}), {"x": (1, 3, 4, 5)})
    assert cost.macs == 3 * 4 * 5 * 7 * 4
    assert cost.by_operator == {"ConvTranspose": cost.macs}


@pytest.mark.parametrize("turned", [0, 1])
def test_products_of_matrices(turned: int) -> None:
    nodes = [
        node("Gemm", ["x", "w"], ["g"], transA=turned),
        node("MatMul", ["g", "v"], ["y"]),
    ]
    shape = (5, 2) if turned else (2, 5)
    model = graph(nodes, {"x": ["a", "b"]}, {"w": (5, 3), "v": (3, 4)})
    assert count_model(model, {"x": shape}).by_operator == {"Gemm": 2 * 5 * 3, "MatMul": 2 * 3 * 4}


def test_a_batched_product_of_two_inputs_has_no_weights() -> None:
    model = graph([node("MatMul", ["x", "v"], ["y"])], {"x": [7, 2, 3], "v": [7, 3, 5]}, {})
    cost = count_model(model, {"x": (7, 2, 3), "v": (7, 3, 5)})
    assert (cost.macs, cost.weights) == (7 * 2 * 5 * 3, 0)


def test_a_quantised_file_counts_as_its_fp32_file_and_shared_weights_once() -> None:
    shared = [
        node("Conv", ["x", "d"], ["a"], pads=[1] * 4),
        node("Conv", ["a", "d"], ["y"], pads=[1] * 4),
    ]
    pair = [
        node("QuantizeLinear", ["w", "s"], ["q"]),
        node("DequantizeLinear", ["q", "s"], ["d"]),
    ]
    quantised = graph([*pair, *shared], {"x": [1, 4, 6, 6]}, {"w": (4, 4, 3, 3), "s": ()})
    plain = graph(
        [node("Identity", ["w"], ["d"]), *shared], {"x": [1, 4, 6, 6]}, {"w": (4, 4, 3, 3)}
    )
    shapes = {"x": (1, 4, 6, 6)}
    assert count_model(quantised, shapes) == count_model(plain, shapes)
    assert count_model(plain, shapes).weights == 4 * 4 * 9


def test_sizes_that_follow_from_the_input_are_followed() -> None:
    """A Reshape whose target is computed from a Shape, as exporters write it."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Concat", ["n", "rest"], ["t"], axis=0),
        node("Reshape", ["x", "t"], ["r"]),
        node("MatMul", ["r", "w"], ["y"]),
    ]
    model = graph(nodes, {"x": ["n", 2, 6]}, {"w": (12, 5)})
    for name, values in (("zero", [0]), ("rest", [12])):
        model.graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
    assert count_model(model, {"x": (3, 2, 6)}).macs == 3 * 5 * 12


def test_what_can_not_be_known_is_an_error_and_not_zero(tmp_path: Path) -> None:
    nodes = [
        node("NonZero", ["x"], ["i"]),
        node("Cast", ["i"], ["c"], to=TensorProto.FLOAT),
        node("MatMul", ["w", "c"], ["y"]),
    ]
    path = tmp_path / "model.onnx"
    onnx.save(graph(nodes, {"x": [2, 3]}, {"w": (4, 2)}), str(path))
    with pytest.raises(InputError, match="depends on what runs"):
        count(path, {"x": (2, 3)})
    with pytest.raises(InputError, match="no shape was given"):
        count(path, {})
    with pytest.raises(InputError, match="has 2 axes"):
        count(path, {"x": (2, 3, 4)})
    path.write_bytes(b"no model")
    with pytest.raises(InputError, match="can not be counted"):
        count(path, {"x": (2, 3)})


def test_the_shipped_network_has_the_known_work(root: Path) -> None:
    shapes = {"face": (1, 96, 96, 3), "context": (1, 224, 224, 3), "scene": (1,)}
    for name in ("fp32", "int8", "int8_onnxruntime"):
        cost = count(root / "models" / "caer_net_s" / f"{name}.onnx", shapes)
        assert cost.by_operator == {"Conv": 1_067_217_408, "Gemm": 132_224}


def rapl(folder: Path, microjoules: dict[str, int]) -> Path:
    for name, value in microjoules.items():
        zone = folder / name
        zone.mkdir(parents=True, exist_ok=True)
        (zone / "energy_uj").write_text(f"{value}\n")
        (zone / "max_energy_range_uj").write_text("1000000\n")
    return folder


def test_rapl_adds_packages_but_not_their_parts_and_survives_an_overflow(tmp_path: Path) -> None:
    start = {"intel-rapl:0": 900_000, "intel-rapl:1": 0, "intel-rapl:0:0": 0}
    meter = Rapl(rapl(tmp_path, start))
    assert "2 processor" in meter.name
    assert meter.joules() == 0
    rapl(tmp_path, {"intel-rapl:0": 100_000, "intel-rapl:1": 300_000, "intel-rapl:0:0": 999_999})
    assert meter.joules() == pytest.approx(0.2 + 0.3)
    assert meter.joules() == pytest.approx(0.5)


def test_a_machine_without_meters_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy.shutil, "which", lambda name: None)
    assert open_meter(False, tmp_path) == (None, "no tegrastats, and no RAPL")

    def refused(path: Path) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(energy, "_number", refused)
    meter, why = open_meter(False, rapl(tmp_path, {"intel-rapl:0": 0}))
    assert meter is None
    assert "root" in why


@pytest.mark.parametrize(
    ("line", "watts"),
    [
        (
            "RAM 4722/30623MB (lfb 5x4MB) CPU [1%@1190,off] EMC_FREQ 0% CPU@46.1C"
            " VDD_GPU_SOC 2370mW/2370mW VDD_CPU_CV 395mW/400mW VIN_SYS_5V0 3152mW/3152mW"
            " VDDQ_VDD2_1V8AO 508mW/508mW",
            5.917,
        ),
        ("GR3D_FREQ 0% VDD_IN 5060mW/5000mW VDD_CPU_GPU_CV 1020mW/1020mW VDD_SOC 1mW/1mW", 5.06),
        ("VDD_IN 3100/3000 VDD_CPU_GPU_CV 500/500", 3.1),
        ("RAM 4722/30623MB CPU@46.1C", 0.0),
    ],
)
def test_a_jetsons_rails(line: str, watts: float) -> None:
    assert rail_watts(line) == pytest.approx(watts)


def test_tegrastats_is_read_as_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "tegrastats"
    fake.write_text("#!/bin/sh\nwhile :; do echo 'VDD_IN 2000mW/2000mW'; sleep 0.02; done\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    meter, why = open_meter(True)
    assert meter is not None
    assert why == ""
    try:
        while meter.joules() == 0:
            pass
        first = meter.joules()
        while meter.joules() < first + 0.1:
            pass
    finally:
        meter.close()


def test_peak_memory_is_this_process_own() -> None:
    """Not what its parent had: Linux hands that on through getrusage."""
    ballast = np.ones(200_000_000, np.uint8)
    code = "from caer_ros.deploy.machine import peak_memory_mb; print(peak_memory_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert peak_memory_mb() > 200
    assert 5 < float(done.stdout) < 150
    assert ballast[0] == 1


def test_the_machine_is_described_without_names() -> None:
    about = about_machine()
    assert "cores" in about["processor"]
    assert "onnxruntime" in about["versions"]
