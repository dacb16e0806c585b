"""Temperature scaling: what is fitted, what is measured, and that the robot then says it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
import yaml
from onnx import TensorProto, helper, numpy_helper
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from caer_ros.bundles import read_bundle
from caer_ros.bundles.files import sha256_of
from caer_ros.cli.main import main
from caer_ros.core import CAER7, Box, BundleError, InputError
from caer_ros.datasets.scenes.media import encode_avi
from caer_ros.engines import open_engine
from caer_ros.evaluation.answers import ask_pictures
from caer_ros.evaluation.clip_answers import Videos, ask_videos
from caer_ros.evaluation.confidence import confidence_bins, quality
from caer_ros.evaluation.predict import softmax
from caer_ros.evaluation.scores import expected_calibration_error
from caer_ros.evaluation.temperature import FOLDS, fit_temperature, folds_of, scale
from caer_ros.perception.caer_static import CaerStatic

pytestmark = pytest.mark.usefixtures("one_thread")

PEOPLE = 60
SHIPPED = Path(__file__).parents[2] / "models" / "caer_net_s"


def sampled(temperature: float, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and one-hot labels drawn from softmax(logits / temperature)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (count, 7))
    edges = softmax(logits / temperature).cumsum(axis=1)
    labels = (rng.random((count, 1)) > edges[:, :-1]).sum(axis=1)
    return logits, np.eye(7)[labels]


# Scores


def test_calibration_error_by_hand() -> None:
    # .9 lies in (13/15, 14/15], 3 of 4 right; .55 in (8/15, 9/15], 0 of 2 right.
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.45, 0.55]] * 2)
    truths = np.eye(2)[[0, 0, 0, 1, 0, 0]]
    bins = confidence_bins(probabilities, truths)
    assert bins.count[[13, 8]].tolist() == [4, 2]
    assert bins.accuracy[[13, 8]].tolist() == [0.75, 0]
    assert bins.error == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.55)
    # A truth that says .6 to .4 makes a top label .6 right.
    soft = confidence_bins(np.array([[0.9, 0.1]]), np.array([[0.6, 0.4]]))
    assert soft.error == pytest.approx(0.3)


@pytest.mark.parametrize("seed", range(3))
def test_scikit_learn_agrees(seed: int) -> None:
    logits, truths = sampled(2.0, 400, seed)
    probabilities, labels = softmax(logits), truths.argmax(axis=1)
    found, bins = quality(probabilities, truths), confidence_bins(probabilities, truths)
    assert found.calibration_error == pytest.approx(
        expected_calibration_error(probabilities, labels)
    )
    assert found.cross_entropy == pytest.approx(log_loss(labels, probabilities, labels=range(7)))
    right = probabilities.argmax(axis=1) == labels
    observed, said = calibration_curve(right, probabilities.max(axis=1), n_bins=15)
    np.testing.assert_allclose(bins.accuracy[bins.count > 0], observed)
    np.testing.assert_allclose(bins.confidence[bins.count > 0], said)
    two = softmax(logits[:, :2])
    wanted = 2 * brier_score_loss(labels == 1, two[:, 1])
    assert quality(two, np.eye(2)[(labels == 1).astype(int)]).brier == pytest.approx(wanted)


# The fit


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature: float) -> None:
    logits, truths = sampled(temperature, 40_000)
    assert fit_temperature(logits, truths) == pytest.approx(temperature, rel=0.02)
    # Of a teacher's distributions nothing is left to chance.
    soft = softmax(logits[:500] / temperature)
    assert fit_temperature(logits[:500], soft) == pytest.approx(temperature, rel=1e-9)


def test_no_other_temperature_is_better_and_no_top_label_changes() -> None:
    logits, truths = sampled(1.7, 300)
    best = fit_temperature(logits, truths)
    losses = [quality(softmax(logits / t), truths).cross_entropy for t in np.geomspace(0.1, 10, 99)]
    assert quality(softmax(logits / best), truths).cross_entropy <= min(losses)
    tops = softmax(logits / best).argmax(axis=1)
    np.testing.assert_array_equal(tops, logits.argmax(axis=1))


def test_what_has_no_best_temperature_is_refused() -> None:
    logits, _ = sampled(1.0, 200)
    for truth in (logits.argmax(axis=1), logits.argmin(axis=1)):
        with pytest.raises(InputError, match=r"No temperature from 0\.05 to 20 is best"):
            fit_temperature(logits, np.eye(7)[truth])


def test_too_few_people_and_one_class_are_refused() -> None:
    logits, truths = sampled(1.0, 196)
    people, data = [str(i // 4) for i in range(196)], np.zeros(196, int)
    with pytest.raises(InputError, match="There are 49 people; a temperature needs 50"):
        scale(logits, truths, people, data)
    alike = np.tile(truths[0], (196, 1))
    with pytest.raises(InputError, match="Everybody is of one class"):
        scale(logits, alike, [str(i) for i in range(196)], data)


# Folds


def test_nobody_is_in_two_folds_and_every_fold_has_all_data() -> None:
    people = [f"test/{CAER7[i % 7]}/{i % 53}" for i in range(371)] + ["a1", "a2"] * 5 + list("xyz")
    data = np.repeat([0, 1, 2], [371, 10, 3])
    folds = folds_of(people, data)
    by_name = {(d, p): set() for d, p in zip(data, people, strict=True)}
    for d, p, fold in zip(data, people, folds, strict=True):
        by_name[d, p].add(fold)
    assert all(len(where) == 1 for where in by_name.values())
    assert set(folds[:371]) == set(range(FOLDS))
    # Sorted by the number, not by class or as text: every fold has every class, 9 and 10 are near.
    for fold in range(FOLDS):
        names = {people[i].split("/")[1] for i in np.flatnonzero(folds[:371] == fold)}
        assert names == set(CAER7)
    assert by_name[0, "test/Anger/9"] == by_name[0, "test/Anger/10"] == {0}


def test_nobody_is_measured_by_a_temperature_fitted_on_him() -> None:
    logits, truths = sampled(2.0, 400)
    people, data = [f"{i // 2:03d}" for i in range(400)], np.zeros(400, int)
    before = scale(logits, truths, people, data)
    first = folds_of(people, data) == 0
    other = truths.copy()
    other[first] = np.eye(7)[logits[first].argmin(axis=1)]
    after = scale(logits, other, people, data)
    assert after.fold_temperatures[0] == before.fold_temperatures[0]
    assert all(
        a > 1.1 * b
        for a, b in zip(after.fold_temperatures[1:], before.fold_temperatures[1:], strict=True)
    )
    folds = folds_of(people, data)
    pairs = enumerate(before.fold_temperatures)
    by_hand = np.concatenate([softmax(logits[folds == k] / t) for k, t in pairs])
    assert before.after.brier == pytest.approx(quality(by_hand, truths).brier)
    assert (before.people, before.answers) == (200, 400)
    assert before.after.calibration_error < before.before.calibration_error


# Bundles


def toy(folder: Path, frames: int = 0) -> Path:
    """A bundle whose logits are the mean colours of a face times a fixed matrix."""
    clip, size = ([frames] if frames else []), (112 if frames else 224)
    rng = np.random.default_rng(1)
    axes = [1, 2, 3] if frames else [1, 2]
    nodes = [
        helper.make_node("Cast", ["face"], ["face_float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["face_float"], ["colour"], axes=axes, keepdims=0),
        helper.make_node("MatMul", ["colour", "to_logits"], ["logits"]),
        helper.make_node("Cast", ["context"], ["context_float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["context_float"], ["light"], axes=axes, keepdims=0),
        helper.make_node("Gather", ["light", "scene"], ["around"]),
        helper.make_node("MatMul", ["around", "to_fusion"], ["gates"]),
        helper.make_node("Softmax", ["gates"], ["fusion"], axis=1),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "toy",
        [
            value("face", TensorProto.UINT8, ["people", *clip, 96, 96, 3]),
            value("context", TensorProto.UINT8, ["scenes", *clip, size, size, 3]),
            value("scene", TensorProto.INT64, ["people"]),
        ],
        [
            value("logits", TensorProto.FLOAT, ["people", 7]),
            value("fusion", TensorProto.FLOAT, ["people", 2]),
        ],
        [
            numpy_helper.from_array(rng.normal(0, 0.1, (3, 7)).astype(np.float32), "to_logits"),
            numpy_helper.from_array(rng.normal(0, 0.01, (3, 2)).astype(np.float32), "to_fusion"),
        ],
    )
    folder.mkdir(parents=True)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), folder / "fp32.onnx")
    card = {
        "schema": 1,
        "name": folder.name,
        "version": "1",
        "task": "caer_clip" if frames else "caer_static",
        "labels": list(CAER7),
        "inputs": {
            "face": {"shape": ["people", *clip, 96, 96, 3], "margin": 0.1},
            "context": {
                "shape": ["scenes", *clip, size, size, 3],
                "fill": 0,
                **({"frame": [128, 171]} if frames else {}),
            },
        },
        "outputs": {"logits": {"shape": ["people", 7]}},
        "decode": {"temperature": 1.0} | ({"rate": 10.0, "hop": 8} if frames else {}),
        "files": {
            "fp32": {"path": "fp32.onnx", "sha256": sha256_of(folder / "fp32.onnx")},
        },
        "metrics": {"training": {"kept": True}},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(card, sort_keys=False))
    return folder


def coloured(seed: int) -> tuple[np.ndarray, int]:
    """uint8 [40, 60, 3] with a face of one colour, and what a cooler network would see in it."""
    rng = np.random.default_rng(seed)
    picture = np.full((40, 60, 3), 30, np.uint8)
    colour = rng.integers(0, 256, 3)
    picture[5:35, 10:40] = colour[::-1]
    weights = np.random.default_rng(1).normal(0, 0.1, (3, 7))
    return picture, int(rng.choice(7, p=softmax((colour @ weights)[None] / 4)[0]))


FACE = [10, 5, 40, 35]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures each of 60 people, laid out like CAER-S, named by a manifest."""
    root = tmp_path_factory.mktemp("pictures") / "renders"
    lines, rows = [], []
    for index in range(2 * PEOPLE):
        picture, label = coloured(index)
        name = f"{CAER7[label]}/{index:04d}.png"
        path = root / "test" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture)
        lines.append(f"{name},{label}," + ",".join(map(str, FACE)))
        rows.append(json.dumps({"file": f"test/{name}", "person": index // 2}))
    (root / "test.csv").write_text("\n".join(lines) + "\n")
    (root / "test.jsonl").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video each of 60 people, laid out like CAER: of 24 frames, each third one of 10."""
    root = tmp_path_factory.mktemp("videos") / "films"
    header = {"schema": 1, "kind": "video", "rate": 10.0}
    lines = [json.dumps(header)]
    for index in range(PEOPLE):
        picture, label = coloured(index)
        count = 10 if index % 3 == 0 else 24
        name = f"test/{CAER7[label]}/{index:04d}.avi"
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_avi([picture] * count, 10.0))
        frames = [[k, [[*FACE, 1.0]]] for k in range(count)]
        size = path.stat().st_size
        row = {"file": name, "bytes": size, "width": 60, "height": 40, "frames": frames}
        lines.append(json.dumps(row))
    (root / "faces.jsonl").write_text("\n".join(lines) + "\n")
    return root


def call(bundle: Path, data: Path, *more: str) -> list[str]:
    out = str(bundle.parent / "out")
    return ["temperature", str(bundle), "--data", str(data), "--out", out, *more]


def set_temperature(folder: Path, temperature: float) -> None:
    card = yaml.safe_load((folder / "model.yaml").read_text())
    card["decode"]["temperature"] = temperature
    (folder / "model.yaml").write_text(yaml.safe_dump(card))


def test_a_bundle_gets_its_temperature(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    bundle = toy(tmp_path / "mine")
    network = (bundle / "fp32.onnx").read_bytes()
    assert main(call(bundle, pictures, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    card = yaml.safe_load((bundle / "model.yaml").read_text())
    found = card["metrics"]["temperature"]
    assert found == told
    assert card["metrics"]["training"] == {"kept": True}
    assert card["decode"]["temperature"] == found["temperature"]
    assert (bundle / "fp32.onnx").read_bytes() == network
    assert sorted(path.name for path in bundle.iterdir()) == ["fp32.onnx", "model.yaml"]
    assert (found["people"], found["answers"], found["bins"]) == (PEOPLE, 2 * PEOPLE, 15)
    assert found["data"] == [
        {
            "folder": "renders",
            "split": "test",
            "truth": "labels",
            "people": PEOPLE,
            "answers": 2 * PEOPLE,
            "people_by": "manifest",
        }
    ]
    assert 2 < found["temperature"] < 8
    assert found["after"]["calibration_error"] < found["before"]["calibration_error"]
    assert found["after"]["cross_entropy"] < found["before"]["cross_entropy"]
    assert cv2.imread(str(tmp_path / "out" / "reliability.png")).shape[2] == 3
    # The error that `caer evaluate` finds now is not that of before, and no top label changed.
    assert main(["evaluate", str(bundle), "--data", str(pictures), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["calibration_error"] < found["before"]["calibration_error"]
    # Again: it starts from the logits, not from what was entered.
    assert main(call(bundle, pictures)) == 0
    assert f"temperature {found['temperature']:g} (folds" in capsys.readouterr().out
    assert yaml.safe_load((bundle / "model.yaml").read_text()) == card


def test_clips_get_theirs(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    bundle = toy(tmp_path / "clips", 16)
    assert main(call(bundle, videos, "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    # 24 frames: clips end at ticks 15 and 16; 10 are played again, and one ends at tick 15.
    assert found["answers"] == 40 * 2 + 20
    assert found["people"] == PEOPLE
    assert found["data"][0]["people_by"] == "clip"
    assert read_bundle(bundle).decode["temperature"] == found["temperature"]
    assert main(["evaluate", str(bundle), "--data", str(videos), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["samples"] == PEOPLE
    assert scores["calibration_error"] < found["before"]["calibration_error"]


def test_a_teachers_word_is_taken_where_there_are_no_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder, lines = tmp_path / "faces", []
    for index in range(PEOPLE):
        picture, _ = coloured(index)
        (folder / f"s{index}").mkdir(parents=True)
        cv2.imwrite(str(folder / f"s{index}" / "0000_scene.png"), np.zeros((224, 224, 3), np.uint8))
        for k in (0, 1):
            name = f"s{index}/0000_{k}_00.png"
            cv2.imwrite(str(folder / name), picture)
            lines.append(f"{name}," + ",".join(map(str, FACE)))
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    weights = np.random.default_rng(1).normal(0, 0.1, (3, 7))

    def ask(teacher: object, faces: np.ndarray) -> torch.Tensor:
        """As sure as the network at a temperature of 3."""
        return torch.from_numpy(faces.mean(axis=(1, 2)) @ weights / 3)

    monkeypatch.setattr("caer_ros.cli.temperature_data.load_teacher", lambda path: None)
    monkeypatch.setattr("caer_ros.cli.temperature_data.ask_teacher", ask)
    bundle = toy(tmp_path / "mine")
    held = [f"s{index}" for index in range(2, PEOPLE)]
    arguments = call(bundle, folder, "--teacher", "x", "--json", "--hold-out", *held, "nobody")
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["temperature"] == pytest.approx(3, rel=1e-3)
    assert (found["people"], found["answers"]) == (PEOPLE - 2, 2 * (PEOPLE - 2))
    assert found["data"][0]["truth"] == "a teacher's probabilities"
    assert found["data"][0]["people_by"] == "source"
    # Named twice, a source counts once.
    assert main([*arguments[:-1], *held[:3]]) == 0
    assert json.loads(capsys.readouterr().out)["people"] == PEOPLE - 2
    assert main(call(bundle, folder, "--teacher", "x", "--hold-out", *held[:49])) == 2
    assert "There are 49 people" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("exit_code", "error"),
    [(1, OSError(28, "No space left on device")), (130, KeyboardInterrupt())],
)
def test_a_failed_write_leaves_the_bundle_as_it_was(
    exit_code: int,
    error: BaseException,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    bundle = toy(tmp_path / "mine")
    before = (bundle / "model.yaml").read_bytes()

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("caer_ros.deploy.publish.os.replace", fail)
    assert main(call(bundle, pictures)) == exit_code
    monkeypatch.undo()
    assert (bundle / "model.yaml").read_bytes() == before
    assert sorted(path.name for path in bundle.iterdir()) == ["fp32.onnx", "model.yaml"]
    assert not (tmp_path / "out").exists()
    if exit_code == 1:
        assert "No space left on device" in capsys.readouterr().err


def test_what_is_refused(
    pictures: Path, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    bundle = toy(tmp_path / "mine")
    before = (bundle / "model.yaml").read_bytes()
    few = tmp_path / "few"
    shutil.copytree(pictures, few)
    for table in (few / "test.csv", few / "test.jsonl"):
        table.write_text("\n".join(table.read_text().splitlines()[:40]) + "\n")
    faces = tmp_path / "faces"
    faces.mkdir()
    (faces / "faces.csv").write_text("")
    for data, complaint in (
        (few, "There are 20 people; a temperature needs 50"),
        (faces, "Name a --teacher"),
        (videos, "holds videos"),
        (tmp_path / "no", "is no folder"),
    ):
        assert main(call(bundle, data)) == 2
        assert complaint in capsys.readouterr().err
    assert (bundle / "model.yaml").read_bytes() == before
    card = yaml.safe_load(before)
    for task, complaint in (
        ("face_detection", "has task face_detection, which has no temperature"),
        ("person_emotion_maps", "not EMOTIC's 26 emotions"),
    ):
        (bundle / "model.yaml").write_text(yaml.safe_dump(card | {"task": task}))
        assert main(call(bundle, pictures)) == 2
        assert complaint in capsys.readouterr().err


# The robot


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped bundle at a temperature of 2.5."""
    folder = tmp_path_factory.mktemp("warm") / "caer_net_s"
    if not (SHIPPED / "model.yaml").is_file():
        pytest.skip("no bundle")
    shutil.copytree(SHIPPED, folder)
    set_temperature(folder, 2.5)
    return folder


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_robot_divides_by_it(precision: str, backend: str, warm: Path, people: dict) -> None:
    pytest.importorskip(backend)
    bundle = read_bundle(warm)
    model = CaerStatic(bundle, precision, backend, max_people=3, cpu_hint="f32")
    try:
        rng = np.random.default_rng(0)
        image = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
        boxes = [Box(10, 10, 50, 60), Box(70, 20, 110, 70), Box(100, 60, 150, 115)]
        model.prepare(image, "bgr8", boxes, boxes)
        outputs = {name: value.copy() for name, value in model.infer(3, False).items()}
        got = np.stack([e.probabilities for e in model.decode(outputs).estimates])
    finally:
        model.close()
    assert np.ptp(outputs["logits"], axis=1).min() > 0.1
    np.testing.assert_allclose(got, softmax(outputs["logits"] / 2.5), atol=1e-6)
    np.testing.assert_array_equal(got.argmax(axis=1), outputs["logits"].argmax(axis=1))
    with open_engine(bundle.model_file(precision, backend), backend) as engine:
        assert engine.run(people)["logits"].shape == (7, 7)


class _Pictures:
    """Three coloured pictures."""

    labels = np.zeros(3, np.int64)

    def __len__(self) -> int:
        return 3

    def picture(self, index: int) -> tuple[np.ndarray, Box | None, list[Box]]:
        box = None if index == 1 else Box(*FACE)
        return coloured(index)[0], box, []


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_answers_have_logits_as_the_network_puts_them_out(backend: str, tmp_path: Path) -> None:
    pytest.importorskip(backend)
    bundle = toy(tmp_path / "mine")
    cold = ask_pictures(read_bundle(bundle), _Pictures(), "fp32", backend)
    set_temperature(bundle, 3.0)
    found = ask_pictures(read_bundle(bundle), _Pictures(), "fp32", backend)
    np.testing.assert_array_equal(found.logits, cold.logits)
    np.testing.assert_allclose(found.probabilities, softmax(found.logits / 3), atol=1e-6)
    assert np.abs(found.probabilities - cold.probabilities).max() > 0.05
    assert (found.sample.tolist(), found.face.tolist(), found.silent) == ([0, 2], [30, 30], 1)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_so_have_answers_for_clips(backend: str, videos: Path, tmp_path: Path) -> None:
    pytest.importorskip(backend)
    from caer_ros.datasets.face_boxes import read_boxes
    from caer_ros.datasets.layouts import read_dataset

    samples = sorted(read_dataset(videos).split("test"), key=lambda s: s.path.stem)[:2]
    boxes = read_boxes(videos / "faces.jsonl")
    bundle = toy(tmp_path / "clips", 16)
    set_temperature(bundle, 3.0)
    found = ask_videos(read_bundle(bundle), Videos(videos, samples, boxes), "fp32", backend)
    np.testing.assert_allclose(found.probabilities, softmax(found.logits / 3), atol=1e-6)
    assert found.sample.tolist() == [0, 1, 1]
    merged = found.by_sample()
    np.testing.assert_allclose(merged.probabilities[1], found.probabilities[1:].mean(axis=0))
    assert merged.face.tolist() == [30, 30]


@pytest.mark.parametrize("temperature", [0, -1.0, float("inf"), "warm"])
def test_a_bundle_with_an_impossible_temperature_is_refused(
    temperature: object, tmp_path: Path
) -> None:
    bundle = toy(tmp_path / "mine")
    set_temperature(bundle, temperature)  # type: ignore[arg-type]
    with pytest.raises(BundleError, match="inputs or decode lack"):
        CaerStatic(read_bundle(bundle), "fp32", "onnxruntime", 1)
