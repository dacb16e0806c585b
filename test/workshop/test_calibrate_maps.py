"""Calibrating a network that finds people itself: a tiny one with BENet's outputs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional

from caer_ros.bundles import read_bundle
from caer_ros.core import EMOTIC26, BundleError
from caer_ros.datasets.people import People
from caer_ros.datasets.scenes.emotic import EmoticImage, write_annotations
from caer_ros.deploy import calibration_report
from caer_ros.deploy.calibrate import Options, calibrate_bundle
from caer_ros.deploy.card import file_entry
from caer_ros.deploy.judging.comparison import Comparison
from caer_ros.deploy.judging.found import Found, MapsJudge
from caer_ros.deploy.judging.judge import answers, judge_of
from caer_ros.deploy.onnx_file import trace
from caer_ros.deploy.pictures import open_data, picture_data
from caer_ros.deploy.pictures.open_data import DataOptions
from caer_ros.deploy.pictures.samples import PeopleSamples, PictureSamples
from caer_ros.engines import open_engine
from caer_ros.evaluation.benet.predictions import GroundTruth
from caer_ros.networks.benet.decode import DecodeGraph
from caer_ros.networks.benet.maps import BenetMaps
from caer_ros.perception.fit_frame import fit_short_side

SIDE = 64


class Spots(nn.Module):
    """Finds bright spots; emotions follow the colours. What BENet puts out, but for the heat."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 8, 4, 2, 1)
        self.second = nn.Conv2d(8, 8, 3, 1, 1)
        self.head = nn.Conv2d(8, 29, 1)
        with torch.no_grad():
            self.first.weight.abs_().mul_(0.3)
            self.second.weight.abs_().mul_(0.3)
            self.head.weight[:1].abs_()
        self.decode = DecodeGraph(top_k=10, threshold=0.1)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        pixels = images.permute(0, 3, 1, 2).float() / 255
        half = functional.relu(self.second(functional.relu(self.first(pixels))))
        rows = self.decode((self.maps(functional.avg_pool2d(half, 2)), self.maps(half)))
        return rows.boxes, rows.scores, rows.emotions, rows.peaks

    def maps(self, features: Tensor) -> BenetMaps:
        said = self.head(features)
        heat = 4 * said[:, :1] - 2.5
        return BenetMaps(emotion=said[:, 3:], vad=None, heat=heat, size=said[:, 1:3] * 0 + 4)


def spots(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 RGB [64, 96, 3] with a few soft spots, and their boxes float [N, 4]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :96]
    picture = np.zeros((64, 96, 3))
    boxes = []
    for left in (16, 48, 80)[: rng.integers(2, 4)]:
        cx, cy = left + rng.uniform(-4, 4), rng.uniform(16, 48)
        blob = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 40)
        picture += blob[..., None] * rng.uniform(180, 255, 3)
        boxes.append([cx - 6, cy - 6, cx + 6, cy + 6])
    return picture.clip(0, 255).astype(np.uint8), np.array(boxes)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "spots"
    folder.mkdir()
    names = ["boxes", "scores", "emotions", "peaks"]
    axes = {"images": {0: "images", 1: "height", 2: "width"}} | {n: {0: "images"} for n in names}
    example = (torch.zeros(2, SIDE, 96, 3, dtype=torch.uint8),)
    data = trace(Spots().eval(), example, ["images"], names, axes)
    (folder / "fp32.onnx").write_bytes(data)
    card = {
        "schema": 1,
        "name": "spots",
        "version": "1",
        "task": "person_emotion_maps",
        "labels": list(EMOTIC26),
        "multi_label": True,
        "inputs": {
            "images": {
                "dtype": "uint8",
                "shape": ["images", "height", "width", 3],
                "color": "rgb",
                "short_side": SIDE,
                "multiple_of": 32,
            }
        },
        "outputs": {name: {} for name in names},
        "decode": {"top_k": 10, "threshold": 0.1},
        "files": {"fp32": file_entry(folder / "fp32.onnx")},
        "metrics": {},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(card))
    return folder


