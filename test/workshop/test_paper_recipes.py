"""Recipes of the papers' tables: their numbers, and an epoch and an evaluation of every row.

The runs read drawn copies of the archives (datasets/scenes/archives.py) by the very paths that the
recipes name. Three rows run always, all others with CAER_SLOW=1.
"""

from __future__ import annotations

import json
import os
import re
import runpy
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from caer_ros.cli.main import main
from caer_ros.datasets.scenes import SceneControls
from caer_ros.datasets.scenes.archives import write_archive
from caer_ros.datasets.scenes.labelled_archives import Copy
from caer_ros.evaluation.paper_rows import PAPER_ROWS
from caer_ros.networks.caer_net_config import TABLE_3
from caer_ros.networks.registry import build_network
from caer_ros.training.benet.recipe import ROWS, is_benet, load_benet_recipe
from caer_ros.training.recipe_data import cut_for
from caer_ros.training.strict_yaml import read_mapping
from caer_ros.training.supervised_recipe import load_supervised

PAPER = Path(__file__).parents[2] / "recipes" / "paper"
SCRIPT = runpy.run_path(str(PAPER.parents[1] / "scripts" / "paper_tables.py"))
STEMS = sorted(path.stem for path in PAPER.glob("*.yaml"))
# Not a row of the paper: its network on a split without leaks.
OURS = "caer_net_s_by_clip"
OF_TABLE_3 = {
    **{f"caer_net_{name}": row for name, row in (("f", "F"), ("c_ca", "C+cA"), ("f_c", "F+C"))},
    "caer_net_f_c_ca": "F+C+cA",
    "caer_net_f_c_fa": "F+C+fA",
    "caer_net_full": "F+C+cA+fA",
    "caer_net_s_f": "F",
    "caer_net_s_c_ca": "C+cA",
    "caer_net_s_full": "F+C+cA+fA",
    OURS: "F+C+cA+fA",
    "afew_caer_net_f": "F",
    "afew_caer_net_full": "F+C+cA+fA",
    "afew_caer_net_with_caer": "F+C+cA+fA",
}
FROZEN = {"alexnet_imagenet", "vgg16_imagenet", "resnet50_imagenet", "c3d_sports1m"}
TUNED = {"alexnet_tuned", "vgg16_tuned", "resnet50_tuned", "c3d_tuned"}
BENET = {f"benet_{row.lower().replace('+', '_')}": row for row in ROWS}

COUNTS = {"train": 14, "validation": 7, "test": 7}
LOOKS = SceneControls(companions=2, width=160, height=120)
SMALL = ["epochs=1", "data.workers=0", "precision=32-true"]
# The same networks (BENet narrower) on smaller pictures: some ten seconds of one core a row.
SIZES = {
    "caer_net_s": ["batch=7", "data.face_size=48", "data.context_size=64"],
    "caer_net": ["batch=7", "data.face_size=32", "data.context_size=32"],
    "c3d": ["batch=7", "data.context_size=32"],
    "benet": ["batch=8", "data.size=64", "network.width=8"],
}
ALWAYS = {"caer_net_s_full", "afew_caer_net_with_caer", "benet_bu_det_pc_bg_ed"}
SLOW = pytest.mark.skipif(
    not os.environ.get("CAER_SLOW"), reason="minutes: set CAER_SLOW=1 to run every row"
)


def test_every_row_has_a_recipe_and_every_recipe_a_row() -> None:
    assert set(STEMS) == {row.recipe for row in PAPER_ROWS} | {OURS}
    assert set(STEMS) == {*OF_TABLE_3, *FROZEN, *TUNED, *BENET}
    assert len(PAPER_ROWS) == 9 + 7 + 3 + 4 + 5 + 4 + 4 + 1


@pytest.mark.parametrize("row", PAPER_ROWS, ids=lambda row: f"{row.table}: {row.name}")
def test_a_recipe_names_its_published_figures(row) -> None:
    # Table 6's second row has no recipe of its own, Tables 4 of both papers share one.
    text = (PAPER / f"{row.recipe}.yaml").read_text()
    assert f"{row.published:.2f}" in text


@pytest.mark.parametrize("stem", sorted({*OF_TABLE_3, *FROZEN, *TUNED}))
def test_section_5_1(stem: str) -> None:
    recipe = load_supervised(PAPER / f"{stem}.yaml")
    rates = [recipe.schedule.rate(epoch * 10, 10, recipe.epochs) for epoch in range(9)]
    falling = [5e-3] * 4 + [5e-4] * 4 + [5e-5]
    assert rates == pytest.approx([1e-4] * 9 if stem in TUNED else falling, rel=1e-9)
    assert recipe.batch == 32
    assert recipe.network["dropout"] == 0.5
    # Plain cross-entropy, and nothing that is not in the paper.
    assert (recipe.label_smoothing, recipe.average, recipe.judges) == (0.0, 0.0, False)
    assert (recipe.augment.flip, recipe.augment.face_dropout) == (0.5, 0.0)
    assert recipe.augment.together
    assert recipe.augment.face.contrast > 0
    assert recipe.augment.face.colour > 0
    assert (recipe.data.jitter, recipe.data.hide_faces, recipe.clip_gradient) == (0.0, None, 0.0)


