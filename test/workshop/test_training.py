"""Losses, augmentation, recipes, the teacher and a few steps of training."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from caer_ros.core import CAER7, Box, CaerError, InputError
from caer_ros.datasets.people import load_people
from caer_ros.datasets.real_faces import PATCH
from caer_ros.networks.caer_net_s import CaerNetS, CaerNetSConfig
from caer_ros.networks.checkpoint import load_checkpoint
from caer_ros.networks.inputs import CaerNetSGraph
from caer_ros.training import loop
from caer_ros.training.augment import augment, blend, jittered, spoil
from caer_ros.training.batches import Sampler
from caer_ros.training.class_bias import add_bias, class_bias
from caer_ros.training.losses import combined, distillation, hint, posed
from caer_ros.training.pools import FacePool, Pool, load_renders
from caer_ros.training.recipe import Data, load_recipe
from caer_ros.training.teacher import Teacher, ask_teacher, load_teacher, steady_features

ROOT = Path(__file__).parents[2]
WHOLE = (
    "data: {renders: a, faces: [b], teacher: c, validation: [x], held_out: [y]}\n"
    "face: {steps: 16, people: 16, learning_rate: 0.002}\n"
    "scene: {steps: 12, people: 0, scenes: 8, learning_rate: 0.002}\n"
    "joint: {steps: 4, people: 8, learning_rate: 0.001, scenes: 2}\n"
    "validate_every: 4\n"
    "bias_correction: 0.5\n"
)
# A stage of scenes alone without any.
SCENELESS = (
    "data: {renders: a, faces: [b], teacher: c}\nface: {steps: 1, people: 2, learning_rate: 1}\n"
    "joint: {steps: 1, people: 2, learning_rate: 1}\n"
    "scene: {steps: 1, people: 0, learning_rate: 1}"
)


def test_nothing_known_costs_ln_7() -> None:
    logits = torch.zeros(4, 7)
    known = posed(logits, torch.tensor([0, -1, 2, -1])).tolist()
    assert known == pytest.approx([math.log(7), 0, math.log(7), 0])


def test_pose_counts_on_renders_only() -> None:
    logits, teacher = torch.zeros(2, 7), torch.zeros(2, 7)
    # Nothing to learn from an even teacher; the one label of two costs its share of ln 7.
    loss = combined(logits, teacher, torch.tensor([3, -1]), 2.0, recipe_weight=0.8)
    assert loss.item() == pytest.approx(0.8 * math.log(7) / 2)


def test_agreeing_with_the_teacher_costs_nothing() -> None:
    teacher = torch.tensor([[3.0, 0, 0, 0, 0, 0, 1]])
    assert distillation(teacher + 5, teacher, 2.0).item() == pytest.approx(0, abs=1e-6)
    assert distillation(torch.zeros(1, 7), teacher, 2.0).item() > 0


def test_hint_is_one_for_a_constant_guess() -> None:
    teacher = torch.rand(64, 8)
    share = torch.ones(64)
    assert hint(teacher, teacher, share).item() == 0
    constant = teacher.mean(dim=0).expand(64, 8)
    assert hint(constant, teacher, share).item() == pytest.approx(1, rel=1e-4)
    assert hint(constant, teacher, share / 2).item() == pytest.approx(0.5, rel=1e-4)


def test_distillation_by_hand() -> None:
    teacher = torch.tensor([[2 * math.log(3), 0.0]])
    # At temperature 2 the teacher says 3/4, 1/4; the student halves.
    wanted = 4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert distillation(torch.zeros(1, 2), teacher, 2.0).item() == pytest.approx(wanted)


def test_augmentation_keeps_shape_and_repeats() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    for seed in range(30):
        first = augment(crop, np.random.default_rng(seed))
        again = augment(crop, np.random.default_rng(seed))
        assert first.shape == (96, 96, 3)
        assert first.dtype == np.uint8
        np.testing.assert_array_equal(first, again)
    assert spoil(crop, np.random.default_rng(0)).shape == (96, 96, 3)
    assert blend(crop, crop, np.random.default_rng(0)).shape == (96, 96, 3)


def test_jitter_stays_near() -> None:
    box, rng = Box(40, 40, 80, 90), np.random.default_rng(0)
    assert all(jittered(box, rng, 0.15).iou(box.squared(0)) > 0.5 for _ in range(50))


def test_shipped_recipe_is_valid() -> None:
    recipe = load_recipe(ROOT / "recipes" / "caer_net_s_demo.yaml")
    assert recipe.network == CaerNetSConfig(dropout=0.2)
    assert recipe.data.renders
    assert not set(recipe.data.validation) & set(recipe.data.held_out)


def test_one_folder_of_renders_needs_no_list(tmp_path: Path) -> None:
    text = (ROOT / "recipes" / "caer_net_s_demo.yaml").read_text()
    (tmp_path / "recipe.yaml").write_text(
        "\n".join(
            "  renders: data/one" if line.startswith("  renders:") else line
            for line in text.splitlines()
        )
    )
    assert load_recipe(tmp_path / "recipe.yaml").data.renders == (Path("data/one"),)


@pytest.mark.parametrize(
    "text",
    [
        SCENELESS,
        "learning_rat: 1",
        "[]",
        "data: {}",
        "a: [",
        "data: {renders: a, faces: [b], teacher: c}",
        WHOLE.replace("scenes: 2}", "scenes: 0}"),
        WHOLE.replace("held_out: [y]", "held_out: y"),
        WHOLE.replace("faces: [b]", "faces: b"),
        WHOLE + "precision: float16\n",
        "data:\n" + WHOLE.split("\n", 1)[1],
        "data: 3\n" + WHOLE.split("\n", 1)[1],
    ],
)
def test_wrong_recipe(text: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(InputError, match=r"caer_net_s_demo\.yaml"):
        load_recipe(tmp_path / "recipe.yaml")


def test_missing_recipe(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_recipe(tmp_path / "none.yaml")


def test_missing_teacher(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="npm pack"):
        load_teacher(tmp_path)


def test_exchanged_teacher(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "face_expression_model.bin").write_bytes(b"other")
    (tmp_path / "model" / "face_expression_model-weights_manifest.json").write_text("[]")
    with pytest.raises(InputError, match="pinned"):
        load_teacher(tmp_path)


def test_teacher_has_the_published_size() -> None:
    # face-api's expression net: plain first convolution, fifteen separable ones, 256 -> 7.
    assert sum(p.numel() for p in Teacher().parameters()) == 323_687


def test_teacher_sees_a_smile(teacher_path: Path, photos: Path) -> None:
    teacher = load_teacher(teacher_path)
    image = cv2.cvtColor(cv2.imread(str(photos / "astronaut.png")), cv2.COLOR_BGR2RGB)
    crop = cv2.resize(image[60:180, 165:285], (96, 96))
    assert ask_teacher(teacher, crop[None]).argmax().item() == 3


def test_the_teacher_is_asked_about_the_middle_of_a_crop() -> None:
    torch.manual_seed(0)
    teacher = Teacher().eval()
    crops = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    # 86, 78 and 70 of the 96 pixels; the second is mirrored.
    whole = torch.from_numpy(crops)
    views = (whole[:, 5:91, 5:91], whole[:, 9:87, 9:87].flip(2), whole[:, 13:83, 13:83])
    expected = sum(teacher.features(view) for view in views) / 3
    torch.testing.assert_close(steady_features(teacher, crops), expected)
    # Nothing of the rim counts.
    rim = crops.copy()
    rim[:, :5], rim[:, 91:], rim[:, :, :5], rim[:, :, 91:] = 0, 255, 7, 99
    torch.testing.assert_close(steady_features(teacher, rim), expected)


def pool(faces: int, labels: np.ndarray, rng: np.random.Generator) -> Pool:
    patches = rng.integers(0, 256, (faces, PATCH, PATCH, 3), dtype=np.uint8)
    # A coloured square says which label a face has.
    for patch, label in zip(patches, labels, strict=True):
        patch[60:130, 60:130] = [30 * (label % 7), 255 - 30 * (label % 7), 128]
    box = [Box(48, 48, 144, 144)] * faces
    even = np.full(faces, 1 / faces)
    scenes = rng.integers(0, 64, (faces, 224, 224, 3), dtype=np.uint8)
    scenes += (27 * (labels % 7)).astype(np.uint8)[:, None, None, None]
    planted = np.full(faces, labels.min() >= 0)
    return Pool(FacePool(patches, box, labels, np.arange(faces), even), scenes, planted)


def pools() -> tuple[Pool, Pool]:
    rng = np.random.default_rng(0)
    return pool(14, np.full(14, -1), rng), pool(14, np.arange(14) % 7, rng)


def test_batches() -> None:
    sampler = Sampler(*pools())
    crops, labels = sampler.faces(20)
    assert crops.shape == (20, 96, 96, 3)
    assert set(labels) <= set(range(-1, 7))
    batch = sampler.joint(12, 4)
    assert batch.faces.shape == batch.clean.shape == (12, 96, 96, 3)
    assert batch.contexts.shape == (4, 224, 224, 3)
    assert batch.scene.max() == 3
    # Photographed scenes come first and hold photographed people, who have no label.
    assert (batch.labels[batch.scene < 2] == -1).all()
    told = batch.labels[(batch.scene >= 2) & batch.present]
    assert len(told)
    assert (told >= 0).all()


def test_who_has_neither_face_nor_cue_has_no_label() -> None:
    sampler = Sampler(*pools())
    batches = [sampler.joint(4, 4) for _ in range(100)]
    black = np.array([[not context.any() for context in b.contexts] for b in batches])
    absent = ~np.array([b.present for b in batches])
    unlabelled = np.array([b.labels for b in batches]) == -1
    assert 0.1 < black.mean() < 0.2
    # The last two of four scenes hold a cue, unless nothing is left of them.
    assert unlabelled[:, :2].all()
    assert (unlabelled[:, 2:] == (absent & black)[:, 2:]).all()
    assert unlabelled[:, 2:].any()


def test_who_has_no_face_is_what_the_cue_says() -> None:
    photographs, renders = pools()
    # Of all scenes only those of label 4 hold a cue; the faces that stand in them may be others'.
    renders.planted[:] = renders.faces.labels == 4
    sampler = Sampler(photographs, renders, face_dropout=0.5)
    batches = [sampler.joint(8, 4) for _ in range(60)]
    labels, present = (np.array([getattr(b, n) for b in batches]) for n in ("labels", "present"))
    rendered = np.array([b.scene >= 2 for b in batches])
    assert set(labels[rendered & ~present]) == {4, -1}
    assert len(set(labels[rendered & present])) > 3


def test_scenes_alone_need_a_cue() -> None:
    photographs, renders = pools()
    renders.planted[:] = False
    with pytest.raises(InputError, match="no render has a cue"):
        Sampler(photographs, renders).scenes(4)


def test_scenes_alone_tell_what_their_cue_tells() -> None:
    photographs, renders = pools()
    renders.planted[::2] = False
    sampler = Sampler(photographs, renders)
    contexts, labels = zip(*(sampler.scenes(6) for _ in range(40)), strict=True)
    assert contexts[0].shape == (6, 224, 224, 3)
    told = np.array(labels)
    # Of the renders every other one holds a cue: labels 1, 3, 5, 0, ...
    assert 0.62 < (told >= 0).mean() < 0.82
    assert set(told.ravel()) - {-1} == set(renders.faces.labels[1::2])


def test_faces_are_withheld_more_where_there_is_a_cue() -> None:
    sampler = Sampler(*pools(), face_dropout=0.5)
    batches = [sampler.joint(8, 4) for _ in range(100)]
    present = np.array([b.present for b in batches])
    cued = np.array([b.scene >= 2 for b in batches])
    assert 0.1 < 1 - present[~cued].mean() < 0.2
    assert 0.35 < 1 - present[cued].mean() < 0.55


def test_renders_of_several_folders(tmp_path: Path) -> None:
    for name, labels in (("drawn", (3, 4, 5)), ("photoreal", (0, 1))):
        lines = []
        for number, label in enumerate(labels):
            file = f"{CAER7[label]}/{number}.png"
            path = tmp_path / name / "train" / file
            path.parent.mkdir(parents=True)
            cv2.imwrite(str(path), np.full((120, 160, 3), 10 + label, np.uint8))
            lines.append(f"{file},{label},40,30,90,90\n")
        (tmp_path / name / "train.csv").write_text("".join(lines))
    (tmp_path / "photoreal" / "plan.json").write_text('{"kind": "photoreal"}')
    folders = (tmp_path / "drawn", tmp_path / "photoreal")
    data = Data(renders=folders, faces=(), teacher=tmp_path)
    pool = load_renders(data, "train")
    assert pool.faces.labels.tolist() == [3, 4, 5, 0, 1]
    # Rendered people near to photographs stand in places that say nothing.
    assert pool.planted.tolist() == [True, True, True, False, False]
    for number, label in enumerate(pool.faces.labels):
        assert pool.faces.patches[number].max() == 10 + label
        assert pool.scenes[pool.faces.scene[number]].max() == 10 + label
    assert load_renders(data, "train", slice(1, None)).faces.labels.tolist() == [4, 5, 1]


def test_renders_with_cues_say_which_and_hide_everybody(tmp_path: Path) -> None:
    kinds = {"Anger/0.png": "company", "Anger/1.png": "idle", "Anger/2.png": ""}
    rows, lines = ["file,cue_kind"], []
    faces = [{"schema": 1, "kind": "image"}]
    for file, kind in kinds.items():
        path = tmp_path / "train" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((224, 224, 3), 100, np.uint8))
        rows.append(f"train/{file},{kind}")
        lines.append(f"{file},0,40,30,90,90\n")
        boxes = [[40, 30, 90, 90, 1], [150, 100, 200, 160, 1]]
        faces.append(
            {
                "file": f"train/{file}",
                "bytes": 1,
                "width": 224,
                "height": 224,
                "frames": [[0, boxes]],
            }
        )
    (tmp_path / "train.csv").write_text("".join(lines))
    (tmp_path / "people.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "plan.json").write_text('{"kind": "photoreal with cues"}')
    (tmp_path / "faces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in faces))
    pool = load_renders(Data(renders=(tmp_path,), faces=(), teacher=tmp_path), "train")
    assert pool.planted.tolist() == [True, False, False]
    # The companion's face is hidden as the subject's is.
    assert not pool.scenes[:, 130, 175].any()
    assert not pool.scenes[:, 60, 65].any()
    assert pool.scenes[:, 10, 10].min() == 100
    # Nor do those to calibrate on see it: a robot's context hides everybody.
    people = load_people(tmp_path, (), False, 10)
    np.testing.assert_array_equal(people.contexts, pool.scenes)


@pytest.mark.slow
def test_sixteen_people_can_be_learnt_by_heart() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    graph = CaerNetSGraph(CaerNetS(CaerNetSConfig(dropout=0.0))).train()
    faces = torch.from_numpy(rng.integers(0, 256, (16, 96, 96, 3), dtype=np.uint8))
    context = torch.from_numpy(rng.integers(0, 256, (1, 224, 224, 3), dtype=np.uint8))
    labels, scene = torch.arange(16) % 7, torch.zeros(16, dtype=torch.int64)
    optimizer = torch.optim.Adam(graph.parameters(), lr=1e-3)
    for _ in range(25):
        loss = torch.nn.functional.cross_entropy(graph(faces, context, scene)[0], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3


class LabelTeacher(Teacher):
    """Stands in for the downloaded teacher: says what the coloured square says."""

    def features(self, crops: torch.Tensor) -> torch.Tensor:
        red = crops[:, 40:56, 40:56, 0].float().mean(dim=(1, 2))
        near = -(red[:, None] / 30 - torch.arange(7)).abs()
        return torch.nn.functional.pad(near.exp(), (0, 249))

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        return 4 * features[:, :7]


@pytest.fixture
def drawn_pools(monkeypatch: pytest.MonkeyPatch) -> Pool:
    """A run's teacher and pools without any file; the photographs."""
    photographs, renders = pools()
    monkeypatch.setattr(loop, "load_teacher", lambda _: LabelTeacher())
    monkeypatch.setattr(loop, "load_photographs", lambda *_: photographs)
    monkeypatch.setattr(loop, "load_renders", lambda *_: renders)
    return photographs


