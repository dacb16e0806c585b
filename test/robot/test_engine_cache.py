"""Compiled networks on disk: used when whole, ignored when not, never a reason to stop."""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from caer_ros.core import EngineBuildError, EngineMismatch, InputError
from caer_ros.engines import model_cache
from caer_ros.engines.base import EngineBase
from caer_ros.engines.model_cache import ModelCache
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.engines.processor import processor_facts

HAS_OPENVINO = importlib.util.find_spec("openvino") is not None
needs_openvino = pytest.mark.skipif(not HAS_OPENVINO, reason="OpenVINO is not installed")
Open = Callable[..., EngineBase]


def open_openvino(path: Path, **options: object) -> EngineBase:
    from caer_ros.engines.open_vino import OpenVinoEngine

    return OpenVinoEngine(path, **options)  # type: ignore[arg-type]


ENGINES = [
    pytest.param(OnnxRuntimeEngine, id="onnxruntime"),
    pytest.param(open_openvino, id="openvino", marks=needs_openvino),
]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """uint8 `x` [n, 3] -> float32 `y` = 2 x + 1, with constants that a cache could damage."""
    path = tmp_path / "network.onnx"
    write_network(path, 1.0)
    return path


def write_network(path: Path, bias: float) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["f", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [
            helper.make_tensor("w", TensorProto.FLOAT, [3, 3], (2 * np.eye(3)).ravel().tolist()),
            helper.make_tensor("b", TensorProto.FLOAT, [3], [bias] * 3),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def answer(engine: EngineBase) -> list[float]:
    with engine:
        return engine.run({"x": np.array([[1, 2, 3]], np.uint8)})["y"][0].tolist()  # type: ignore[attr-defined]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_second_start_reads_what_the_first_one_kept(
    engine: Open, network: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    assert answer(engine(network, cache=folder)) == [3, 5, 7]
    (kept,) = files(folder)
    stamp = kept.stat().st_mtime_ns
    assert answer(engine(network, cache=folder)) == [3, 5, 7]
    assert [(p, p.stat().st_mtime_ns) for p in files(folder)] == [(kept, stamp)]
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_cache_holds_is_what_runs(engine: Open, network: Path, tmp_path: Path) -> None:
    """The kept file is really used: one made from another network, under this name, answers."""
    folder, other = tmp_path / "cache", tmp_path / "other.onnx"
    write_network(other, 100.0)
    engine(network, cache=folder).close()
    (mine,) = files(folder)
    engine(other, cache=folder).close()
    (foreign,) = [path for path in files(folder) if path != mine]
    stem, ending = mine.name.split("-")[0], mine.suffix
    foreign.rename(folder / f"{stem}-{foreign.name.split('-')[1]}")
    mine.unlink()
    assert foreign.suffix == ending
    assert answer(engine(network, cache=folder)) == [102, 104, 106]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("damage", ["empty", "half", "one byte"])
def test_a_damaged_file_is_ignored_with_a_warning_and_replaced(
    engine: Open, damage: str, network: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    engine(network, cache=folder).close()
    (kept,) = files(folder)
    good = kept.read_bytes()
    middle = len(good) // 2
    broken = {
        "empty": b"",
        "half": good[:middle],
        "one byte": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
    }[damage]
    kept.chmod(0o644)
    kept.write_bytes(broken)
    with caplog.at_level(logging.WARNING):
        assert answer(engine(network, cache=folder)) == [3, 5, 7]
    assert "is damaged; it is compiled anew" in caplog.text
    (again,) = files(folder)
    assert again.stat().st_size == len(good)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_whole_file_that_the_back_end_refuses_is_compiled_anew(
    engine: Open, network: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    engine(network, cache=folder).close()
    (kept,) = files(folder)
    kept.unlink()
    rubbish = folder / "rubbish"
    rubbish.write_bytes(b"no network at all")
    digest = model_cache._sha256(rubbish)[:32]
    rubbish.rename(folder / f"{kept.name.split('-')[0]}-{digest}{kept.suffix}")
    with caplog.at_level(logging.WARNING):
        assert answer(engine(network, cache=folder)) == [3, 5, 7]
    assert "compiled anew" in caplog.text


@pytest.mark.parametrize("engine", ENGINES)
def test_a_folder_that_can_not_be_made_costs_nothing(
    engine: Open, network: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert answer(engine(network, cache=tmp_path / "file" / "cache")) == [3, 5, 7]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_changed_network_is_another_entry(engine: Open, network: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    assert answer(engine(network, cache=folder)) == [3, 5, 7]
    write_network(network, 5.0)
    assert answer(engine(network, cache=folder)) == [7, 9, 11]
    assert len(files(folder)) == 2


@pytest.mark.parametrize("backend", ["onnxruntime", pytest.param("openvino", marks=needs_openvino)])
def test_a_full_disk_keeps_nothing_and_the_network_runs(
    backend: str, network: Path, tmp_path: Path
) -> None:
    """A limit on the size of files stands for the full disk: writing fails half way."""
    module, name = {
        "onnxruntime": ("onnx_runtime", "OnnxRuntimeEngine"),
        "openvino": ("open_vino", "OpenVinoEngine"),
    }[backend]
    code = f"""
import pathlib, resource, signal
import numpy as np
from caer_ros.engines.{module} import {name} as Engine
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
folder = pathlib.Path({str(tmp_path / "cache")!r})
with Engine(pathlib.Path({str(network)!r}), cache=folder) as engine:
    print(engine.run({{"x": np.array([[1, 2, 3]], np.uint8)}})["y"][0].tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[3.0, 5.0, 7.0]\n"), done.stderr
    assert "not kept" in done.stderr
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_broken_network_is_still_one_clear_error(network: Path, tmp_path: Path) -> None:
    network.write_bytes(network.read_bytes()[:40])
    for engine in (OnnxRuntimeEngine, *([open_openvino] if HAS_OPENVINO else [])):
        with pytest.raises(EngineBuildError, match="Reinstall"):
            engine(network, cache=tmp_path / "cache")
        assert list((tmp_path / "cache").iterdir()) == []


def test_facts_and_processor_are_in_the_name(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(*facts: str) -> None:
        with ModelCache(tmp_path / "cache", network, facts, ".x").new_file() as new:
            assert new is not None
            new.write_bytes(b"compiled")

    keep("1.0")
    assert ModelCache(tmp_path / "cache", network, ["1.0"], ".x").find() is not None
    assert ModelCache(tmp_path / "cache", network, ["1.1"], ".x").find() is None
    monkeypatch.setattr(model_cache, "processor_facts", lambda: ("another",))
    assert ModelCache(tmp_path / "cache", network, ["1.0"], ".x").find() is None


def test_what_a_killed_writer_left_is_swept_and_a_living_ones_is_not(
    network: Path, tmp_path: Path
) -> None:
    kept = ModelCache(tmp_path, network, [], ".x")
    with kept.new_file() as old, kept.new_file() as young:
        assert old is not None
        assert young is not None
        os.utime(old, (time.time() - 7200,) * 2)
        with kept.new_file():
            assert not old.exists()
            assert young.exists()


def test_processor_facts_tell_processors_apart(tmp_path: Path) -> None:
    x86, arm = tmp_path / "x86", tmp_path / "arm"
    x86.write_text("processor\t: 0\nmodel name\t: A\nflags\t\t: avx2 vnni\n\nprocessor\t: 1\n")
    arm.write_text("processor\t: 0\nCPU part\t: 0xd42\nFeatures\t: asimd i8mm\n")
    assert processor_facts(x86)[1:] == ("A", "avx2 vnni")
    assert processor_facts(arm)[1:] == ("0xd42", "asimd i8mm")
    assert processor_facts(tmp_path / "nothing")


@needs_openvino
def test_an_unknown_or_impossible_hint_is_refused(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from caer_ros.engines import open_vino

    with pytest.raises(InputError, match="f32, bf16, f16"):
        open_openvino(network, hint="fp8")

    class Plain:
        def get_property(self, *_: str) -> list[str]:
            return ["FP32", "INT8"]

    monkeypatch.setattr(open_vino, "_core", Plain)
    with pytest.raises(InputError, match="does not compute in BF16"):
        open_openvino(network, hint="bf16")


@needs_openvino
def test_threads_and_hint_reach_openvino_and_fp32_stays_fp32(
    network: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from caer_ros.engines import open_vino

    seen: list[dict[str, object]] = []
    compile_ = open_vino._compile

    def spy(path: Path, options: dict[str, object], *rest: Any) -> object:
        seen.append(options)
        return compile_(path, options, *rest)

    monkeypatch.setattr(open_vino, "_compile", spy)
    open_openvino(network, threads=1).close()
    assert seen == [
        {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": 1,
        }
    ]


@needs_openvino
def test_a_fixed_shape_is_kept_to_and_is_another_entry(network: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    for _ in range(2):  # compiled, then from the cache
        with open_openvino(network, cache=folder, shapes={"x": (1, 3)}) as engine:
            assert engine.inputs["x"].shape == (1, 3)
            assert engine.outputs["y"].shape == (1, 3)
            with pytest.raises(EngineMismatch):
                engine.run({"x": np.zeros((2, 3), np.uint8)})  # type: ignore[attr-defined]
    assert answer(open_openvino(network, cache=folder, shapes={"x": (-1, 3)})) == [3, 5, 7]
    assert answer(open_openvino(network, cache=folder)) == [3, 5, 7]
    assert len(files(folder)) == 3
    with pytest.raises(EngineBuildError, match="can not load"):
        open_openvino(network, shapes={"nothing": (1, 3)})
