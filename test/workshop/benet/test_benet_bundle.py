"""BENet from checkpoint to robot: exported, read back, run, and its cost against people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from caer_ros.bundles import read_bundle
from caer_ros.cli.main import main
from caer_ros.core import EMOTIC26, EngineError, InputError
from caer_ros.deploy.bench_people import Settings, _report, _time_benet
from caer_ros.deploy.card import About, file_entry, write_card
from caer_ros.deploy.drawn_people import DrawnPeople, decode_to_onnx, drawn_maps, grid_boxes
from caer_ros.deploy.export import MapsOptions, ParityError, export_bundle
from caer_ros.deploy.export_benet import benet_card, check_maps_parity, export_benet
from caer_ros.deploy.maps_parity import rows_differ
from caer_ros.deploy.people_report import to_lines
from caer_ros.engines import Engine, open_engine
from caer_ros.engines.onnx_runtime import OnnxRuntimeEngine
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.checkpoint import save_checkpoint
from caer_ros.networks.registry import build_network
from caer_ros.perception import Pipeline, PipelineConfig
from caer_ros.perception.benet import BenetReader
from caer_ros.perception.benet_decode import BenetDecode, Decoded, decode, rows_above
from caer_ros.perception.benet_maps import arrays_of
from caer_ros.perception.scene import Scene

pytestmark = pytest.mark.usefixtures("one_thread")

OPTIONS = MapsOptions(short_side=64, top_k=12, threshold=0.6)
CONFIG = BenetDecode(12, 0.6)
ABOUT = About("toy", "1", {}, True, "only a test")
BACKENDS = ["onnxruntime", "openvino"]


def network() -> BENet:
    """Norms with statistics, and answers of the size of one, so that people are found in noise."""
    torch.manual_seed(0)
    network = build_network("benet", width=8, vad=True, heat_bias=0.0)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(("answer.3.weight", "vad.3.weight")):
                weight.normal_(std=0.1)
        # Sizes of some cells, in half of which a body has an area.
        network.maps.size.quarter_answer[-1].bias.fill_(4)
        network.maps.size.half_answer[-1].bias.fill_(8)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 1.0
                layer.weight.fill_(1)  # blocks start as if they were not there
        network(torch.randn(4, 3, 64, 64))
    return network.eval()


def noise(batch: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng([batch, height, width])
    return rng.integers(0, 256, (batch, height, width, 3), dtype=np.uint8)


def room() -> np.ndarray:
    """A picture of 120 x 90, of blocks: plain noise would be smoothed away by shrinking."""
    return noise(1, 30, 40)[0].repeat(3, axis=0).repeat(3, axis=1)


@pytest.fixture(scope="module")
def benet() -> BENet:
    return network()


@pytest.fixture(scope="module")
def checkpoint(benet: BENet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benet") / "toy.safetensors"
    save_checkpoint(benet, path, {"recipe": {"epochs": 3}, "metrics": {"mAP": 17.0}})
    return path


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one picture, 120 x 90."""
    path = tmp_path_factory.mktemp("pictures") / "room.png"
    cv2.imwrite(str(path), room())
    return path


