"""`caer calibrate` on a small data set: what it writes, what it refuses, how it goes on."""

from __future__ import annotations

import resource
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from caer_ros.bundles import read_bundle
from caer_ros.cli.calibrate import _command
from caer_ros.cli.main import main
from caer_ros.core import CAER7, Box, BundleError, CaerError, InputError
from caer_ros.deploy import calibrate, calibration_report, make_files
from caer_ros.deploy.calibrate import Options, calibrate_bundle
from caer_ros.deploy.card import About, caer_net_s_card, file_entry, write_card
from caer_ros.deploy.guard import GuardFailed, Limits, findings, limits_of, passed
from caer_ros.deploy.judging.comparison import Comparison, compare_labels
from caer_ros.deploy.pictures import open_data
from caer_ros.deploy.pictures.diversity import digest
from caer_ros.deploy.pictures.open_data import DataOptions
from caer_ros.deploy.quantization import collect as collect_module
from caer_ros.deploy.quantization.qdq import write_qdq
from caer_ros.deploy.quantization.sweep import Journal
from caer_ros.engines import open_engine

MADE = ["fp16.onnx", "fp32.onnx", "int8.onnx", "int8_onnxruntime.onnx", "model.yaml"]


def conv(name: str, source: str, channels: tuple[int, int], stride: int) -> list[onnx.NodeProto]:
    """A convolution of random weights and its ReLU, NAME_out."""
    inputs = [source, f"{name}_w", f"{name}_b"]
    node = helper.make_node(
        "Conv", inputs, [f"{name}_raw"], name, strides=[stride] * 2, kernel_shape=[3, 3]
    )
    return [node, helper.make_node("Relu", [f"{name}_raw"], [f"{name}_out"])]


