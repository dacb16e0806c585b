"""`caer bench engines` and its page: structure and reasons, not times."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from caer_ros.bundles import Bundle, read_bundle
from caer_ros.bundles.files import sha256_of
from caer_ros.cli.main import main
from caer_ros.core import InputError
from caer_ros.deploy.bench_engines import Report, Row, Settings, bench_engines, limit_s
from caer_ros.deploy.bench_jobs import Job, ceilings_for, input_shapes, jobs_for
from caer_ros.deploy.bench_text import plot, to_lines, to_markdown
from caer_ros.deploy.bench_torch import UNTRAINED, open_torch
from caer_ros.deploy.bench_turns import run_turns
from caer_ros.deploy.bench_whole import PipelineRun
from caer_ros.deploy.graph_cost import Cost
from caer_ros.deploy.performance_page import write_page
from caer_ros.deploy.row_process import RowFailed, RowProcess

HAS_OPENVINO = importlib.util.find_spec("openvino") is not None


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of one small product; its task is one that torch has no network for."""
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    folder.mkdir()
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["f", "w"], ["y"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "h", "w", 8])],
        [numpy_helper.from_array(np.ones((3, 8), np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "fp32.onnx"))
    card = {
        "schema": 1,
        "name": "tiny",
        "version": "1",
        "summary": "",
        "task": "face_detection",
        "inputs": {
            "image": {
                "dtype": "uint8",
                "shape": ["images", "height", "width", 3],
                "multiple_of": 8,
            }
        },
        "outputs": {"y": {"dtype": "float32", "shape": ["images", "height", "width", 8]}},
        "files": {"fp32": {"path": "fp32.onnx", "sha256": sha256_of(folder / "fp32.onnx")}},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(card))
    return read_bundle(folder)


def job(**changes: Any) -> Job:
    given = {"row": "onnxruntime fp32", "arithmetic": "fp32", "device": "cpu", "threads": 1}
    return Job(**{**given, "shapes": {"image": ("uint8", (1, 8, 8, 3))}, **changes})


def test_all_rows_are_measured_or_say_why_not(tiny: Bundle) -> None:
    rows = ("onnxruntime fp32", "openvino fp32", "onnxruntime int8", "torch eager", "tensorrt fp32")
    settings = Settings(rows, height=16, width=8, rounds=2, turn_s=0.001)
    said: list[str] = []
    report = bench_engines(tiny, settings, say=said.append)
    measured = ["onnxruntime fp32"] + (["openvino fp32"] if HAS_OPENVINO else [])
    assert [row.row for row in report.rows] == measured
    assert set(report.missing) == set(rows) - set(measured)
    assert "no int8 file" in report.missing["onnxruntime int8"]
    assert "no torch network" in report.missing["torch eager"]
    assert report.missing["tensorrt fp32"]
    assert report.macs == 16 * 8 * 3 * 8
    assert report.weights == 24
    assert set(report.ceilings) == {"cpu fp32", "cpu memory"}
    first = report.rows[0]
    assert first.times_faster == 1
    assert 0 < first.median_ms <= first.p95_ms <= first.p99_ms
    assert first.per_second == pytest.approx(1000 / first.median_ms)
    assert first.limit is not None
    assert 0 < first.limit < 1
    assert 20 < first.peak_memory_mb < 400
    assert "loading ceiling copy cpu int8" in said
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_row_runs_in_another_process_with_its_threads(tiny: Bundle) -> None:
    process = RowProcess(job(onnx=str(tiny.folder / "fp32.onnx")))
    try:
        assert process.about["load_s"] > 0
        assert len(process.run(3)) == 3
        assert process.end() > 20
    finally:
        process.kill()


def test_reasons_of_rows_that_fail(tiny: Bundle) -> None:
    with pytest.raises(RowFailed, match=r"nothing\.onnx"):
        RowProcess(job(onnx="nothing.onnx"))
    with pytest.raises(RowFailed, match=r"longer than 0\.01 s"):
        RowProcess(job(onnx=str(tiny.folder / "fp32.onnx")), patience=0.01)


def test_a_row_that_dies_between_turns_is_dropped_and_the_others_go_on(
    tiny: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tiny.folder / "fp32.onnx")
    run = RowProcess.run

    def die_once(process: RowProcess, times: int) -> list[float]:
        if process.job.row == "ceiling copy":
            process._process.kill()
            process._process.wait()
        return run(process, times)

    monkeypatch.setattr(RowProcess, "run", die_once)
    doomed = job(row="ceiling copy", arithmetic="int8", shapes={})
    samples, failed, _ = run_turns([doomed, job(onnx=path)], rounds=2, turn_s=0.001)
    assert [one.job.row for one in samples] == ["onnxruntime fp32"]
    assert len(samples[0].rounds) == 2
    assert "ended with -9" in failed["ceiling copy cpu int8"]


def test_shapes_follow_batch_and_picture_size(tiny: Bundle) -> None:
    assert input_shapes(tiny, 2, 16, 24) == {"image": ("uint8", (2, 16, 24, 3))}
    with pytest.raises(InputError, match="multiples of 8"):
        input_shapes(tiny, 1, 12, 16)
    with pytest.raises(InputError, match="at least 1"):
        input_shapes(tiny, 0, 16, 16)


def test_every_person_has_a_scene_of_his_own() -> None:
    arrays = job(shapes={"face": ("uint8", (3, 2, 2, 3)), "scene": ("int64", (3,))}).arrays()
    assert arrays["scene"].tolist() == [0, 1, 2]
    assert arrays["face"].std() > 0


def test_bf16_is_the_fp32_file_and_unknown_rows_are_refused(tiny: Bundle) -> None:
    jobs, missing = jobs_for(tiny, ["openvino bf16"], {}, 1)
    assert missing == {}
    assert jobs[0].onnx.endswith("fp32.onnx")
    assert jobs[0].arithmetic == "bf16"
    with pytest.raises(InputError, match="no row 'caffe'"):
        jobs_for(tiny, ["caffe"], {}, 1)


def test_ceilings_are_those_that_the_rows_use() -> None:
    jobs = [job(), job(arithmetic="int8"), job(arithmetic="int8"), job(device="cuda")]
    found = [(each.row, each.device, each.arithmetic) for each in ceilings_for(jobs)]
    assert found == [
        ("ceiling matmul", "cpu", "fp32"),
        ("ceiling matmul", "cpu", "int8"),
        ("ceiling matmul", "cuda", "fp32"),
        ("ceiling copy", "cpu", "int8"),
        ("ceiling copy", "cuda", "int8"),
    ]


def test_a_job_survives_the_way_to_its_process() -> None:
    sent = job(onnx="a.onnx", checkpoint="b", task="caer_static")
    assert Job.from_json(sent.to_json()) == sent


def test_the_limit_is_the_longer_of_computing_and_moving() -> None:
    cost = Cost(macs=500, by_operator={}, weights=100, io_bytes=200)
    ceilings = {"cpu fp32": 1000.0, "cpu int8": 4000.0, "cpu memory": 100.0}
    assert limit_s(job(), cost, ceilings) == (6.0, "memory")  # (100 * 4 + 200) / 100
    ceilings["cpu memory"] = 1000.0
    assert limit_s(job(), cost, ceilings) == (1.0, "compute")  # 2 * 500 / 1000
    assert limit_s(job(arithmetic="int8"), cost, ceilings) == (0.3, "memory")
    assert math.isnan(limit_s(job(device="cuda"), cost, ceilings)[0])


def test_torch_runs_the_same_network_and_says_that_it_is_untrained() -> None:
    shapes = {
        "face": ("uint8", (2, 96, 96, 3)),
        "context": ("uint8", (2, 224, 224, 3)),
        "scene": ("int64", (2,)),
    }
    call, about = open_torch(job(row="torch eager", task="caer_static", shapes=shapes))
    logits, fusion, attention = call()  # type: ignore[misc]
    assert logits.shape == (2, 7)
    assert fusion.shape == (2, 2)
    assert attention.shape == (2, 14, 14)
    assert about["note"] == UNTRAINED


def test_torch_compile_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(InputError, match=r"C\+\+ compiler"):
        open_torch(job(row="torch compile", task="caer_static"))


def report(model: str, faster: dict[str, float], note: str = "") -> Report:
    rows = tuple(
        Row(row, 100 / x, 120 / x, 130 / x, 10 * x, x, 150.0, 1.0, None, 0.5, "compute", note)
        for row, x in faster.items()
    )
    keys = ("processor", "instructions", "memory", "system", "versions", "threads", "rounds")
    about = {"model": model, "note": note, "inputs": "x [1]"} | dict.fromkeys(keys, "some")
    missing = {"tensorrt int8": "no GPU"}
    ceilings = {"cpu fp32": 1e11, "cpu memory": 5e10}
    return Report(about, 10**9, 10**6, 10**5, ceilings, rows, missing, "none", (0.1, 0.2))


def whole_run(precision: str, ratio: float) -> PipelineRun:
    stages = {"detect": 8.0, "infer": 2.0, "track": 0.4, "total": 10.1, "bare networks": 10.0}
    found = {
        "about": {"model": "caer_net_s 1", "detector": "centerface 1"},
        "width": 640,
        "height": 480,
        "people": 1,
        "rows": [{"stage": name, "p50_ms": ms} for name, ms in stages.items()],
        "bare_ratio": ratio,
        "peak_memory_mb": 250.0,
    }
    return PipelineRun(precision, "openvino", found, "")


def test_text_markdown_and_plot(tmp_path: Path) -> None:
    one = report("benet 1", {"torch eager": 1.0, "openvino int8": 4.8}, UNTRAINED)
    lines = to_lines(one)
    assert any(line.startswith("openvino int8") and "4.80" in line for line in lines)
    assert "tensorrt int8: not measured: no GPU" in lines
    assert f"torch eager: {UNTRAINED}" in lines
    assert "ceilings measured here: cpu fp32 100 GOP/s, cpu memory 50.0 GB/s" in lines
    table = to_markdown(one)
    assert len({line.count("|") for line in table if line.startswith("|")}) == 1
    plot([one, one], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_says_which_goals_were_reached(tmp_path: Path) -> None:
    benet = report(
        "benet 1",
        {
            "torch eager": 1.0,
            "openvino int8": 3.9,
            "openvino int8 fixed": 4.8,
            "onnxruntime int8": 2.9,
        },
        UNTRAINED,
    )
    caer = report("caer 1", {"torch eager": 1.0, "openvino int8": 5.0})
    runs = [whole_run("fp32", 1.05), whole_run("int8", 1.10)]
    runs.append(PipelineRun("int8", "onnxruntime", {}, "not installed"))
    page = tmp_path / "performance.md"
    spent = {"bare": [10.0, 11.0], "inside": [10.2, 12.0], "end_to_end": [11.0, 13.0]}
    node = {**spent, "about": {"model": "m"}, "overhead": 0.1, "lost": 0}
    unpack = {"unpack image": 0.3}
    write_page(page, [benet, caer], runs, unpack, "", "caer bench report", (node, ""))
    text = page.read_text()
    goals = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}
    assert goals["| BENet INT8, OpenVINO, times faster"].endswith("| 4.8 × | reached |")
    assert goals["| BENet INT8, ONNX Runtime, times faster"].endswith("| 2.9 × | **missed** |")
    assert goals["| CAER-Net-S INT8, ONNX Runtime, times faster"].endswith("| – | not measured |")
    whole = "| message to message over the bare networks, slowest combination"
    assert goals[whole].endswith("| 1.13 × | reached |")  # 1.10 + 0.3 / 10
    assert goals["| peak memory of the robot's side"].endswith("| 250 MB | reached |")
    assert goals["| image sent to answer received"].endswith("| 11.00 | 13.00 |")
    assert goals["| track"] == "| track | 0.40 | 0.40 |"
    assert UNTRAINED in text
    assert "int8, onnxruntime: not measured: not installed" in text
    assert (tmp_path / "images" / "performance.png").is_file()


def test_the_page_without_ros_says_why(tmp_path: Path) -> None:
    one = report("m", {"torch eager": 1.0})
    page = tmp_path / "page.md"
    write_page(page, [one, one], [whole_run("fp32", 1.2)], {}, "no rclpy", "caer bench report")
    assert "ROS messages were not measured: no rclpy." in page.read_text()
    assert "Not measured: not asked for." in page.read_text()
    assert "| 1.2 × | **missed** |" in page.read_text()


def test_the_command(tiny: Bundle, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    call = ["bench", "engines", str(tiny.folder), "--rows", "onnxruntime fp32", "--threads", "1"]
    call += ["--height", "8", "--width", "8", "--rounds", "1", "--turn", "0.001", "--json"]
    assert main([*call, "--plot", str(tmp_path / "plot.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"][0]["row"] == "onnxruntime fp32"
    assert found["about"]["threads"] == "1"
    assert (tmp_path / "plot.png").is_file()
    assert main([*call, "--batch", "0"]) == 2


def test_the_pipeline_is_timed_from_bytes_to_json(pipeline: Any, astronaut: np.ndarray) -> None:
    from caer_ros.deploy.bench_pipeline import bench_pipeline

    found = bench_pipeline(pipeline, astronaut, frames=2, warm_up=1)
    stages = {row.stage: row.p50_ms for row in found.rows}
    assert {"read", "detect", "infer", "report", "total", "bare networks"} <= set(stages)
    parts = sum(ms for stage, ms in stages.items() if stage not in ("total", "bare networks"))
    assert parts <= stages["total"] * 1.2
    assert found.bare_ratio > 0.8
    assert found.people == 1