@pytest.fixture(scope="module")
def bundle(checkpoint: Path, picture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `caer export` writes it."""
    folder = tmp_path_factory.mktemp("models") / "toy"
    arguments = ["export", str(checkpoint), "--bundle", str(folder), "--images"]
    arguments += [str(picture.parent), "--short-side", "64", "--top-k", "12", "--threshold", "0.6"]
    assert main(arguments) == 0
    return folder


@pytest.fixture(scope="module")
def on_onnxruntime(bundle: Path) -> Iterator[Engine]:
    with open_engine(bundle / "fp32.onnx", "onnxruntime", 1) as engine:
        yield engine


@pytest.fixture(scope="module")
def on_openvino(bundle: Path) -> Iterator[Engine]:
    pytest.importorskip("openvino")
    with open_engine(bundle / "fp32.onnx", "openvino", 1) as engine:
        yield engine


def same(rows: dict[str, np.ndarray], wanted: Decoded) -> None:
    vad = rows.get("vad")
    got = rows_above(
        rows["boxes"], rows["scores"], rows["emotions"], vad, int(rows["peaks"]), CONFIG.threshold
    )
    for name in Decoded._fields:
        np.testing.assert_allclose(
            getattr(got, name), getattr(wanted, name), atol=1e-3, err_msg=name
        )


def torch_maps(benet: BENet, images: np.ndarray) -> list[tuple]:
    with torch.inference_mode():
        maps = benet.inference_part()(torch.from_numpy(images))
    return [(arrays_of(maps[0], row), arrays_of(maps[1], row)) for row in range(len(images))]


# Export


def test_the_card_says_what_the_robot_needs(bundle: Path, on_onnxruntime: Engine) -> None:
    read = read_bundle(bundle)
    assert (read.name, read.task, read.labels) == ("toy", "person_emotion_maps", EMOTIC26)
    assert read.multi_label
    assert read.demonstration
    assert "not by labelled" not in read.notice
    assert "not about what people feel" in read.notice
    assert read.inputs["images"]["short_side"] == 64
    assert read.decode == {"top_k": 12, "threshold": 0.6}
    assert read.extra["training"] == {"recipe": {"epochs": 3}}
    assert sorted(path.name for path in bundle.iterdir()) == ["fp32.onnx", "model.yaml"]
    assert read.model_file("fp32", "onnxruntime") == bundle / "fp32.onnx"
    (images,) = on_onnxruntime.inputs.values()
    assert (images.dtype, images.shape[3]) == (np.uint8, 3)
    promised = {name: list(spec.shape) for name, spec in on_onnxruntime.outputs.items()}
    types = {name: str(spec.dtype) for name, spec in on_onnxruntime.outputs.items()}
    assert promised == {name: each["shape"] for name, each in read.outputs.items()}
    assert types == {name: each["dtype"] for name, each in read.outputs.items()}


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_back_end_finds_whom_torch_and_numpy_find(
    benet: BENet, backend: str, request: pytest.FixtureRequest
) -> None:
    engine = request.getfixturevalue(f"on_{backend}")
    found = 0
    for shape in ((1, 64, 64), (2, 64, 128), (1, 128, 64)):
        images = noise(*shape)
        rows = {name: array.copy() for name, array in engine.run({"images": images}).items()}
        for row, maps in enumerate(torch_maps(benet, images)):
            one = {name: array[row] for name, array in rows.items()}
            wanted = decode(maps, CONFIG)
            found += len(wanted.scores)
            same(one, wanted)
            assert one["heat"].shape == (shape[1] // 2, shape[2] // 2)
            assert rows_differ(one, maps, CONFIG) < 1e-4
    assert found > 10


def test_parity_notices_every_output(on_onnxruntime: Engine, benet: BENet) -> None:
    images = noise(1, 64, 128)
    (maps,) = torch_maps(benet, images)
    rows = {name: array[0] for name, array in on_onnxruntime.run({"images": images}).items()}
    assert rows_differ(rows, maps, CONFIG) < 1e-4
    changes = {
        "boxes": np.array([0, 0, 0.5, 0], np.float32),
        "scores": np.float32(0.01),
        "emotions": np.float32(0.01),
        "vad": np.float32(0.01),
        "heat": np.float32(0.01),
        "peaks": np.int64(3),
    }
    assert changes.keys() == rows.keys()
    for name, change in changes.items():
        assert rows_differ(rows | {name: rows[name] + change}, maps, CONFIG) > 1e-3, name
    # Everybody two cells further to the right.
    moved = rows["boxes"] + np.array([4, 0, 4, 0], np.float32)
    assert rows_differ(rows | {"boxes": moved}, maps, CONFIG) > 1e-3


def test_another_network_is_noticed(bundle: Path, benet: BENet) -> None:
    other = deepcopy(benet)
    with torch.no_grad():
        other.maps.emotion.half_answer[-1].bias += 0.1
    with pytest.raises(ParityError, match="differs from the network"):
        check_maps_parity(other, bundle / "fp32.onnx", [], OPTIONS)


def test_what_fails_leaves_the_bundle_as_it_was(
    bundle: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from caer_ros.deploy import export_benet as module

    (tmp_path / "model.yaml").write_text("old")
    monkeypatch.setattr(module, "rows_differ", lambda *_: np.nan)
    monkeypatch.setattr(module, "maps_to_onnx", lambda *_: (bundle / "fp32.onnx").read_bytes())
    with pytest.raises(ParityError):
        export_bundle(checkpoint, tmp_path, [], "1", True, maps=OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["model.yaml"]
    assert (tmp_path / "model.yaml").read_text() == "old"


def test_networks_that_no_robot_can_run_are_refused(tmp_path: Path) -> None:
    blind = build_network("benet", width=8, detection=False)
    with pytest.raises(InputError, match="no detection head"):
        export_benet(blind, tmp_path, [], ABOUT, OPTIONS)
    nameless = build_network("benet", width=8, num_classes=5)
    with pytest.raises(InputError, match="5 emotions, for which there are no names"):
        export_benet(nameless, tmp_path, [], ABOUT, OPTIONS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("changes", [{"short_side": 32}, {"top_k": 0}, {"threshold": 1.0}])
def test_options_out_of_range_are_refused(changes: dict) -> None:
    with pytest.raises(InputError):
        MapsOptions(**changes)


# On the robot


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_pipeline_needs_no_face_detector(bundle: Path, backend: str) -> None:
    pytest.importorskip(backend)
    config = PipelineConfig(model=str(bundle), detector="nothere", backend=backend, threads=1)
    image = room()
    with Pipeline.open(config) as pipeline:
        assert pipeline.describe()["detector"] == "the model itself"
        result = pipeline.process(image, "bgr8", want_maps=True)
        again = pipeline.process(image, "bgr8")
    assert len(result.people) == len(again.people) > 1
    assert again.heat is None
    assert result.heat.shape == (32, 43)
    for person, other in zip(result.people, again.people, strict=True):
        assert person.body == other.body
        assert 0 <= person.body.x1 < person.body.x2 <= 120
        assert 0 <= person.body.y1 < person.body.y2 <= 90
        (estimate,) = person.estimates
        assert estimate.multi_label
        assert estimate.probabilities.shape == (26,)
        assert -1 <= estimate.valence <= 1


def test_run_and_bench_take_the_bundle(
    bundle: Path, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    model = ["--model", str(bundle), "--backend", "onnxruntime", "--threads", "1"]
    overlay = tmp_path / "o.png"
    assert main(["run", str(picture), "--json", "--overlay", str(overlay), *model]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    row = json.loads(line)
    people = row["people"]
    assert people
    assert people[0]["face"] is None
    assert set(people[0]["body"]) == {"x1", "y1", "x2", "y2", "score"}
    assert tuple(people[0]["estimates"][0]["probabilities"]) == EMOTIC26
    assert set(row["timings_ms"]) == {"preprocess", "infer", "decode", "total"}
    assert cv2.imread(str(overlay)).shape == (90, 120, 3)

    least = str(people[len(people) // 2]["body"]["score"])
    assert main(["run", str(picture), "--json", "--person-threshold", least, *model]) == 0
    fewer = json.loads(capsys.readouterr().out)["people"]
    assert 0 < len(fewer) < len(people)

    arguments = ["bench", "--image", str(picture), "--frames", "1", "--warm-up", "0", "--json"]
    assert main([*arguments, *model]) == 0
    stages = [each["stage"] for each in json.loads(capsys.readouterr().out)["rows"]]
    assert {"preprocess", "infer", "decode", "total", "bare networks"} <= set(stages)
    assert "detect" not in stages


# Cost against people


class Nothing:
    """A network that takes no time."""

    backend, inputs, outputs = "none", {}, {}

    def __init__(self) -> None:
        self.frames = 0

    def run(self, arrays: dict, outputs: list[str]) -> dict:
        self.frames += 1
        return {}

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory):
    """A bundle without VAD to take constants from, and an engine for 1, 4 and 9 people."""
    folder = tmp_path_factory.mktemp("timed")
    (folder / "fp32.onnx").write_bytes(b"not needed")
    card = benet_card(build_network("benet", width=8), ABOUT, MapsOptions(64, 9))
    write_card(folder, card | {"files": {"fp32": file_entry(folder / "fp32.onnx")}})
    boxes = grid_boxes(9, 64, 128)
    maps = {n: drawn_maps(boxes[:n], 64, 128, 26, vad=False) for n in (1, 4, 9)}
    (folder / "decode.onnx").write_bytes(decode_to_onnx(9, 0.1, maps[1]))
    with OnnxRuntimeEngine(folder / "decode.onnx", 1) as decode_engine:
        yield read_bundle(folder), decode_engine, maps, boxes


def test_drawn_people_are_really_found(timed) -> None:
    bundle, decode_engine, maps, boxes = timed
    network = Nothing()
    engine = DrawnPeople(network, decode_engine, maps)
    reader = BenetReader(bundle, engine)
    image = np.zeros((64, 128, 3), np.uint8)
    for people in (9, 1, 4):
        engine.people = people
        seconds, last = _time_benet(reader, image, people)
        assert 0 < last < seconds
        seen = Scene(image, "bgr8")
        reader.run([seen], {})
        found = np.array([[p.body.x1, p.body.y1, p.body.x2, p.body.y2] for p in seen.people])
        order = np.lexsort((found[:, 0].round(), found[:, 1].round()))
        # A centre is known to a cell of two pixels.
        np.testing.assert_allclose(found[order], boxes[:people], atol=2)
    assert network.frames == 6
    with pytest.raises(EngineError, match="5 people were drawn and 4 found"):
        _time_benet(reader, image, 5)


def test_people_who_can_not_be_told_apart_are_refused() -> None:
    assert len(grid_boxes(16, 64, 64)) == 16
    with pytest.raises(InputError, match="do not fit"):
        grid_boxes(17, 64, 64)


@pytest.mark.parametrize("changes", [{"people": ()}, {"people": (0, 1)}, {"people": (2, 2)},
                                     {"rounds": 0}])  # fmt: skip
def test_settings_out_of_range_are_refused(changes: dict) -> None:
    with pytest.raises(InputError):
        Settings(**changes)


def test_the_report_by_hand() -> None:
    # In the third round the machine is five times as slow.
    rounds = {1: [(0.1, 0.01, 0.02), (0.1, 0.01, 0.02), (0.5, 0.05, 0.1)],
              4: [(0.12, 0.02, 0.05), (0.11, 0.02, 0.06), (0.55, 0.1, 0.3)]}  # fmt: skip
    report = _report(rounds, {"BENet": "toy", "note": "", "backend": "none"})
    one, four = report.rows
    assert (one.people, one.benet_ms, one.caer_ms, one.people_ms) == (1, 100, 20, 10)
    assert (four.people, four.benet_ms, four.caer_ms, four.people_ms) == (4, 120, 60, 20)
    assert (one.benet_ratio, one.caer_ratio) == (1, 1)
    assert (four.benet_ratio, four.caer_ratio) == (pytest.approx(1.1), pytest.approx(3))
    assert report.deviation == pytest.approx(0.1)
    assert to_lines(report)[-1] == (
        "From 1 to 4 people BENet's frame deviates by 10.0% at most; CAER-Net-S takes 3.0 times as"
        " long. Here BENet was the cheaper one with none of these numbers."
    )


def test_bench_people_reports_every_number(
    tmp_path: Path, capsys: pytest.CaptureFixture, root: Path
) -> None:
    arguments = ["bench", "people", "--channels", "8", "--short-side", "64", "--rounds", "2"]
    arguments += ["--people", "1", "4", "9", "--width", "128", "--height", "64"]
    arguments += ["--backend", "onnxruntime", "--threads", "1", "--json", "--out", str(tmp_path)]
    caer = str(root / "models" / "caer_net_s")
    assert main([*arguments, "--caer", caer, "--plot", str(tmp_path / "p.png")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["about"]["note"] == "untrained weights: cost only"
    assert report["about"]["BENet"].endswith("untrained, input 128x64")
    rows = report["rows"]
    assert [row["people"] for row in rows] == [1, 4, 9]
    assert (rows[0]["benet_ratio"], rows[0]["caer_ratio"]) == (1, 1)
    for row in rows:
        assert 0 < row["people_ms"] < row["benet_ms"]
        assert row["caer_ms"] > 0
    worst = max(abs(row["benet_ratio"] - 1) for row in rows)
    assert report["deviation"] == pytest.approx(worst)
    page = (tmp_path / "people.md").read_text()
    assert "Untrained weights: cost only" in page
    assert "| 9 |" in page
    assert str(tmp_path) not in page
    for path in (tmp_path / "images" / "people.png", tmp_path / "p.png"):
        assert cv2.imread(str(path)) is not None


def test_more_people_than_the_bundle_finds_are_refused(
    bundle: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["bench", "people", str(bundle), "--people", "1", "13"]) == 2
    assert "finds 12 people at most" in capsys.readouterr().err
