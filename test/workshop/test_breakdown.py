"""Scores by face size, pose and skin tone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from caer_ros.cli.main import main
from caer_ros.core import InputError
from caer_ros.datasets.samples import Sample
from caer_ros.datasets.scenes import SceneControls
from caer_ros.datasets.scenes.folders import SceneSet, write_scenes
from caer_ros.evaluation.breakdown import AXES, break_down, breakdown_dict, breakdown_text
from caer_ros.evaluation.sample_facts import in_order, numbers_of, people_of, read_sample_facts
from caer_ros.evaluation.scores import expected_calibration_error

NAMES = [f"test/Happy/{i:04d}.png" for i in range(400)]


@pytest.fixture(scope="module")
def guesses() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, labels and sizes of faces of 400 people; the last class never occurs."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, 400)
    exp = np.exp(rng.normal(size=(400, 7)) + 1.5 * np.eye(7)[labels])
    return exp / exp.sum(axis=1, keepdims=True), labels, rng.uniform(10, 300, 400)


def test_groups_by_hand() -> None:
    # Edges belong to the group above; both directions of a turn are one; -90 is dark.
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.9, 0.1]])
    labels, sizes = np.array([0, 1, 1, 0]), np.array([23.9, 24, 31.9, 192])
    facts = {
        "a": {"yaw": -20, "ita": -90.0},
        "b": {"yaw": 20.0, "ita": 55},
        "c": {"yaw": None, "ita": True},
    }
    found = break_down(probabilities, labels, sizes, facts, ["a", "b", "c", "d"])
    assert [(g.name, g.samples) for g in found["face_size"]] == [
        ("under 24 px", 1),
        ("24 to 32 px", 2),
        ("192 px and more", 1),
    ]
    second = found["face_size"][1]
    assert (second.accuracy, second.balanced_accuracy) == (0.5, 0.5)
    # .6 and wrong, .7 and right, in bins of their own: (.6 + .3) / 2.
    assert second.calibration_error == pytest.approx(0.45)
    (turned,) = found["yaw"]
    assert (turned.name, turned.samples) == ("15 to 30 °", 2)
    assert [(g.name, g.samples) for g in found["skin_tone"]] == [("dark", 1), ("very light", 1)]
    assert "pitch" not in found
    assert list(found) == [key for key in AXES if key in found]


def test_scikit_learn_agrees(guesses: tuple) -> None:
    probabilities, labels, sizes = guesses
    groups = break_down(probabilities, labels, sizes, {}, NAMES)["face_size"]
    assert sum(group.samples for group in groups) == 400
    inside = (sizes >= 96) & (sizes < 128)
    group = next(group for group in groups if group.name == "96 to 128 px")
    top = probabilities[inside].argmax(axis=1)
    assert group.samples == inside.sum()
    assert group.accuracy == pytest.approx(accuracy_score(labels[inside], top))
    occurring = np.unique(labels[inside])
    recall = recall_score(labels[inside], top, labels=occurring, average="macro")
    assert group.balanced_accuracy == pytest.approx(recall)
    error = expected_calibration_error(probabilities[inside], labels[inside])
    assert group.calibration_error == error


def test_text_and_json(guesses: tuple) -> None:
    probabilities, labels, sizes = guesses
    facts = {name: {"pitch": 3.0 * place - 600} for place, name in enumerate(NAMES)}
    found = break_down(probabilities, labels, sizes, facts, NAMES)
    text = breakdown_text(found)
    for group in (*found["face_size"], *found["pitch"]):
        (line,) = [x for x in text.splitlines() if x.startswith(f"{group.name} ")]
        assert line.split()[-4:] == [
            str(group.samples),
            f"{group.accuracy:.4f}",
            f"{group.balanced_accuracy:.4f}",
            f"{group.calibration_error:.4f}",
        ]
    again = json.loads(json.dumps(breakdown_dict(found)))
    assert again["pitch"][0]["name"] == "under 15 °"
    assert again["pitch"][0]["samples"] == found["pitch"][0].samples
    assert breakdown_text({}) == ""


def test_a_data_set_without_a_manifest_says_nothing(tmp_path: Path) -> None:
    assert read_sample_facts(tmp_path) == {}
    (tmp_path / "faces.jsonl").write_text('{"file": "a.png", "yaw": 1}\n')
    assert read_sample_facts(tmp_path) == {}
    (tmp_path / "test.jsonl").write_text('{"file": "a.png", "yaw": 1}\n\n[3]\n{"none": 1}\n')
    (tmp_path / "more.jsonl").write_text('{"file": "a.png", "ita": 2}\n')
    assert read_sample_facts(tmp_path) == {"a.png": {"file": "a.png", "yaw": 1, "ita": 2}}
    table = "file,person,yaw,ita,note\na.png,7,-12.5,3,\nb.png,007,,inside,x\n"
    (tmp_path / "people.csv").write_text(table)
    facts = read_sample_facts(tmp_path)
    # Lines come after the table.
    assert facts["a.png"] == {"file": "a.png", "person": 7, "yaw": 1, "ita": 2}
    assert facts["b.png"] == {"file": "b.png", "person": 7, "ita": "inside", "note": "x"}
    np.testing.assert_array_equal(numbers_of(facts, ["b.png", "a.png"], "ita"), [np.nan, 2])
    (tmp_path / "test.jsonl").write_text('{"file": \n')
    with pytest.raises(InputError, match=r"test\.jsonl line 1 is not JSON"):
        read_sample_facts(tmp_path)


def test_people_are_told_apart_by_what_there_is(tmp_path: Path) -> None:
    paths = [tmp_path / "test" / name for name in ("Sad/2.png", "Happy/2.png", "Happy/10.png")]
    samples = [Sample(path, 0) for path in paths]
    facts = {"test/Sad/2.png": {"identity": 7}, "test/Happy/2.png": {"identity": 7}}
    assert people_of(facts, tmp_path, samples) == (["2", "2", "10"], "file number")
    facts["test/Happy/10.png"] = {"identity": "x"}
    assert people_of(facts, tmp_path, samples) == (["7", "7", "x"], "manifest")
    clips = [Sample(path, 0, clip=path.stem * 2) for path in paths]
    assert people_of({}, tmp_path, clips) == (["22", "22", "1010"], "clip")
    assert in_order(["t/B/10", "t/A/9", "t/B/9", "t/A/9"]) == ["t/A/9", "t/B/9", "t/B/10"]


def test_the_command_shows_it(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    bundle = root / "models" / "caer_net_s"
    if not (bundle / "model.yaml").is_file():
        pytest.skip("no bundle")
    folder = tmp_path / "scenes"
    write_scenes(
        folder, SceneSet("caer-s", {"test": 14}, controls=SceneControls(width=160, height=120))
    )
    arguments = ["evaluate", str(bundle), "--data", str(folder)]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["breakdown"].keys() == {"face_size"}
    assert sum(group["samples"] for group in told["breakdown"]["face_size"]) == 14
    rows = [json.loads(line) for line in (folder / "test.jsonl").read_text().splitlines()]
    lines = [json.dumps(row | {"yaw": 5.0, "ita": 45.0}) for row in rows]
    (folder / "test.jsonl").write_text("\n".join(lines) + "\n")
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    (front,) = written["breakdown"]["yaw"]
    assert front == {
        "name": "under 15 °",
        "samples": 14,
        "accuracy": told["accuracy"],
        "balanced_accuracy": told["balanced_accuracy"],
        "calibration_error": pytest.approx(told["calibration_error"]),
    }
    assert [group["name"] for group in written["breakdown"]["skin_tone"]] == ["light"]
    assert "shorter side of the face" in text
    assert "skin tone (ITA)" in text
    assert "head turned up or down" not in text
