"""`caer train`, `caer evaluate`, `caer bench data` from end to end, and what they refuse."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from caer_ros.bundles import read_bundle
from caer_ros.cli import bench_data
from caer_ros.cli.labelled import open_labelled
from caer_ros.cli.main import main
from caer_ros.datasets.only import Only
from caer_ros.datasets.picture_source import PictureSource
from caer_ros.datasets.scenes import SceneControls
from caer_ros.datasets.scenes.folders import SceneSet, write_scenes
from caer_ros.evaluation.predictions import predict
from caer_ros.evaluation.resized_faces import ResizedFaces
from caer_ros.networks.checkpoint import load_network
from caer_ros.networks.people_graph import PeopleGraph
from caer_ros.training.recipe_data import data_of, open_split

SIZES = ["data.face_size=32", "data.context_size=48"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic scenes laid out like CAER-S."""
    folder = tmp_path_factory.mktemp("data") / "caer-s"
    counts = {"train": 28, "validation": 14, "test": 14}
    write_scenes(folder, SceneSet("caer-s", counts, controls=SceneControls(width=160, height=120)))
    return folder


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic clips laid out like CAER."""
    folder = tmp_path_factory.mktemp("data") / "caer"
    counts = {"train": 7, "validation": 7, "test": 7}
    controls = SceneControls(width=160, height=120)
    write_scenes(folder, SceneSet("caer", counts, controls=controls, frames=20))
    return folder


@pytest.fixture(scope="module")
def checkpoint(
    pictures: Path, write_tiny: Callable, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A network trained on the pictures through the command line."""
    work = tmp_path_factory.mktemp("work")
    data = {"folder": str(pictures), "face_size": 32, "context_size": 48, "workers": 1}
    recipe = write_tiny(work / "tiny.yaml", data=data)
    assert main(["train", str(recipe), "--out", str(work / "run"), "--seed", "5"]) == 0
    return work / "run" / "best.safetensors"


def test_a_checkpoint_on_a_folder(
    checkpoint: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = ["evaluate", str(checkpoint), "--data", str(pictures), "--json"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "evaluation.json").read_text())
    assert (tmp_path / "confusion.png").stat().st_size > 1000
    network = load_network(checkpoint)
    trained = json.loads(checkpoint.with_suffix(".json").read_text())["extra"]["recipe"]
    assert trained["seed"] == 5
    source = open_split(network, data_of(pictures, trained), "test")
    # The sizes that it was trained on came along.
    assert source.views(0)[0].context.shape == (48, 48, 3)
    found = predict(PeopleGraph(network), source).probabilities
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert told["samples"] == 14
    assert told["accuracy"] == pytest.approx(accuracy_score(source.labels, found.argmax(axis=1)))