def tiny_network() -> onnx.ModelProto:
    """What CAER-Net-S reads and puts out, in four small layers: a run takes a millisecond."""
    rng = np.random.default_rng(0)
    layers = {
        "face_1": ("face_float", (3, 8), 4),
        "face_2": ("face_1_out", (8, 8), 2),
        "face_3": ("face_2_out", (8, 8), 2),
        "scene_1": ("context_float", (3, 8), 8),
    }
    nodes, constants = [], [numpy_helper.from_array(np.array(1 / 64, np.float32), "scale")]
    for name in ("face", "context"):
        nodes += [
            helper.make_node("Cast", [name], [f"{name}_cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_cast", "scale"], [f"{name}_rows"]),
            helper.make_node("Transpose", [f"{name}_rows"], [f"{name}_float"], perm=[0, 3, 1, 2]),
        ]
    for name, (source, channels, stride) in layers.items():
        nodes += conv(name, source, channels, stride)
        weights = rng.normal(size=(channels[1], channels[0], 3, 3)) * 0.25
        constants.append(numpy_helper.from_array(weights.astype(np.float32), f"{name}_w"))
        bias = rng.normal(size=channels[1]).astype(np.float32) * 0.1
        constants.append(numpy_helper.from_array(bias, f"{name}_b"))
    linear = rng.normal(size=(16, 7)).astype(np.float32)
    constants.append(numpy_helper.from_array(linear, "linear"))
    nodes += [
        helper.make_node("ReduceMean", ["face_3_out"], ["seen"], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["scene_1_out"], ["there"], axes=[2, 3], keepdims=0),
        helper.make_node("Gather", ["there", "scene"], ["around"]),
        helper.make_node("Concat", ["seen", "around"], ["both"], axis=1),
        helper.make_node("MatMul", ["both", "linear"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("face", TensorProto.UINT8, ["people", 96, 96, 3]),
            helper.make_tensor_value_info("context", TensorProto.UINT8, ["scenes", 224, 224, 3]),
            helper.make_tensor_value_info("scene", TensorProto.INT64, ["people"]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["people", 7])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bundle = tmp_path_factory.mktemp("exported") / "mine"
    bundle.mkdir()
    onnx.save(tiny_network(), bundle / "fp32.onnx")
    card = caer_net_s_card(About("mine", "1", {}, True, "test"))
    write_card(bundle, card | {"files": {"fp32": file_entry(bundle / "fp32.onnx")}})
    return bundle


@pytest.fixture
def bundle(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "mine"))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 drawn faces to learn from and 24 to test on, laid out like CAER-S."""
    root = tmp_path_factory.mktemp("data") / "drawn"
    for split, count in (("train", 30), ("test", 24)):
        lines = []
        for index in range(count):
            label = index % len(CAER7)
            name = f"{CAER7[label]}/{index:04d}.png"
            path = root / split / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), drawn(index + 100 * (split == "test")))
            lines.append(f"{name},{label},30,20,70,70")
        (root / f"{split}.csv").write_text("\n".join(lines) + "\n")
    return root


def drawn(seed: int) -> np.ndarray:
    """uint8 [100, 120, 3]: a face of circles in front of a slope of colours."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, 1, 120)[None, :, None] * rng.uniform(50, 255, 3)
    picture = np.repeat(slope, 100, axis=0).astype(np.uint8)
    cv2.circle(picture, (50, 45), 22, rng.uniform(80, 255, 3).tolist(), -1)
    for x in (42, 58):
        cv2.circle(picture, (x, 40), int(rng.integers(2, 5)), (20, 20, 20), -1)
    cv2.ellipse(picture, (50, 55), (9, int(rng.integers(1, 8))), 0, 0, 180, (30, 30, 160), 2)
    return picture


def options(labelled: Path, **changes: object) -> Options:
    data = DataOptions([labelled], limit=16, judged=24)
    return replace(Options(data, method="minmax"), **changes)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setitem(calibrate._SWEPT, "caer_static", 8)
    if request.node.name != "test_a_bundle_gets_files_that_answer_alike":
        for name in ("draw_costs", "draw_histograms"):
            monkeypatch.setattr(calibration_report, name, lambda *_: None)


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_bundle_gets_files_that_answer_alike(
    bundle: Path, labelled: Path, tmp_path: Path
) -> None:
    result = calibrate_bundle(bundle, options(labelled), tmp_path / "out", "caer calibrate ...")
    assert sorted(path.name for path in bundle.iterdir()) == MADE
    read = read_bundle(bundle)
    for precision, backend in (("int8", "openvino"), ("int8", "onnxruntime"), ("fp16", "openvino")):
        path = read.model_file(precision, backend)  # checks the sha256
        with open_engine(path, "onnxruntime") as engine:
            assert engine.outputs.keys() == {"logits"}
    card = yaml.safe_load((bundle / "model.yaml").read_text())
    assert card["metrics"]["int8"]["int8_onnxruntime"]["people"] == 24
    assert card["metrics"]["int8"]["int8"]["top_label_agreement"] >= 0.98
    assert card["metrics"]["fp16"]["fp16"]["mean_delta_p"] < 1e-3
    assert card["guard"] == Limits().as_dict()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "histograms.png",
        "layers.png",
        "report.md",
        "scales.json",
    ]
    report = (tmp_path / "out" / "report.md").read_text()
    assert result.costs[0].layer in report
    assert result.data.held_out.people.labels.min() >= 0  # type: ignore[attr-defined]


class _Contrary:
    """An engine that says the opposite."""

    def __init__(self, engine) -> None:  # type: ignore[no-untyped-def]
        self.inputs, self.outputs, self._engine = engine.inputs, engine.outputs, engine

    def run(self, arrays, outputs=None):  # type: ignore[no-untyped-def]
        return {name: -array for name, array in self._engine.run(arrays, outputs).items()}

    def __enter__(self) -> _Contrary:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()


def test_a_hint_is_entered_where_it_answers_alike(
    bundle: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hinted(path: Path, hint: str):  # type: ignore[no-untyped-def]
        engine = open_engine(path, "onnxruntime")
        return _Contrary(engine) if hint == "f16" and path.name == "fp32.onnx" else engine

    monkeypatch.setattr(make_files, "fast_hints", lambda: ("bf16", "f16"))
    monkeypatch.setattr(make_files, "open_hinted", hinted)
    calibrate_bundle(bundle, options(labelled, precisions=("int8",)), tmp_path / "out")
    metrics = yaml.safe_load((bundle / "model.yaml").read_text())["metrics"]
    assert metrics["int8"].keys() == {"int8", "int8_onnxruntime", "int8_bf16", "int8_f16"}
    assert metrics["int8"]["int8_bf16"]["people"] == 24
    assert metrics["fp32"].keys() == {"fp32_bf16"}
    assert "int8.onnx, cpu_hint bf16" in (tmp_path / "out" / "report.md").read_text()
    # Another calibration on a CPU without them forgets what was measured.
    monkeypatch.setattr(make_files, "fast_hints", lambda: ())
    calibrate_bundle(bundle, options(labelled, precisions=("int8",)), tmp_path / "out")
    metrics = yaml.safe_load((bundle / "model.yaml").read_text())["metrics"]
    assert metrics["int8"].keys() == {"int8", "int8_onnxruntime"}
    assert "fp32" not in metrics


def test_nobody_is_both_calibrated_and_measured_on(labelled: Path, bundle: Path) -> None:
    other = labelled.parent / "doubles"
    shutil.copytree(labelled, other)
    # The test split repeats two pictures of the train split, under other names.
    for number in ("0007", "0014"):
        shutil.copy(
            other / "train" / CAER7[0] / f"{number}.png",
            other / "test" / CAER7[0] / f"{number}.png",
        )
    data = open_data.open_data(read_bundle(bundle), DataOptions([other], limit=30, judged=24))
    assert data.doubles == 2
    seen = {digest(data.pool, i) for i in range(len(data.pool))}
    assert not seen & {digest(data.held_out, i) for i in range(len(data.held_out))}


class _Killed(BaseException):
    """What a test kills a run with: no `except` of ours catches it."""


@pytest.mark.parametrize("where", ["ranges", "histograms", "sweep"])
def test_killed_and_resumed_is_the_same_to_the_last_bit(
    bundle: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(bundle, whole)
    chosen = options(labelled, precisions=("int8",))
    calibrate_bundle(whole, chosen, tmp_path / "whole_out")
    target, name, calls = {
        "ranges": (collect_module, "save_ranges", 1),
        "histograms": (collect_module, "save_ranges", 3),
        "sweep": (Journal, "append", 1),
    }[where]
    real = getattr(target, name)
    count = 0

    def save_then_die(*args: object) -> None:
        nonlocal count
        real(*args)
        count += 1
        if count == calls:
            raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(target, name, save_then_die)
        with pytest.raises(_Killed):
            calibrate_bundle(bundle, chosen, tmp_path / "out")
    assert sorted(path.name for path in bundle.iterdir()) == ["fp32.onnx", "model.yaml"]
    saved = 0

    def count_saves(*args: object) -> None:
        nonlocal saved
        saved += 1
        real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(target, name, count_saves)
        calibrate_bundle(bundle, chosen, tmp_path / "out")
    # 16 people in batches of 8, twice; 8 people to sweep with.
    assert saved == {"ranges": 3, "histograms": 1, "sweep": 0}[where]
    for file in ("int8.onnx", "int8_onnxruntime.onnx"):
        assert (bundle / file).read_bytes() == (whole / file).read_bytes()
    first, second = (tmp_path / f / "scales.json" for f in ("whole_out", "out"))
    assert first.read_bytes().replace(b'"whole"', b'"mine"') == second.read_bytes()


def test_drafts_of_a_killed_run_are_cleared(bundle: Path, labelled: Path, tmp_path: Path) -> None:
    for name in (".draft-int8.onnx", "..draft-int8.onnx.x7_1"):
        (bundle / name).write_bytes(b"half a file")
    calibrate_bundle(bundle, options(labelled, precisions=("fp16",)), tmp_path / "out")
    assert sorted(path.name for path in bundle.iterdir()) == [MADE[0], MADE[1], MADE[-1]]


def test_state_of_another_calibration_is_left_aside(
    bundle: Path, labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "state.npz").write_bytes(b"torn")
    (out / "sweep.jsonl").write_text('{"other": 1}\n{"damage": []}\n')
    calibrate_bundle(bundle, options(labelled, precisions=("int8",)), out)
    said = capsys.readouterr().err
    assert "state.npz is damaged" in said
    assert "sweep.jsonl is of another calibration" in said


def break_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    """INT8 files whose first layers read pictures in two or three steps."""

    def coarse(graph, layers, scales, kept, form):  # type: ignore[no-untyped-def]
        wider = {name: 60 * scale for name, scale in scales.activation.items()}
        return write_qdq(graph, layers, scales.with_activation(wider), kept, form)

    monkeypatch.setattr(make_files, "write_qdq", coarse)


def test_guard_refuses_a_broken_int8_file(
    bundle: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An earlier calibration's files must stay as they are, too.
    calibrate_bundle(bundle, options(labelled), tmp_path / "out")
    before = listing(bundle)
    break_int8(monkeypatch)
    card = yaml.safe_load(before["model.yaml"])
    # Random weights give everybody the same label: what breaks is the probabilities.
    card["guard"] = {"mean_delta": 0.002}
    (bundle / "model.yaml").write_text(yaml.safe_dump(card))
    before = listing(bundle)
    with pytest.raises(GuardFailed) as caught:
        calibrate_bundle(bundle, options(labelled), tmp_path / "out")
    assert caught.value.exit_code == 1
    assert "int8: mean |Δp| 0." in str(caught.value)
    assert "limit 0.002" in str(caught.value)
    assert "face_1 (alone: mean |Δp| 0." in str(caught.value).split("cost most: ")[1]
    assert listing(bundle) == before
    assert "Refused" in (tmp_path / "out" / "refused.md").read_text()
    assert "Refused" not in (tmp_path / "out" / "report.md").read_text()


def test_layers_that_hurt_are_left_in_fp32_until_the_guard_passes(
    bundle: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = "face_2"
    real = calibrate.Plan.scales

    def one_bad(self, *args):  # type: ignore[no-untyped-def]
        scales = real(self, *args)
        tensor = next(layer.input for layer in self.layers if layer.name == victim)
        return scales.with_activation({tensor: 80 * scales.activation[tensor]})

    monkeypatch.setattr(calibrate.Plan, "scales", one_bad)
    card = yaml.safe_load((bundle / "model.yaml").read_text())
    card["guard"] = {"mean_delta": 0.001}
    (bundle / "model.yaml").write_text(yaml.safe_dump(card))
    result = calibrate_bundle(bundle, options(labelled, precisions=("int8",)), tmp_path / "out")
    assert result.costs[0].layer == victim
    assert result.made.kept[victim] == "cost most in the sweep"
    assert result.made.tries == 2
    assert victim in (tmp_path / "out" / "report.md").read_text()


def test_disk_full_leaves_the_bundle_as_it_was(
    bundle: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = listing(bundle)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)

    def then_full(*args):  # type: ignore[no-untyped-def]
        # From here on no file may become larger than this: an INT8 file does not fit.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, old[1]))
        return write_qdq(*args)

    monkeypatch.setattr(make_files, "write_qdq", then_full)
    try:
        with pytest.raises(CaerError, match="can not be written: File too large"):
            calibrate_bundle(bundle, options(labelled), tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert listing(bundle) == before


def test_unwritable_bundle_is_said_before_any_work(
    bundle: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("caer_ros.deploy.publish.tempfile.TemporaryFile", refuse)
    monkeypatch.setattr(calibrate, "open_data", None)
    with pytest.raises(InputError, match="can not be written: Permission denied"):
        calibrate_bundle(bundle, options(labelled), tmp_path / "out")


def test_no_data_is_an_error(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    call = ["calibrate", str(bundle), "--data"]
    assert main([*call, str(tmp_path / "no")]) == 2
    assert "does not exist" in capsys.readouterr().err
    # A folder of pictures without a face has nobody in it.
    for index in range(6):
        (tmp_path / "empty" / f"{index}.png").write_bytes(b"")
    assert main([*call, str(tmp_path / "empty"), "--detector", str(bundle)]) == 2
    assert listing(bundle).keys() == {"fp32.onnx", "model.yaml"}
    assert main([*call, "x", "--qat"]) == 2
    assert "--checkpoint" in capsys.readouterr().err


class _OneFace:
    """A detector that sees what `drawn` draws, for pictures nobody labelled."""

    def __init__(self, *_: object) -> None:
        pass

    def detect(self, image: np.ndarray, encoding: str) -> list[Box]:
        assert encoding == "rgb8"
        return [] if image[0, 0].sum() > 300 else [Box(30, 20, 70, 70)]

    def close(self) -> None:
        pass


def test_unlabelled_pictures_will_do(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(80):
        cv2.imwrite(str(folder / f"{index:03d}.png"), drawn(index))
    (folder / "040.png").write_bytes(b"torn")
    monkeypatch.setattr(open_data, "OnnxFaceDetector", _OneFace)
    monkeypatch.setattr(open_data, "find_bundle", lambda name: name)
    out = str(tmp_path / "out")
    call = ["calibrate", str(bundle), "--data", str(folder), "--limit", "56", "--judge-limit", "24"]
    assert main([*call, "--method", "minmax", "--out", out, "--precision", "int8"]) == 0
    said = capsys.readouterr()
    assert "040.png" in said.err
    assert "int8_onnxruntime: same top label" in said.out
    assert "accuracy" not in yaml.safe_load((bundle / "model.yaml").read_text())["metrics"]["int8"]
    assert "Left out: 1 pictures" in (tmp_path / "out" / "report.md").read_text()


def test_too_few_to_judge_by(bundle: Path, labelled: Path, tmp_path: Path) -> None:
    data = DataOptions([labelled], limit=16, judged=8)
    with pytest.raises(InputError, match="FP32 answers for 8 people"):
        calibrate_bundle(bundle, Options(data), tmp_path / "out")


def test_limits_come_from_model_yaml(bundle: Path) -> None:
    card = yaml.safe_load((bundle / "model.yaml").read_text())
    assert limits_of(read_bundle(bundle)) == Limits()
    for block, wrong in (
        ({"accuracy_drop": 2}, None),
        ({"acuracy_drop": 2}, "keys that do not exist"),
        ({"top_label_agreement": 98}, "not from 0 to 1"),
        ({"map_drop": True}, "not from 0 to 100"),
    ):
        (bundle / "model.yaml").write_text(yaml.safe_dump(card | {"guard": block}))
        if wrong is None:
            assert limits_of(read_bundle(bundle)).accuracy_drop == 2
        else:
            with pytest.raises(BundleError, match=wrong):
                limits_of(read_bundle(bundle))


def test_every_limit_is_held_against_its_number() -> None:
    good = Comparison(100, 0.98, 0.02, 0.5, 0.98, (70, 69.5), (30, 29.5), (50, 49))
    assert not findings(Limits(), good)
    for change, text in (
        ({"top_label": 0.97}, "top-label agreement 97.00%, limit 98.00%"),
        ({"boxes": 0.9}, "agreement of boxes 90.00%"),
        ({"mean_delta": 0.03}, "mean |Δp| 0.0300"),
        ({"accuracy": (70, 69.4)}, "accuracy 70.00 to 69.40, limit 0.5 points"),
        ({"mean_ap": (30, 29.4)}, "mAP of emotions"),
        ({"person_ap": (50, 48.9)}, "AP of people"),
    ):
        (found,) = findings(Limits(), replace(good, **change))  # type: ignore[arg-type]
        assert text in found


def test_answers_that_are_not_numbers_do_not_pass() -> None:
    wanted = np.full((600, 7), 1 / 7)
    got = wanted.copy()
    got[:6] = np.nan
    measured = compare_labels(wanted, got)
    assert "finite" in findings(Limits(), measured)[0]
    assert not passed(Limits(), {"int8": measured})
    assert compare_labels(wanted, wanted).all_finite()


def test_agreement_by_hand() -> None:
    wanted = np.array([[0.9, 0.1], [0.4, 0.6]])
    got = np.array([[0.8, 0.2], [0.6, 0.4]])
    compared = compare_labels(wanted, got, np.array([0, -1]))
    assert compared.top_label == 0.5
    assert compared.mean_delta == pytest.approx(0.15)
    assert compared.max_delta == pytest.approx(0.2)
    # Only the labelled one counts.
    assert compared.accuracy == (100, 100)


def test_the_report_names_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    call = [
        "caer",
        "calibrate",
        "models/mine",
        "--data",
        "/home/ada/work/data/films",
        "--limit",
        "6",
    ]
    monkeypatch.setattr("sys.argv", call)
    assert _command() == "caer calibrate models/mine --data data/films --limit 6"