@pytest.mark.parametrize("stem", sorted(OF_TABLE_3))
def test_rows_of_table_3(stem: str) -> None:
    recipe = load_supervised(PAPER / f"{stem}.yaml")
    network = build_network(**recipe.network)
    literal = {"pooling": "mean", "attention_logits": "relu", "fusion_relu": False}
    wanted = build_network(recipe.network["name"], **literal, **TABLE_3[OF_TABLE_3[stem]])
    assert asdict(network.config) == asdict(wanted.config)
    static = stem.startswith("caer_net_s_")
    assert network.dims == (2 if static else 3)
    cut = cut_for(network, recipe.data)
    assert (cut.face, cut.context, cut.cropped) == ((96, 224, False) if static else (96, 112, True))
    folder = "AFEW" if stem in ("afew_caer_net_f", "afew_caer_net_full") else "CAER"
    assert recipe.data.folder == Path("data") / ("CAER-S" if static else folder)
    assert recipe.initial is None


@pytest.mark.parametrize("stem", sorted(FROZEN | TUNED))
def test_rows_of_tables_4_and_5(stem: str) -> None:
    recipe = load_supervised(PAPER / f"{stem}.yaml")
    name = stem.split("_")[0]
    assert recipe.network == {"name": name, "dropout": 0.5, "frozen": stem in FROZEN}
    assert recipe.initial == Path("weights") / f"{name}.pth"
    assert recipe.data.folder == Path("data") / ("CAER" if name == "c3d" else "CAER-S")


@pytest.mark.parametrize("stem", sorted(BENET))
def test_rows_of_benet(stem: str) -> None:
    recipe = load_benet_recipe(PAPER / f"{stem}.yaml")
    row = BENET[stem]
    assert recipe.row == row
    config, mix = recipe.config, recipe.samples.mix
    assert (config.detection, config.person, config.background) == (
        "Det" in row,
        "PC" in row,
        "BG" in row,
    )
    # As published: Table 1's networks know no switch of ours.
    assert (config.backbone, config.stem, config.form.width) == ("benet", "strided", 32)
    assert (config.form.attention, config.fusion, config.vad) == (True, "none", False)
    assert (config.heat_bias, config.dropout, recipe.average) == (0.0, 0.0, 0.0)
    views = {"BU": (0, 0, 1, 0), "BU+Det": (0, 0, 1 / 2, 1 / 2)}
    views["BU+Det+PC"] = (1 / 3, 0, 1 / 3, 1 / 3)
    assert (mix.extract, mix.mask_all, mix.random_mask, mix.raw) == pytest.approx(
        views.get(row, (1 / 4, 1 / 4, 1 / 4, 1 / 4))
    )
    assert (recipe.epochs, recipe.batch, recipe.select) == (250, 24, "loss")
    assert {recipe.schedule.rate(step, 10, 250) for step in (0, 999, 2499)} == {1e-3}
    assert (recipe.optimizer.name, recipe.optimizer.weight_decay) == ("adam", 0.0)
    assert (recipe.loss.centre, recipe.loss.size) == (1.0, 0.1)
    assert recipe.samples.size == 512
    assert recipe.initial == Path("weights/pose_higher_hrnet_w32_512.pth")
    heco = Path("data/HECO") if row.endswith("ED") else None
    assert (recipe.data.folder, recipe.data.heco) == (Path("data/emotic"), heco)


def test_weights_that_are_not_there_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    for stem in ("alexnet_tuned", "benet_bu"):
        assert main(["train", str(PAPER / f"{stem}.yaml"), "--out", "run"]) == 2
        assert "Weights weights/" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_page_names_recipes_that_exist() -> None:
    page = (PAPER.parents[1] / "docs" / "reproduce.md").read_text()
    named = re.findall(r"recipes/paper/(\w+)\.yaml", page)
    assert len(named) >= 3
    assert set(named) <= set(STEMS)
    assert all(f"{row.published:.2f}" in page for row in PAPER_ROWS if "CAER-Net" in row.table)


def test_tables_show_what_was_judged_beside_what_is_published(tmp_path: Path) -> None:
    row = next(row for row in PAPER_ROWS if row.recipe == "caer_net_f")
    (tmp_path / row.judged).mkdir()
    found = {"accuracy": 0.5, "balanced_accuracy": 0.25}
    (tmp_path / row.judged / "evaluation.json").write_text(json.dumps(found))
    text = SCRIPT["table_text"]("CAER-Net, Table 3", tmp_path)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["CAER-Net, F", "74.13", "50.00", "25.00"] in cells
    assert ["CAER-Net, C + cA", "71.94", "–", "–"] in cells
    assert len(SCRIPT["tables"]()) == 8


