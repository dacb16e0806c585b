"""The scripts that rebuild a bundle fit the recipes that they follow, and say what they lack."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

from caer_ros.training.benet.recipe import load_benet_recipe
from caer_ros.training.recipe import load_recipe

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
SCRIPT, BENET = SCRIPTS / "rebuild_caer_net_s.py", SCRIPTS / "rebuild_benet.py"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return load(SCRIPT)


@pytest.fixture
def benet(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return load(BENET)


def test_it_makes_the_folders_that_the_recipe_names(script: ModuleType) -> None:
    data = load_recipe(ROOT / "recipes" / "caer_net_s_demo.yaml").data
    assert [path.name for path in data.renders] == list(script.RENDERS)
    assert {path.name for path in data.faces} == set(script.WARPS)


def test_nobody_who_was_trained_on_measures(script: ModuleType) -> None:
    data = load_recipe(ROOT / "recipes" / "caer_net_s_demo.yaml").data
    never = (*data.validation, *data.held_out)
    assert all(source in never for source in script.HELD_OUT)
    assert not any(fnmatch("classroom", source) for source in never)


@pytest.mark.parametrize(
    ("path", "missing"),
    [(SCRIPT, "yunet.onnx, people, portraits"), (BENET, "movenet_multipose.onnx, people")],
)
def test_what_is_missing_is_named(path: Path, missing: str, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    words = [sys.executable, str(path), str(tmp_path), "--work", str(tmp_path / "work")]
    words += ["--bundle", str(tmp_path / "bundle")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert missing in done.stderr
    assert "films" not in done.stderr
    page = done.stderr.split("See ")[1].strip().rstrip(".")
    assert (ROOT / page).is_file()
    assert not (tmp_path / "work").exists()


def test_a_step_is_done_once_and_half_of_one_is_removed(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    monkeypatch.setattr("rebuild_steps.caer", lambda *words, cwd: called.append(words))
    half = tmp_path / "half"
    half.mkdir()
    script.once(half / "done", half, ("data", "faces"))
    assert called == [("data", "faces")]
    assert not half.exists()
    half.mkdir()
    (half / "done").touch()
    script.once(half / "done", half, ("data", "faces"))
    assert len(called) == 1


@pytest.mark.parametrize(("seed", "told"), [(None, ()), ("2", ("--seed", "2"))])
def test_training_takes_the_recipes_seed_or_another(
    seed: str | None,
    told: tuple[str, ...],
    script: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = []
    monkeypatch.setattr("rebuild_steps.caer", lambda *words, cwd: called.append((words, cwd)))
    run = script.train(Path("some.yaml"), tmp_path, seed)
    assert run == tmp_path / "runs" / "some"
    words = ("train", Path("some.yaml"), "--out", run, "--resume", *told)
    assert called == [(words, tmp_path)]


def test_benets_steps_follow_its_recipe(
    benet: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, ...]] = []

    def note(*words: object, cwd: Path = ROOT) -> None:
        called.append(tuple(map(str, words)))

    monkeypatch.setattr(benet, "caer", note)
    monkeypatch.setattr("rebuild_steps.caer", note)
    recipe = load_benet_recipe(ROOT / "recipes" / "benet_demo.yaml")
    benet.make_data(tmp_path, tmp_path / "data", "1")
    best = benet.train_both(tmp_path, ROOT / "recipes" / "benet_demo.yaml", None)
    made = {Path(words[words.index("--out") + 1]).name for words in called if words[0] == "data"
            and "--out" in words}  # fmt: skip
    assert {"found"} == made == {path.name for path in recipe.data.also}
    assert str(tmp_path / recipe.data.folder) in called[0]
    trained = [words for words in called if words[0] == "train"]
    assert [Path(words[1]).name for words in trained] == [
        "benet_demo_backbone.yaml",
        "benet_demo.yaml",
    ]
    first = Path(trained[0][trained[0].index("--out") + 1])
    assert tmp_path / recipe.initial == first / "last.safetensors"
    assert best == tmp_path / "runs" / "benet_demo" / "best.safetensors"


def test_nobody_is_in_two_of_benets_splits(benet: ModuleType) -> None:
    for name in ("congress__450x550__A000014.jpg", "face-demographics-walking.gif"):
        assert any(fnmatch(name, pattern) for pattern in benet.TEST)
        assert not any(fnmatch(name, pattern) for pattern in benet.VALIDATION)
    # CAER-Net-S, whose guesses BENet learns from, did not see them either.
    data = load_recipe(ROOT / "recipes" / "caer_net_s_demo.yaml").data
    assert set(benet.VALIDATION) <= set(data.validation)
    assert {"congress__*__A*", "congress__*__B*"} <= set(data.held_out) & set(benet.TEST)