def test_a_checkpoint_on_a_recipes_scenes(
    checkpoint: Path, write_tiny: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    recipe = write_tiny(tmp_path / "tiny.yaml")
    assert main(["evaluate", str(checkpoint), "--data", str(recipe)]) == 0
    assert "class-balanced accuracy" in capsys.readouterr().out


def test_one_stream_alone(
    checkpoint: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = ["evaluate", str(checkpoint), "--data", str(pictures), "--json"]
    network = load_network(checkpoint)
    trained = json.loads(checkpoint.with_suffix(".json").read_text())["extra"]["recipe"]
    source = open_split(network, data_of(pictures, trained), "test")
    both = predict(PeopleGraph(network), source).probabilities
    for shown, weight in (("face", None), ("scene", 0.0)):
        assert main([*arguments, "--only", shown]) == 0
        told = json.loads(capsys.readouterr().out)
        alone = Only(source, shown)
        found = predict(PeopleGraph(network), alone).probabilities
        assert np.abs(found - both).max() > 1e-4
        assert told["accuracy"] == pytest.approx((found.argmax(axis=1) == alone.labels).mean())
        if weight is not None:
            # Whose face is not seen is judged by the scene alone.
            assert told["face_weight"] == weight
            assert told["without_face"] == len(alone)
        view = alone.views(0)[0]
        hidden, kept = (view.context, view.face) if shown == "face" else (view.face, view.context)
        assert not hidden.any()
        assert kept.any()
    assert main([*arguments[:1], str(tmp_path), *arguments[2:], "--only", "face"]) == 2
    assert "--only is for checkpoints" in capsys.readouterr().err


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_bundle_through_the_robots_code(
    precision: str, pictures: Path, root: Path, capsys: pytest.CaptureFixture
) -> None:
    bundle = root / "models" / "caer_net_s"
    if not (bundle / "model.yaml").is_file():
        pytest.skip("no bundle")
    arguments = ["evaluate", str(bundle), "--data", str(pictures), "--json"]
    assert main([*arguments, "--precision", precision]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["samples"] == 14
    assert 0 < told["face_weight"] < 1


def test_a_bundle_before_the_boxes_of_another_detector(
    pictures: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    bundle = read_bundle(root / "models" / "caer_net_s")
    data = open_labelled(bundle, pictures, "test")
    assert isinstance(data.samples, PictureSource)
    wider = ResizedFaces(data.samples, 2)
    image, face, faces = wider.picture(3)
    before = data.samples.picture(3)
    np.testing.assert_array_equal(image, before[0])
    assert face is not None
    assert before[1] is not None
    assert face.area == pytest.approx(4 * before[1].area)
    assert face.x1 + face.x2 == pytest.approx(before[1].x1 + before[1].x2)
    assert face.y1 + face.y2 == pytest.approx(before[1].y1 + before[1].y2)
    assert (len(wider), len(faces)) == (14, len(before[2]))
    arguments = ["evaluate", str(bundle.folder), "--data", str(pictures), "--json"]
    told = []
    for size in ("1", "0.5"):
        assert main([*arguments, "--face-size", size]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0]["loss"] != told[1]["loss"]
    assert main([*arguments, "--face-size", "0"]) == 2
    assert "more than 0" in capsys.readouterr().err
    for other in (str(tmp_path), str(root / "models" / "nobody")):
        assert main([arguments[0], other, *arguments[2:], "--face-size", "2"]) == 2
        assert "--face-size is for bundles" in capsys.readouterr().err


def test_clips_train_and_are_judged_by_all_windows(
    videos: Path, write_tiny: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    data = {"folder": str(videos), "face_size": 32, "context_size": 32, "workers": 0}
    recipe = write_tiny(
        tmp_path / "clips.yaml", data=data, network={"name": "caer_net"}, epochs=1, batch=4
    )
    run = tmp_path / "run"
    assert main(["train", str(recipe), "--out", str(run)]) == 0
    capsys.readouterr()
    arguments = ["evaluate", str(run / "last.safetensors"), "--data", str(videos), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 7
    network = load_network(run / "last.safetensors")
    source = open_split(network, data_of(videos, {"data": data}), "test")
    # 20 frames at 10 a second: windows from 0 and, the tail, from 4.
    first, second = source.views(0)
    assert first.face.shape == (16, 32, 32, 3)
    np.testing.assert_array_equal(first.face[4:], second.face[:12])
    by_window = [_alone(network, view) for view in (first, second)]
    found = predict(PeopleGraph(network), source, [0]).probabilities[0]
    np.testing.assert_allclose(found, np.mean(by_window, axis=0), atol=1e-6)


def _alone(network: object, view: object) -> np.ndarray:
    import torch

    from caer_ros.datasets.loader import stack

    batch = stack([(0, view)])
    with torch.no_grad():
        output = PeopleGraph(network)(batch.face, batch.context, batch.scene, batch.present)
    return output.logits.double().softmax(dim=1)[0].numpy()


def test_loader_speed(
    pictures: Path, write_tiny: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    recipe = write_tiny(tmp_path / "tiny.yaml")
    parser = argparse.ArgumentParser()
    bench_data.add_parser(parser.add_subparsers())
    settings = ["--set", "batch=7", f"data={{folder: {pictures}}}"]
    arguments = ["data", str(recipe), "--workers", "0", "1", "--seconds", "0.2", "--json"]
    args = parser.parse_args([*arguments, *settings])
    assert args.run(args) == 0
    speeds = json.loads(capsys.readouterr().out)
    assert [speed["workers"] for speed in speeds] == [0, 1]
    assert all(speed["samples_per_second"] > 1 for speed in speeds)


def refused(arguments: list[str], capsys: pytest.CaptureFixture) -> str:
    """The one line that a wrong call ends in."""
    assert main(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert "Traceback" not in "\n".join(lines)
    return lines[-1]


def test_missing_folder(write_tiny: Callable, tmp_path: Path, capsys) -> None:
    recipe = write_tiny(tmp_path / "r.yaml", data={"folder": str(tmp_path / "none")})
    said = refused(["train", str(recipe), "--out", str(tmp_path / "run")], capsys)
    assert f"{tmp_path / 'none'} is no folder" in said
    assert not (tmp_path / "run").exists()


def test_unknown_class(
    pictures: Path, write_tiny: Callable, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(pictures, copy)
    (copy / "train" / "Sad").rename(copy / "train" / "Sadd")
    recipe = write_tiny(tmp_path / "r.yaml", data={"folder": str(copy)})
    said = refused(["train", str(recipe), "--out", str(tmp_path / "run")], capsys)
    assert "'Sadd' is no class" in said
    assert "Did you mean Sad?" in said


def test_corrupt_picture(
    checkpoint: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(pictures, copy)
    broken = next((copy / "test" / "Happy").iterdir())
    broken.write_bytes(b"no picture")
    arguments = ["evaluate", str(checkpoint), "--data", str(copy)]
    assert str(broken) in refused([*arguments, "--workers", "1"], capsys)
    assert main([*arguments, "--skip-bad", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["samples"] == 13
    assert f"skipped: {broken}" in told.err


def test_videos_for_a_network_of_pictures(checkpoint: Path, videos: Path, capsys) -> None:
    said = refused(["evaluate", str(checkpoint), "--data", str(videos)], capsys)
    assert "holds videos, and caer_net_s reads images" in said


def test_weights_of_another_network(
    checkpoint: Path, pictures: Path, tmp_path: Path, capsys
) -> None:
    shutil.copy(checkpoint, tmp_path / "x.safetensors")
    meta = json.loads(checkpoint.with_suffix(".json").read_text())
    meta["config"]["streams"] = "face"
    (tmp_path / "x.json").write_text(json.dumps(meta))
    arguments = ["evaluate", str(tmp_path / "x.safetensors"), "--data", str(pictures)]
    assert "does not hold the weights of caer_net_s" in refused(arguments, capsys)


def test_misspelt_key(write_tiny: Callable, tmp_path: Path, capsys) -> None:
    recipe = write_tiny(tmp_path / "r.yaml", epoch=3)
    said = refused(["train", str(recipe), "--out", str(tmp_path / "run")], capsys)
    assert "no key 'epoch'. Did you mean 'epochs'?" in said