# --- every row runs ---


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`archive(*names)`: a folder with drawn copies of these archives below data/."""
    root = tmp_path_factory.mktemp("paper")

    def make(*names: str) -> Path:
        for name in names:
            if not (root / "data" / name).exists():
                write_archive(root / "data" / name, name, Copy(COUNTS, controls=LOOKS))
        return root

    return make


def _rows() -> list:
    """Each evaluation once, the cheap ones for every run of the tests."""
    rows = {row.judged: row for row in PAPER_ROWS}
    return [
        pytest.param(row, marks=() if row.recipe in ALWAYS and row.checkpoint == "best" else SLOW)
        for row in rows.values()
        # Judged together with the run of Table 3, see below.
        if not (row.recipe == "caer_net_full" and row.data == "AFEW")
    ]


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.judged)
def test_a_row_trains_and_is_judged(row, archive, monkeypatch: pytest.MonkeyPatch) -> None:
    path = PAPER / f"{row.recipe}.yaml"
    raw = read_mapping(path, "")
    network, folders = raw["network"]["name"], _folders(raw["data"])
    monkeypatch.chdir(archive(*folders, row.data))
    if "initial" in raw:
        _write_weights(network, Path(raw["initial"]))
    run = Path("runs") / row.recipe
    if not (run / "metrics.json").is_file():
        settings = [*SMALL, *SIZES.get(network, ["batch=7", "data.context_size=64"])]
        assert main(["train", str(path), "--set", *settings]) == 0
    told = _judge(run / f"{row.checkpoint}.safetensors", row.data, row.split, row.judged)
    if is_benet(path):
        assert told["images"] == COUNTS["test"]
        assert 0 < told["emotions"]["mean"] <= 100
        assert ("person_legacy" in told) == ("joint" in told) == ("Det" in BENET[row.recipe])
        assert ("refined" in told) == ("PC" in BENET[row.recipe])
    else:
        assert told["samples"] == COUNTS[row.split]
        assert told["left_out"] == 0
    text = SCRIPT["table_text"](row.table, Path("judged")).splitlines()
    ours = next(line for line in text if line.startswith(f"| {row.name} "))
    assert SCRIPT["NOTHING"] not in ours
    if row.recipe == "caer_net_full":
        monkeypatch.chdir(archive("AFEW"))
        best = run / "best.safetensors"
        assert _judge(best, "AFEW", "validation", "on_afew")["samples"] == COUNTS["validation"]


@SLOW
@pytest.mark.usefixtures("one_thread")
def test_a_split_by_clip(archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(archive("CAER-S"))
    lists = "data/CAER-S-by-clip"
    assert main(["data", "check", "data/CAER-S", "--write-split", lists]) == 0
    path = str(PAPER / f"{OURS}.yaml")
    assert main(["train", path, "--set", *SMALL, *SIZES["caer_net_s"]]) == 0
    # By the recipe, whose lists count; by the folder alone they would not.
    told = _judge(Path("runs") / OURS / "best.safetensors", path, "test", OURS)
    assert told["samples"] == len(Path(lists, "test.csv").read_text().splitlines())


@SLOW
@pytest.mark.usefixtures("one_thread")
def test_faces_of_sfew(archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(archive("SFEW"))
    settings = ["data.folder=data/SFEW", *SMALL, *SIZES["caer_net_s"]]
    out = ["--out", "runs/sfew"]
    assert main(["train", str(PAPER / "caer_net_s_f.yaml"), *out, "--set", *settings]) == 0
    told = _judge(Path("runs/sfew/last.safetensors"), "SFEW", "validation", "sfew")
    assert told["samples"] == COUNTS["validation"]


def _folders(data: dict) -> list[str]:
    named = [data["folder"], data.get("heco"), *data.get("also", [])]
    return [Path(each).name for each in named if each]


def _judge(checkpoint: Path, data: str, split: str, name: str) -> dict:
    """What `caer evaluate` says; `data` is an archive's name or a recipe."""
    where = data if data.endswith(".yaml") else f"data/{data}"
    arguments = ["evaluate", str(checkpoint), "--data", where, "--split", split]
    if data == "emotic":
        arguments += ["--protocol", "published", "--pictures", "1"]
        config = json.loads(checkpoint.with_suffix(".json").read_text())["extra"]["recipe"]
        arguments += ["--heads"] if "PC" in config["row"] else []
    assert main([*arguments, "--out", f"judged/{name}"]) == 0
    return json.loads(Path("judged", name, "evaluation.json").read_text())


def _write_weights(network: str, path: Path) -> None:
    """Random weights with the names of the published ones, where the recipe looks for them."""
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    built = build_network(network, **({"width": 8} if network == "benet" else {}))
    part = built.backbone if network == "benet" else built.extractor
    torch.save(part.state_dict(), path)
