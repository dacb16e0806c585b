"""`caer bench motion`, whole: bundles of toy networks that read the grey of a face."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from caer_ros.bundles import read_bundle
from caer_ros.cli.main import main
from caer_ros.core import CAER7, Box, InputError
from caer_ros.datasets.scenes import SceneControls, SceneStream
from caer_ros.datasets.scenes.folders import SceneSet, write_scenes
from caer_ros.deploy.card import FP32, About, caer_net_s_card, file_entry, write_card
from caer_ros.deploy.export_clip import caer_net_card
from caer_ros.evaluation.motion.material import DrawnClips, open_footage, spread
from caer_ros.evaluation.motion.measure import conditions, measure
from caer_ros.evaluation.motion.report import draw, summary, table
from caer_ros.evaluation.motion.rivals import BOTH, CLIP, RIVALS, SMOOTHED, STATIC, Rivals
from caer_ros.networks.caer_net import CaerNet
from caer_ros.perception.smoothing_config import SmoothingConfig

HAPPY, SAD = CAER7.index("Happy"), CAER7.index("Sad")
# Brighter than this is happy, darker is sad.
MIDDLE = 100.0


def toy_network(clip: bool) -> bytes:
    """Logits by the mean grey of the face, over all of a clip; everything else has the shape."""
    time = [16] if clip else []
    rows = np.zeros((1, 7), np.float32)
    rows[0, HAPPY], rows[0, SAD] = 0.2, -0.2
    constants = {
        "rows": rows,
        "middle": np.float32([MIDDLE]),
        "flat": np.int64([-1, 1]),
        "low": np.full(7, -20, np.float32) + 20 * np.float32([k in (HAPPY, SAD) for k in range(7)]),
        "nothing": np.zeros((1, 2), np.float32),
        "half": np.float32([0.5]),
    }
    axes = list(range(1, 5 if clip else 4))
    nodes = [
        helper.make_node("Cast", ["face"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=axes, keepdims=0),
        helper.make_node("Reshape", ["mean", "flat"], ["column"]),
        helper.make_node("Sub", ["column", "middle"], ["grey"]),
        helper.make_node("MatMul", ["grey", "rows"], ["told"]),
        helper.make_node("Add", ["told", "low"], ["logits"]),
        helper.make_node("MatMul", ["grey", "nothing"], ["none"]),
        helper.make_node("Add", ["none", "half"], ["fusion"]),
        helper.make_node("Cast", ["context"], ["room"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["room"], ["attention"], axes=axes, keepdims=1),
        helper.make_node("Identity", ["scene"], ["whose"]),
    ]
    size = 112 if clip else 224
    inputs = [
        helper.make_tensor_value_info("face", TensorProto.UINT8, ["people", *time, 96, 96, 3]),
        helper.make_tensor_value_info(
            "context", TensorProto.UINT8, ["scenes", *time, size, size, 3]
        ),
        helper.make_tensor_value_info("scene", TensorProto.INT64, ["people"]),
    ]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["people", 7]),
        helper.make_tensor_value_info("fusion", TensorProto.FLOAT, ["people", 2]),
        helper.make_tensor_value_info("attention", TensorProto.FLOAT, ["scenes", *[1] * len(axes)]),
        helper.make_tensor_value_info("whose", TensorProto.INT64, ["people"]),
    ]
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Static and clip."""
    root, made = tmp_path_factory.mktemp("toys"), []
    for name in ("toy_static", "toy_clip"):
        clip, folder = name == "toy_clip", root / name
        folder.mkdir()
        (folder / FP32).write_bytes(toy_network(clip))
        about = About(name, "1.0", {"recipe": {}}, True, "")
        card = caer_net_card(CaerNet(), about) if clip else caer_net_s_card(about)
        write_card(folder, card | {"files": {"fp32": file_entry(folder / FP32)}})
        made.append(folder)
    return made[0], made[1]


class GreyFaces:
    """Clips of a still face: bright ones are happy, dark ones are sad."""

    labels = np.array([HAPPY, SAD])

    def __len__(self) -> int:
        return 2

    def frames(self, index: int, rate: float, least: int) -> list:
        assert rate == 10.0
        face, picture = Box(30, 20, 62, 60), np.full((96, 128, 3), 40, np.uint8)
        picture[10:70, 20:72] = 106 if index == 0 else 94
        return [(picture, (face,))] * least


def measured(bundles: tuple[Path, Path], kinds: list[str], frames: int = 40, **more: Any) -> dict:
    told: list[None] = []
    static, clip = (read_bundle(folder) for folder in bundles)
    with Rivals(static, clip, backend="onnxruntime", threads=1, **more) as rivals:
        rows = measure(rivals, GreyFaces(), [0, 1], frames, kinds, 1, lambda: told.append(None))
    assert len(told) == 2 * len(conditions(kinds))
    return {(row.kind, row.strength): row for row in rows}


def test_a_still_face_makes_all_right_and_steady(bundles: tuple[Path, Path]) -> None:
    row = measured(bundles, [])["clean", 0]
    assert list(row.rivals) == list(RIVALS)
    for found in row.rivals.values():
        assert (found.accuracy, found.changes, found.answered) == (1.0, 0.0, 1.0)
        assert found.movement == pytest.approx(0, abs=1e-6)
    lags = {name: found.lag for name, found in row.rivals.items()}
    assert lags[STATIC] == 0 < lags[SMOOTHED] < lags[CLIP] < lags[BOTH]
    assert row.gain.mean == 0


def test_flicker_shakes_the_static_one_most(bundles: tuple[Path, Path]) -> None:
    found = measured(bundles, ["flicker"])["flicker", 3].rivals
    assert found[STATIC].changes > 0.2
    assert found[SMOOTHED].changes < found[STATIC].changes / 2
    assert found[CLIP].changes < found[STATIC].changes / 2
    assert found[CLIP].movement < found[STATIC].movement
    assert found[STATIC].accuracy < 1


