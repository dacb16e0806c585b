"""Launch files: their logic always, the files themselves where ROS's launch is (not on PyPI)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from caer_ros.core import InputError
from caer_ros.ros.launching import (
    PARAMETERS,
    node_arguments,
    node_options,
    overrides,
    private_topic,
    shown_camera,
)
from caer_ros.ros.parameter_table import SPECS

BY_NAME = {spec.name: spec for spec in SPECS}
FILES = ("emotion", "demo", "multi_camera")
ARGUMENTS = {argument.name: argument for argument in node_arguments("values.yaml")}
DEFAULTS = {name: argument.default for name, argument in ARGUMENTS.items()}


def test_every_argument_is_described_and_has_a_default():
    assert {"namespace", "name", "params_file", "log_level", "rviz", "use_sim_time"} <= set(
        ARGUMENTS
    )
    for argument in ARGUMENTS.values():
        assert len(argument.description) > 15
        assert argument.default is not None
        assert not argument.choices or argument.default in argument.choices
    assert ARGUMENTS["params_file"].default == "values.yaml"


@pytest.mark.parametrize("name", PARAMETERS)
def test_arguments_that_are_parameters_repeat_the_table(name):
    argument, spec = ARGUMENTS[name], BY_NAME[name]
    assert argument.description.startswith(spec.description)
    assert argument.default == ""
    if spec.choices:
        assert argument.choices == ("", *spec.choices)
    assert bool(argument.choices) == bool(spec.choices or isinstance(spec.default, bool))


def test_what_is_not_given_is_left_to_the_file():
    assert overrides(DEFAULTS) == {"use_sim_time": False}


def test_what_is_given_has_the_parameters_type():
    given = {
        **DEFAULTS,
        "model": "7",
        "threads": "2",
        "max_rate_hz": "5",
        "autostart": "false",
        "use_sim_time": "true",
    }
    assert overrides(given) == {
        "model": "7",
        "threads": 2,
        "max_rate_hz": 5.0,
        "autostart": False,
        "use_sim_time": True,
    }
    assert isinstance(overrides(given)["max_rate_hz"], float)


@pytest.mark.parametrize(
    "text", ["[/a/image, /b/image]", "/a/image,/b/image", "/a/image, /b/image"]
)
def test_several_cameras(text):
    assert overrides({"image_topics": text})["image_topics"] == ["/a/image", "/b/image"]


def test_one_camera_wins_over_several_of_the_file():
    values = overrides({"image_topic": "/a/image"})
    assert (values["image_topic"], values["image_topics"]) == ("/a/image", [""])
    both = overrides({"image_topic": "/a/image", "image_topics": "/b,/c"})
    assert both["image_topics"] == ["/b", "/c"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("max_rate_hz", "fast"), ("threads", "1.5"), ("image_topics", "[a"), ("image_topics", "[]")],
)
def test_nonsense_is_refused_by_name(name, text):
    with pytest.raises(InputError, match=name):
        overrides({name: text})


def test_options_and_names():
    given = {**DEFAULTS, "log_level": "warn"}
    assert node_options(given) == ["--log-level", "warn"]
    assert node_options({**given, "enclave": "/a"})[-2:] == ["--enclave", "/a"]
    assert private_topic(given, "markers") == "/emotion_node/markers"
    assert shown_camera(given) == ""
    assert shown_camera({**given, "image_topics": "/front/image,/rear/image"}) == "front"
    assert shown_camera({"image_topics": "/a/image", "rviz_camera": "rear"}) == "rear"
    given |= {"namespace": "/robot/", "name": "mood"}
    assert private_topic(given, "debug/overlay") == "/robot/mood/debug/overlay"


@pytest.mark.parametrize("name", FILES)
def test_arguments_are_declared_at_the_top_level(root, name):
    """`ros2 launch --show-args` does not see what an OpaqueFunction declares."""
    tree = ast.parse((root / "launch" / f"{name}.launch.py").read_text())
    functions = {f.name: ast.unparse(f) for f in tree.body if isinstance(f, ast.FunctionDef)}
    assert "LaunchDescription([*declare(ARGUMENTS), " in functions["generate_launch_description"]
    assert "declare(" not in functions["start"]
    assert ast.get_docstring(tree)


def test_every_file_is_tested(root):
    assert {path.name for path in (root / "launch").iterdir() if path.is_file()} == {
        f"{name}.launch.py" for name in FILES
    }


# --- with the real launch ---

# Started in place of node, player and RViz: writes down how it was called.
_NOTE = """#!{python}
import sys, yaml
files = [b for a, b in zip(sys.argv, sys.argv[1:]) if a == "--params-file"]
values = yaml.safe_load(open(files[-1])) if files else {{}}
yaml.safe_dump([sys.argv[1:], values], open("{note}", "w"))
"""

_RUN = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
source = PythonLaunchDescriptionSource(sys.argv[1])
service = LaunchService()
given = [tuple(text.split(":=", 1)) for text in sys.argv[2:]]
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given)])
)
sys.exit(service.run())
"""