@pytest.mark.slow
@pytest.mark.usefixtures("drawn_pools")
def test_a_run_learns_and_writes_what_it_promises(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(WHOLE)
    recipe, out = load_recipe(tmp_path / "recipe.yaml"), tmp_path / "run"
    metrics = loop.Trainer(recipe, out).run()
    assert {"class_bias", "validation", "held_out", "minutes"} == metrics.keys()
    assert any(metrics["class_bias"].values())
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == metrics
    rows = [line.split(",") for line in (tmp_path / "run" / "log.csv").read_text().splitlines()]
    for stage in ("face", "scene"):
        losses = [float(row[2]) for row in rows if row[0] == stage]
        assert losses[-1] < losses[0]
    curves = cv2.imread(str(tmp_path / "run" / "curves.png"))
    assert curves.std() > 10
    for name in ("best", "last"):
        assert load_checkpoint(tmp_path / "run" / f"{name}.safetensors").config == CaerNetSConfig()
    # Cut off in the last stage and resumed, the run ends with the same weights and the same log.
    weights = (out / "best.safetensors").read_bytes()
    log = [line.rsplit(",", 1)[0] for line in (out / "log.csv").read_text().splitlines()]
    (out / "best.safetensors").unlink()
    resumed = loop.Trainer(recipe, out, resume=True)
    assert resumed.finished == ("face", "scene")
    resumed.run()
    assert (out / "best.safetensors").read_bytes() == weights
    again = [line.rsplit(",", 1)[0] for line in (out / "log.csv").read_text().splitlines()]
    assert again == log
    with pytest.raises(InputError, match="made by another recipe"):
        loop.Trainer(replace(recipe, seed=5), out, resume=True)
    said = json.loads((out / "metrics.json").read_text())
    assert loop.train_distilled(recipe, out, resume=True) == said
    with pytest.raises(InputError, match="seed was 0 and is now 5"):
        loop.train_distilled(replace(recipe, seed=5), out, resume=True)
    with pytest.raises(InputError, match="already holds a run"):
        loop.train_distilled(recipe, out)


@pytest.mark.usefixtures("drawn_pools")
def test_a_run_whose_loss_is_no_number_ends(tmp_path: Path) -> None:
    modest, huge = "people: 16, learning_rate: 0.002", "people: 2, learning_rate: 1.0e+30"
    (tmp_path / "recipe.yaml").write_text(WHOLE.replace(modest, huge))
    recipe = load_recipe(tmp_path / "recipe.yaml")
    with pytest.raises(CaerError, match=r"loss is .*'face'.*\n?.*face\.learning_rate"):
        loop.Trainer(recipe, tmp_path / "run").run()


def test_whom_to_hold_out_is_looked_for_before_training(
    drawn_pools: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def photographed(data: Data, ask: object, keep: Callable[[str], bool]) -> Pool:
        if keep("y"):
            raise InputError("No photographed face is left for this split.", "Check held_out.")
        return drawn_pools

    monkeypatch.setattr(loop, "load_photographs", photographed)
    (tmp_path / "recipe.yaml").write_text(WHOLE)
    with pytest.raises(InputError, match="held_out"):
        loop.Trainer(load_recipe(tmp_path / "recipe.yaml"), tmp_path / "run")


def test_class_bias_by_hand() -> None:
    """Logits that know the label and lean to class 2 by 1.5: the bias takes just that away."""
    labels = torch.arange(3).repeat(200)
    noise = torch.randn(600, 3, generator=torch.Generator().manual_seed(0))
    logits = torch.nn.functional.one_hot(labels, 3) * 2.0 + noise
    lean = torch.tensor([0.0, 0.0, 1.5])
    fair = class_bias(logits, labels)
    found = class_bias(logits + lean, labels)
    # Offsets count against each other only; the ridge holds them back by a few per cent.
    shift = (found - found.mean()) - (fair - fair.mean())
    np.testing.assert_allclose(shift, -(lean - lean.mean()), atol=0.08)
    before = (logits + lean).argmax(dim=1)
    after = (logits + lean + found).argmax(dim=1)
    assert (before == 2).sum() > 270
    assert 185 < (after == 2).sum() < 215
    assert (after == labels).float().mean() > (before == labels).float().mean()


def test_bias_goes_into_the_logits() -> None:
    torch.manual_seed(0)
    network = CaerNetS(CaerNetSConfig()).eval()
    graph = CaerNetSGraph(network).eval()
    rng = np.random.default_rng(0)
    faces = torch.from_numpy(rng.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8))
    context = torch.from_numpy(rng.integers(0, 256, (1, 224, 224, 3), dtype=np.uint8))
    scene, bias = torch.zeros(3, dtype=torch.int64), torch.linspace(-1, 1, 7).double()
    with torch.no_grad():
        before = graph(faces, context, scene)[0]
        add_bias(network, bias)
        after = graph(faces, context, scene)[0]
    np.testing.assert_allclose(after - before, bias.float().expand(3, 7), atol=1e-5)
