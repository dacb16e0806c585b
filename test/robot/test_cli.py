"""`caer run` and `caer models` as a person calls them."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator

import cv2
import pytest

from caer_ros.cli.main import COMMANDS, build_parser, main


def test_run_prints_a_line_a_person_and_draws(photos, tmp_path, capsys):
    out = tmp_path / "o.png"
    assert main(["run", str(photos / "astronaut.png"), "--overlay", str(out)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("astronaut.png: person 1 at (")
    assert cv2.imread(str(out)).shape == (512, 512, 3)


def test_run_prints_json_that_holds_everything(photos, capsys):
    assert main(["run", str(photos), "--json", "--backend", "onnxruntime"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["frame"] for row in rows] == ["astronaut.png", "grace_hopper.jpg"]
    for row in rows:
        (person,) = row["people"]
        assert set(person["face"]) == {"x1", "y1", "x2", "y2", "score"}
        (estimate,) = person["estimates"]
        assert sum(estimate["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert estimate["valence"] is None
        assert row["timings_ms"]["total"] > 0


def test_run_makes_a_video_of_a_video(photos, tmp_path, capsys):
    from itertools import islice

    from caer_ros.perception.sources import open_moving
    from caer_ros.perception.writer import VideoWriter

    with VideoWriter(tmp_path / "in.mp4", 15) as writer:
        for frame in islice(open_moving("photos", 320, 240), 6):
            writer.write(frame.image)
    out = tmp_path / "out.mp4"
    assert main(["run", str(tmp_path / "in.mp4"), "--overlay", str(out), "--frames", "4"]) == 0
    assert int(cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FRAME_COUNT)) == 4
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_an_empty_scene_says_so(tmp_path, capsys, photos):
    import numpy as np

    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 300, 3), 99, np.uint8))
    assert main(["run", str(tmp_path / "wall.png")]) == 0
    assert capsys.readouterr().out == "wall.png: nobody\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "nothere.png"], "nothere.png does not exist"),
        (["run", ".", "--threads", "-3"], "threads is -3"),
        (["run", "PHOTO", "--model", "nothere"], "No model 'nothere'"),
        (["run", "PHOTO", "--overlay", "a.xyz"], "no image format ends in '.xyz'"),
        (["models", "verify", "nothere"], "No model 'nothere'"),
        (["models", "install", "nothere"], "can not be installed"),
        (["models", "install", "yunet"], "--file"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(photos, arguments, complaint, capsys):
    arguments = [str(photos / "astronaut.png") if a == "PHOTO" else a for a in arguments]
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert "Traceback" not in captured.err


def test_models_lists_and_verifies(photos, capsys):
    assert main(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["caer_net_s"]["task"] == "caer_static"
    assert rows["centerface"]["license"] == "MIT"
    assert main(["models", "list"]) == 0
    assert "caer_net_s" in capsys.readouterr().out
    assert main(["models", "verify", "caer_net_s"]) == 0
    assert "int8_onnxruntime: " in capsys.readouterr().out


@pytest.mark.parametrize("command", [[], *[[name] for name in COMMANDS]])
def test_help_teaches(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 200


def test_the_installed_command_ends_with_the_same_codes(photos):
    command = [sys.executable, "-m", "caer_ros.cli.main", "run", "nothere.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_options_may_be_repeated():
    """`--set a=1 --set b=2` means both: an option that begins empty never loses what came first."""
    looked_at = []
    for command, parser in every_parser(build_parser()):
        for action in parser._actions:
            several = action.option_strings and action.nargs in ("+", "*")
            if several and action.default in ([], None):
                looked_at.append(action.option_strings[-1])
                replaces = isinstance(action, argparse._StoreAction)
                assert not replaces, f"{command} {action.option_strings[-1]}"
    assert {"--set", "--hold-out", "--keep", "--data"} <= set(looked_at)


def every_parser(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield parser.prog, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from every_parser(below)