@pytest.fixture
def launch(root: Path, tmp_path: Path):
    """Runs a launch file with programs that only write down how they were called: gives that."""
    pytest.importorskip("launch_ros", reason="ROS's launch is not installed here")
    for package, programs in (
        ("caer_ros", ("emotion_node", "image_player")),
        ("rviz2", ("rviz2",)),
    ):
        index = tmp_path / "share" / "ament_index" / "resource_index" / "packages" / package
        index.parent.mkdir(parents=True, exist_ok=True)
        index.touch()
        for program in programs:
            path = tmp_path / "lib" / package / program
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_NOTE.format(python=sys.executable, note=tmp_path / f"{program}.yaml"))
            path.chmod(0o755)

    def run(name: str, *given: str) -> dict[str, list]:
        prefixes = [str(tmp_path), os.environ.get("AMENT_PREFIX_PATH", "")]
        environment = {
            **os.environ,
            "AMENT_PREFIX_PATH": os.pathsep.join(prefix for prefix in prefixes if prefix),
            "ROS_LOG_DIR": str(tmp_path / "log"),
        }
        file = str(root / "launch" / f"{name}.launch.py")
        done = subprocess.run(
            [sys.executable, "-c", _RUN, file, *given],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return {path.stem: yaml.safe_load(path.read_text()) for path in tmp_path.glob("*.yaml")}

    return run


def test_the_node_gets_its_arguments(launch):
    called = launch(
        "emotion", "model:=7", "namespace:=/robot", "max_rate_hz:=5", "enclave:=/a", "rviz:=auto"
    )
    arguments, values = called["emotion_node"]
    assert "__ns:=/robot" in arguments
    assert arguments[arguments.index("--enclave") + 1] == "/a"
    assert any(text.endswith("config/emotion.yaml") for text in arguments)
    assert values["/robot/emotion_node"]["ros__parameters"] == {
        "model": "7",
        "max_rate_hz": 5.0,
        "use_sim_time": False,
    }
    shown = "/emotion_node/debug/overlay:=/robot/emotion_node/debug/overlay"
    assert shown in called["rviz2"][0]


def test_the_demo_plays_to_the_node(launch):
    called = launch("demo", "source:=7", "rviz:=false")
    assert set(called) == {"emotion_node", "image_player"}
    played = called["image_player"][1]["/**"]["ros__parameters"]
    assert played == {"source": "7", "image_topic": "camera/image_raw"}
    heard = called["emotion_node"][1]["/emotion_node"]["ros__parameters"]
    assert heard["image_topic"] == "camera/image_raw"


def test_several_cameras_go_to_one_node(launch):
    called = launch(
        "multi_camera",
        "image_topics:=[/front/image, /rear/image]",
        "rviz:=true",
        "rviz_camera:=rear",
    )
    values = called["emotion_node"][1]["/emotion_node"]["ros__parameters"]
    assert values["image_topics"] == ["/front/image", "/rear/image"]
    shown = "/emotion_node/debug/overlay:=/emotion_node/rear/debug/overlay"
    assert shown in called["rviz2"][0]


@pytest.mark.parametrize("name", FILES)
def test_the_real_launch_shows_every_argument(root, name):
    pytest.importorskip("launch_ros", reason="ROS's launch is not installed here")
    sources = pytest.importorskip("launch.launch_description_sources")
    path = root / "launch" / f"{name}.launch.py"
    description = sources.get_launch_description_from_python_launch_file(str(path))
    shown = {argument.name: argument for argument in description.get_launch_arguments()}
    left_out = {"demo": {"image_topics"}, "multi_camera": {"image_topic"}}.get(name, set())
    assert set(ARGUMENTS) - left_out <= set(shown)
    assert all(len(argument.description) > 15 for argument in shown.values())
