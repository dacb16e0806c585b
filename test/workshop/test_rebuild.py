"""scripts/rebuild_caer_net_s.py fits the recipe that it follows, and says what it lacks."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

from caer_ros.training.recipe import load_recipe

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "rebuild_caer_net_s.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rebuild", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_makes_the_folders_that_the_recipe_names(script: ModuleType) -> None:
    data = load_recipe(ROOT / "recipes" / "caer_net_s_demo.yaml").data
    assert [path.name for path in data.renders] == list(script.RENDERS)
    assert {path.name for path in data.faces} == set(script.WARPS)


def test_nobody_who_was_trained_on_measures(script: ModuleType) -> None:
    data = load_recipe(ROOT / "recipes" / "caer_net_s_demo.yaml").data
    never = (*data.validation, *data.held_out)
    assert all(source in never for source in script.HELD_OUT)
    assert not any(fnmatch("classroom", source) for source in never)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    words = [sys.executable, str(SCRIPT), str(tmp_path), "--work", str(tmp_path / "work")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert "yunet.onnx, people, portraits" in done.stderr
    assert "films" not in done.stderr
    assert "models/caer_net_s/README.md" in done.stderr
    assert not (tmp_path / "work").exists()


def test_a_step_is_done_once_and_half_of_one_is_removed(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    monkeypatch.setattr(script, "caer", lambda *words, cwd: called.append(words))
    half = tmp_path / "half"
    half.mkdir()
    script.once(half / "done", half, ("data", "faces"))
    assert called == [("data", "faces")]
    assert not half.exists()
    half.mkdir()
    (half / "done").touch()
    script.once(half / "done", half, ("data", "faces"))
    assert len(called) == 1
