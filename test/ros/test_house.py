"""What the robot side must not cost, and what an installation must contain."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

_IMPORT = """
import json, resource, sys
import caer_ros.ros.node
used = resource.getrusage(resource.RUSAGE_SELF)
heavy = [m for m in ("torch", "onnx", "sklearn", "lightning_fabric") if m in sys.modules]
print(json.dumps({"heavy": heavy, "seconds": used.ru_utime + used.ru_stime}))
"""

_SETUP = """
import json, setuptools
from unittest.mock import patch
kept = {}
with patch.object(setuptools, "setup", lambda **given: kept.update(given)):
    exec(compile(open("setup.py").read(), "setup.py", "exec"))
print(json.dumps({k: kept[k] for k in ("data_files", "entry_points", "packages", "name")}))
"""


def test_the_node_imports_no_torch_and_is_quick():
    runs = [
        json.loads(subprocess.check_output([sys.executable, "-c", _IMPORT], text=True))
        for _ in range(3)
    ]
    assert runs[0]["heavy"] == []
    # Processor time, not the clock: other tests may share the machine.
    assert min(run["seconds"] for run in runs) < 1.0


def test_memory_of_a_working_node_stays_in_bounds(stage, astronaut):
    node = stage.active_node()
    for _ in range(5):
        assert stage.probe.ask(astronaut) is not None
    settled = node.memory_mb()
    for _ in range(40):
        stage.probe.send(astronaut)
        stage.probe.spin(0.03)
    assert settled < 400
    assert node.memory_mb() < settled + 30


@pytest.fixture(scope="module")
def installation(root: Path) -> dict:
    """What setup.py hands to setuptools."""
    text = subprocess.check_output([sys.executable, "-c", _SETUP], cwd=root, text=True)
    return json.loads(text)


def test_share_gets_everything_that_ros_looks_for(installation, root):
    files = {name for _, names in installation["data_files"] for name in names}
    places = {where for where, _ in installation["data_files"]}
    assert {
        "package.xml",
        "resource/caer_ros",
        "launch/emotion.launch.py",
        "config/emotion.yaml",
        "config/fastdds_shm.xml",
        "rviz/emotion.rviz",
    } <= files
    assert {"share/caer_ros/launch", "share/caer_ros/config", "share/caer_ros/rviz"} <= places
    bundles = [p.relative_to(root) for p in (root / "models").glob("*/*") if p.is_file()]
    assert {str(path) for path in bundles} <= files


def test_every_command_exists_and_every_room_is_packed(installation, root):
    commands = [text.split(" = ") for text in installation["entry_points"]["console_scripts"]]
    assert {name for name, _ in commands} == {"caer", "emotion_node", "image_player"}
    for _, target in commands:
        module, function = target.split(":")
        assert callable(getattr(importlib.import_module(module), function))
    rooms = {path.parent.name for path in (root / "caer_ros").glob("*/__init__.py")}
    assert {f"caer_ros.{room}" for room in rooms} <= set(installation["packages"])


def test_colcon_still_reads_setup_py(root):
    """With a [project] table in pyproject.toml, colcon installs no executables."""
    lines = (root / "pyproject.toml").read_text().splitlines()
    assert "[project]" not in lines