@pytest.fixture
def annotated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spots instead of what --data names, those from 100 on held out."""

    def samples(seeds: range) -> PictureSamples:
        made = [spots(seed) for seed in seeds]
        count = len(EMOTIC26)
        truths = [
            GroundTruth(
                boxes,
                (np.random.default_rng(k).random((len(boxes), count)) > 0.5).astype(float),
                np.ones((len(boxes), count), bool),
                np.full((len(boxes), 3), np.nan),
            )
            for k, (_, boxes) in enumerate(made)
        ]
        fits = [fit_short_side(96, 64, SIDE, 32) for _ in made]
        return PictureSamples("images", [picture for picture, _ in made], fits, truths)

    monkeypatch.setattr(
        open_data, "pictures_of", lambda *_: (samples(range(24)), samples(range(100, 120)), 0)
    )
    for name in ("draw_costs", "draw_histograms"):
        monkeypatch.setattr(calibration_report, name, lambda *_: None)


def test_a_maps_bundle_is_calibrated_and_scored(
    bundle: Path, annotated: None, tmp_path: Path
) -> None:
    result = calibrate_bundle(bundle, Options(DataOptions([tmp_path])), tmp_path / "out")
    assert result.made.kept["/head/Conv"] == "last layer"
    read = read_bundle(bundle)
    for key in ("int8", "fp16"):
        assert read.model_file(key, "openvino").is_file()
    measured = result.made.measured["int8_onnxruntime"]
    assert measured.compared > 20
    assert measured.boxes is not None
    assert measured.boxes >= 0.98
    assert measured.person_ap is not None
    # FP32 finds the drawn spots, so that a drop could be seen.
    assert measured.person_ap[0] > 20
    card = yaml.safe_load((bundle / "model.yaml").read_text())
    assert card["metrics"]["int8"]["int8"]["mean_ap"]["fp32"] > 0
    assert "AP of people" in (tmp_path / "out" / "report.md").read_text()


def found(*rows: tuple[float, float, float]) -> Found:
    """People of 10x10 pixels from (x, score, first emotion); the second emotion is always 0.5."""
    boxes = np.array([[x, 0, x + 10, 10] for x, _, _ in rows]).reshape(-1, 4)
    emotions = np.array([[emotion, 0.5] for _, _, emotion in rows]).reshape(-1, 2)
    return Found(boxes, np.array([score for _, score, _ in rows]), emotions)


def test_boxes_and_emotions_are_compared_by_hand(bundle: Path) -> None:
    judge = judge_of(read_bundle(bundle))
    assert isinstance(judge, MapsJudge)
    nobody = PeopleSamples(
        People(np.zeros((0, 96, 96, 3)), np.zeros((0, 224, 224, 3)), np.zeros(0), np.zeros(0))
    )
    wanted = [found((0, 0.9, 0.8), (20, 0.8, 0.51), (40, 0.7, 0.6)), found()]
    # The first moved by a pixel, the second's near tie turned round, the third was lost; one new.
    got = [found((1, 0.9, 0.7), (20, 0.8, 0.49)), found((70, 0.5, 0.1))]
    compared = judge.compare(wanted, got, nobody)
    assert compared.compared == 3
    assert compared.boxes == pytest.approx(2 * 2 / 6)
    assert compared.top_label == 1
    assert compared.mean_delta == pytest.approx((0.1 + 0.02) / 4)
    assert compared.max_delta == pytest.approx(0.1)
    # Lost and new people count as wholly wrong.
    assert judge.distance(wanted, got) == pytest.approx((0.05 + 0.01 + 1 + 1) / 4)
    clear = judge.compare(wanted[:1], [found((0, 0.9, 0.4))], nobody)
    assert clear.top_label == 0


def spots_folder(root: Path, seed: int, known: str) -> Path:
    """Spots laid out like EMOTIC, some of a third of them happy, four pictures a split.

    known: `all` categories, `some`: one, of every other person (as `caer data people --emotions`
        writes them), or `none` of anybody.
    """
    (root / "emotic" / "images").mkdir(parents=True)
    images: dict[str, list[EmoticImage]] = {}
    for split in ("train", "validation"):
        images[split] = []
        for _ in range(4):
            picture, boxes = spots(seed)
            cv2.imwrite(str(root / "emotic" / "images" / f"{seed}.png"), picture[..., ::-1])
            people = []
            for number, box in enumerate(boxes):
                has = ["Happiness"] if number == 0 and known != "none" else []
                person = {"body_bbox": box.tolist(), "annotations_categories": {"categories": has}}
                if known == "all":
                    person["annotations_categories"]["categories"] = [*has, "Peace"]
                else:
                    person["known_categories"] = has
                people.append(person)
            images[split].append(
                {
                    "filename": f"{seed}.png",
                    "folder": "images",
                    "image_size": {"n_col": 96, "n_row": 64},
                    "person": people,
                }
            )
            seed += 1
    write_annotations(root, images)
    return root


def compared(bundle: Path, folders: list[Path]) -> Comparison:
    """FP32's answers against those without each picture's best person."""
    read = read_bundle(bundle)
    judge = MapsJudge(read)
    samples = open_data.open_data(read, DataOptions(folders)).held_out
    engine = open_engine(read.model_file("fp32", "onnxruntime"), "onnxruntime", 1)
    everybody = answers(judge, engine, samples)
    engine.close()
    fewer = [Found(*(part[1:] for part in one)) for one in everybody]
    return judge.compare(everybody, fewer, samples)


def test_people_of_whom_no_emotion_is_known_count_as_people(bundle: Path, tmp_path: Path) -> None:
    found = compared(bundle, [spots_folder(tmp_path / "boxes", 0, "none")])
    assert found.mean_ap is None
    assert found.person_ap is not None
    assert found.person_ap[0] > found.person_ap[1]


def test_folders_of_which_more_and_less_is_known_are_judged_as_one(
    bundle: Path, tmp_path: Path
) -> None:
    folders = [
        spots_folder(tmp_path / known, seed, known)
        for known, seed in (("all", 0), ("some", 20), ("none", 40))
    ]
    found = compared(bundle, folders)
    assert found.person_ap is not None
    assert found.mean_ap is not None
    assert found.mean_ap[0] > found.mean_ap[1]


def test_pictures_are_fitted_as_the_robot_does(bundle: Path) -> None:
    fitter = picture_data.Fitter(read_bundle(bundle))
    made, fit = fitter(np.full((100, 250, 3), 7, np.uint8))
    assert made.shape == (64, 160, 3)
    assert fit.source == (250, 100)


def test_a_bundle_without_sizes_is_refused(bundle: Path) -> None:
    card = yaml.safe_load((bundle / "model.yaml").read_text())
    del card["inputs"]["images"]["short_side"]
    (bundle / "model.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(BundleError, match="inputs lack 'short_side'"):
        picture_data.Fitter(read_bundle(bundle))
    card["task"] = "face_detection"
    (bundle / "model.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(BundleError, match="stays FP32"):
        judge_of(read_bundle(bundle))