def test_a_hop_of_one_answers_every_frame(bundles: tuple[Path, Path]) -> None:
    held = measured(bundles, ["noise"], frames=24)["noise", 3].rivals[CLIP]
    each = measured(bundles, ["noise"], frames=24, hop=1)["noise", 3].rivals[CLIP]
    assert 0 < each.lag < held.lag
    assert each.lag == pytest.approx(0.75)


def test_smoothing_can_be_left_out(bundles: tuple[Path, Path]) -> None:
    none = SmoothingConfig(time_constant=0, label_margin=0, label_time=0)
    found = measured(bundles, ["flicker"], smoothing=none)["flicker", 2].rivals
    assert found[SMOOTHED].movement == pytest.approx(found[STATIC].movement)
    assert found[STATIC].movement > 0.1


def test_a_gap_silences_the_model_of_clips_once_its_last_answer_is_old(
    bundles: tuple[Path, Path],
) -> None:
    footage = open_footage(GreyFaces(), 0, 10.0, 46)
    # More than five frames in a row are missing: clips start anew.
    cut = footage.taken([*range(20), *range(27, 46)])
    static, clip = (read_bundle(folder) for folder in bundles)
    with Rivals(static, clip, threads=1) as rivals:
        found = rivals.ask(cut)
    assert found[STATIC].spoke.all()
    spoke = dict(zip(cut.ticks, found[CLIP].spoke.tolist(), strict=True))
    assert [spoke[tick] for tick in (14, 15, 19, 27, 36, 37, 41, 42, 45)] == [
        *(False, True, True, True, True, False, False, True, True)
    ]


def test_too_short_clips_are_refused(bundles: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="16 frames"):
        measured(bundles, [], frames=12)


def test_table_and_picture(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    rows = list(measured(bundles, ["flicker", "noise"], frames=24).values())
    lines = table(rows).splitlines()
    assert len(lines) == 2 + 7
    assert [line.split()[0] for line in lines[2:]] == ["clean"] + ["flicker"] * 3 + ["noise"] * 3
    assert all(name in lines[0] for name in RIVALS)
    assert "better: " in summary(rows, 2)
    draw(rows, tmp_path / "motion.png")
    assert (tmp_path / "motion.png").read_bytes()[1:4] == b"PNG"


def test_the_command_on_drawn_scenes(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    controls = {"width": 160, "height": 120}
    scenes = {"train": 7, "validation": 7, "test": 7, "controls": controls}
    recipe = {"network": {"name": "caer_net"}, "data": {"scenes": scenes}, "epochs": 1}
    (tmp_path / "clips.yaml").write_text(yaml.safe_dump(recipe))
    command = [
        *("bench", "motion", *map(str, bundles), "--data", str(tmp_path / "clips.yaml")),
        *("--clips", "2", "--frames", "18", "--kinds", "boxes", "--backend", "onnxruntime"),
        *("--threads", "1", "--out", str(tmp_path / "out")),
    ]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert (tmp_path / "out/motion.txt").read_text() == text
    assert (tmp_path / "out/motion.png").is_file()
    told = json.loads((tmp_path / "out/motion.json").read_text())
    assert told["about"]["clips"] == 2
    assert [(row["kind"], row["strength"]) for row in told["rows"]] == conditions(["boxes"])
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == told


def test_the_command_on_a_folder_like_caer(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    controls = SceneControls(width=160, height=120)
    write_scenes(tmp_path / "clips", SceneSet("caer", {"test": 7}, 0, controls, 20))
    assert (
        main(
            [
                *("bench", "motion", *map(str, bundles), "--data", str(tmp_path / "clips")),
                *("--clips", "1", "--frames", "18", "--kinds", "noise", "--threads", "1"),
                *("--backend", "onnxruntime", "--json"),
            ]
        )
        == 0
    )
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 4


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--frames", "16"], "clip model reads 16"),
        (["--kinds", "rain"], "no corruption 'rain'"),
        (["--clips", "0"], "--clips"),
    ],
)
def test_what_makes_no_sense_is_refused(
    bundles: tuple[Path, Path],
    tmp_path: Path,
    more: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scenes = {"train": 7, "validation": 7, "test": 7}
    recipe = {"network": {"name": "caer_net"}, "data": {"scenes": scenes}, "epochs": 1}
    (tmp_path / "clips.yaml").write_text(yaml.safe_dump(recipe))
    command = ["bench", "motion", *map(str, bundles), "--data", str(tmp_path / "clips.yaml")]
    assert main([*command, *more]) == 2
    assert complaint in capsys.readouterr().err


def test_drawn_clips_are_the_streams() -> None:
    stream = SceneStream(3, "test", SceneControls(width=160, height=120))
    clips = DrawnClips(stream, 7)
    assert sorted(clips.labels) == list(range(7))
    footage = open_footage(clips, 2, 10.0, 18)
    wanted = stream.clip(2, 18).scenes
    assert len(footage) == 18
    np.testing.assert_array_equal(footage.frames[17], wanted[17].image)
    assert footage.faces[17] == wanted[17].faces
    with pytest.raises(InputError, match="25 frames a second"):
        clips.frames(0, 25.0, 16)


def test_clips_are_spread_over_labels() -> None:
    labels = np.array([0] * 10 + [1] * 3 + [2] * 10)
    assert [int(labels[k]) for k in spread(labels, 7)] == [0, 1, 2, 0, 1, 2, 0]
    assert len(set(spread(labels, 23))) == len(spread(labels, 23)) >= 19
    assert spread(labels, 3) == [0, 10, 13]
