"""The launch file: read as text always, run where ROS's launch is installed (not on PyPI)."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from caer_ros.ros.parameters import BY_NAME


@pytest.fixture
def path(root: Path) -> Path:
    return root / "launch" / "emotion.launch.py"


def calls(tree: ast.AST, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name
    ]


def constant(tree: ast.Module, name: str) -> tuple[str, ...]:
    """The value of a top-level tuple of texts."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{name} is not in the launch file")


def test_every_argument_is_described_and_every_parameter_exists(path):
    tree = ast.parse(path.read_text())
    declared = {}
    for call in calls(tree, "DeclareLaunchArgument"):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        declared[ast.literal_eval(call.args[0])] = ast.literal_eval(keywords["description"])
        assert "default_value" in keywords
    assert {"namespace", "name", "params_file", "log_level", "rviz"} <= set(declared)
    assert all(len(text) > 15 for text in declared.values()), declared
    set_by_launch = {*constant(tree, "TEXTS"), *constant(tree, "SWITCHES")}
    assert set_by_launch <= set(declared)
    assert set_by_launch - {"use_sim_time"} <= set(BY_NAME)
    used = {ast.literal_eval(c.args[0]) for c in calls(tree, "LaunchConfiguration") if is_text(c)}
    assert used <= set(declared)


def is_text(call: ast.Call) -> bool:
    return isinstance(call.args[0], ast.Constant)


def test_arguments_are_declared_at_the_top_level(path):
    """`ros2 launch --show-args` does not see what an OpaqueFunction declares."""
    tree = ast.parse(path.read_text())
    inside = [f for f in tree.body if isinstance(f, ast.FunctionDef)]
    assert not [call for function in inside for call in calls(function, "DeclareLaunchArgument")]
    assert "[*ARGUMENTS," in path.read_text()


def test_overrides(path):
    """The one piece of logic in the file, taken out of it, so that it needs no launch."""
    tree = ast.parse(path.read_text())
    wanted = [
        node
        for node in tree.body
        if getattr(node, "name", "") == "overrides"
        or (
            isinstance(node, ast.Assign)
            and node.targets[0].id in ("TEXTS", "SWITCHES", "FROM_FILE")
        )
    ]
    scope: dict[str, object] = {}
    exec(compile(ast.Module(wanted, []), str(path), "exec"), scope)
    given = dict.fromkeys(scope["TEXTS"], "") | dict.fromkeys(scope["SWITCHES"], "false")
    assert scope["overrides"](given) == {"autostart": False, "use_sim_time": False}
    given |= {"model": "7", "autostart": "true"}
    expected = {"model": "7", "autostart": True, "use_sim_time": False}
    assert scope["overrides"](given) == expected


def name_of(node: ast.stmt) -> str:
    """What a top-level statement defines."""
    if isinstance(node, ast.Assign):
        return getattr(node.targets[0], "id", "")
    return getattr(node, "name", "")


def test_the_real_launch_reads_it(path):
    pytest.importorskip("launch_ros", reason="ROS's launch is not installed here")
    spec = importlib.util.spec_from_file_location("emotion_launch", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    description = module.generate_launch_description()
    names = {argument.name for argument in description.get_launch_arguments()}
    assert {"image_topic", "model", "precision", "backend", "autostart"} <= names
