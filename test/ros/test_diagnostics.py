"""What /diagnostics says, and how bad it says it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from caer_ros.ros.counts import Counts
from caer_ros.ros.diagnostics import CameraHealth, Health, Thresholds, statuses

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
ABOUT = {
    "model": "caer_net_s 1",
    "precision": "int8",
    "backend": "openvino (CPU)",
    "demonstration": "no",
}
CAMERA = CameraHealth(
    topic="/camera",
    input_rate=30.0,
    output_rate=12.0,
    counts=Counts(received=11, processed=4, dropped=6, waiting=1),
    latency=(0.08, 0.12),
)
HEALTHY = Health(
    "active",
    cameras=(CAMERA,),
    stages={"detect": (0.06, 0.07)},
    about=ABOUT,
    machine={"CPU [°C]": 50.0, "memory of this process [MB]": 312.6, "GPU": "a GPU"},
)


def parts(health: Health) -> dict[str, DiagnosticStatus]:
    made = statuses("emotion_node", health)
    assert all(status.hardware_id for status in made)
    assert all(isinstance(pair.value, str) for status in made for pair in status.values)
    assert len({status.name for status in made}) == len(made)
    return {status.name: status for status in made}


def part(name: str, health: Health) -> DiagnosticStatus:
    return parts(health)[f"emotion_node: {name}"]


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def camera(health: Health = HEALTHY, **changes: object) -> Health:
    """This health with its one camera changed."""
    return replace(health, cameras=(replace(health.cameras[0], **changes),))


def test_a_healthy_node():
    made = parts(HEALTHY)
    assert [name.removeprefix("emotion_node: ") for name in made] == [
        "input",
        "frames",
        "latency",
        "model",
        "machine",
    ]
    assert {status.level for status in made.values()} == {OK}
    latency = values(made["emotion_node: latency"])
    assert latency["camera to publish p95 [ms]"] == "120.0"
    assert latency["detect p50 [ms]"] == "60.0"
    frames = values(made["emotion_node: frames"])
    shown = [frames[key] for key in ("in", "out", "dropped", "failed", "waiting")]
    assert shown == ["11", "4", "6", "0", "1"]
    model = made["emotion_node: model"]
    assert all(text in model.message for text in ("caer_net_s 1", "int8", "openvino (CPU)"))
    assert values(made["emotion_node: machine"]) == {
        "CPU [°C]": "50.0",
        "memory of this process [MB]": "312.6",
        "GPU": "a GPU",
    }


def test_an_unconfigured_node_has_all_parts_and_says_why():
    made = parts(Health("unconfigured", "no model"))
    assert len(made) == 5
    assert made["emotion_node: model"].level == ERROR
    assert "no model" in made["emotion_node: model"].message
    assert part("model", Health("unconfigured")).level == OK
    assert part("input", Health("unconfigured")).message.endswith("unconfigured")


def test_every_camera_has_parts_of_its_own():
    rear = replace(CAMERA, name="rear", silent_for=3.0, silence="nobody publishes /rear")
    made = parts(replace(HEALTHY, cameras=(replace(CAMERA, name="front"), rear)))
    assert made["emotion_node: input front"].level == OK
    assert made["emotion_node: input rear"].level == WARN
    assert {"emotion_node: frames rear", "emotion_node: latency front"} < made.keys()
    assert len(made) == 8


@pytest.mark.parametrize(
    ("state", "silent_for", "level"),
    [("active", 1.9, OK), ("active", 2.1, WARN), ("active", 10.1, ERROR), ("inactive", 99.0, OK)],
)
def test_a_silent_camera(state, silent_for, level):
    health = camera(replace(HEALTHY, state=state), silent_for=silent_for, silence="it is off")
    status = part("input", health)
    assert status.level == level
    assert ("it is off" in status.message) == (level != OK)


@pytest.mark.parametrize(("in_a_row", "level"), [(0, OK), (1, WARN), (3, ERROR)])
def test_failing_frames(in_a_row, level):
    counts = Counts(failed=5, failed_in_a_row=in_a_row, last_error="bad encoding")
    status = part("frames", camera(counts=counts))
    assert status.level == level
    assert ("bad encoding" in status.message) == (in_a_row > 0)


@pytest.mark.parametrize(
    ("state", "least", "level"),
    [("active", 0.0, OK), ("active", 12.0, OK), ("active", 15.0, WARN), ("inactive", 15.0, OK)],
)
def test_too_few_frames(state, least, level):
    limits = Thresholds(min_rate_hz=least)
    status = part("frames", replace(HEALTHY, state=state, thresholds=limits))
    assert status.level == level
    assert ("15" in status.message) == (level != OK)


def test_of_two_complaints_the_worse_counts_and_both_are_said():
    counts = Counts(failed=3, failed_in_a_row=3, last_error="bad encoding")
    health = camera(replace(HEALTHY, thresholds=Thresholds(min_rate_hz=15.0)), counts=counts)
    status = part("frames", health)
    assert status.level == ERROR
    assert "bad encoding" in status.message
    assert "min_rate_hz" in status.message


@pytest.mark.parametrize(
    ("latency", "level", "text"),
    [
        ((0.1, 0.4), OK, "400.0 ms"),
        ((0.1, 0.6), WARN, "latency_warn_s = 0.5"),
        ((1.0, 2.5), ERROR, "latency_error_s = 2"),
        ((-0.05, 0.1), OK, ""),
        ((-9.0, -8.0), WARN, "9.0 s ahead"),
        ((1.7e9, 1.7e9), WARN, "use_sim_time"),
    ],
    ids=["fast", "slow", "very slow", "jitter", "clock ahead", "other clock"],
)
def test_latency(latency, level, text):
    status = part("latency", camera(latency=latency))
    assert status.level == level
    assert text in status.message


def test_an_error_below_the_warning_is_an_error():
    limits = Thresholds(latency_warn_s=9.0, latency_error_s=0.1, temperature_error_c=40.0)
    made = parts(replace(HEALTHY, thresholds=limits))
    assert made["emotion_node: latency"].level == ERROR
    assert made["emotion_node: machine"].level == ERROR


def test_nothing_measured_is_no_fault():
    status = part("latency", camera(latency=CameraHealth().latency))
    assert status.level == OK
    assert values(status)["camera to publish p50 [ms]"] == ""


def test_a_demonstration_is_told():
    health = replace(HEALTHY, about={**ABOUT, "demonstration": "yes"}, notice="drawn faces only")
    status = part("model", health)
    assert status.level == WARN
    assert "demonstration" in status.message
    assert values(status)["notice"] == "drawn faces only"


def test_a_change_of_models():
    changing = part("model", replace(HEALTHY, building="precision fp16"))
    assert changing.level == OK
    assert "precision fp16" in changing.message
    assert "caer_net_s 1" in changing.message
    failed = part("model", replace(HEALTHY, swap_error="no such model"))
    assert failed.level == WARN
    assert "no such model" in failed.message


def test_a_hung_engine_is_an_error_until_a_frame_goes_through():
    hung = replace(HEALTHY, hung=2)
    still = part("model", camera(hung, counts=Counts(failed=1, failed_in_a_row=1, hangs=True)))
    assert still.level == ERROR
    assert "2 times" in still.message
    again = part("model", hung)
    assert again.level == WARN
    assert "2 times" in again.message
    assert values(again)["engine given up, times"] == "2"


@pytest.mark.parametrize(
    ("degrees", "level", "text"),
    [
        ({"CPU [°C]": 84.0}, OK, "84 °C"),
        ({"CPU [°C]": 60.0, "GPU [°C]": 86.0}, WARN, "GPU 86 °C, more than temperature_warn_c"),
        ({"CPU [°C]": 96.0, "GPU [°C]": 86.0}, ERROR, "CPU 96 °C, more than temperature_error_c"),
        ({"memory [MB]": 4000.0}, OK, "no temperature"),
    ],
)
def test_temperatures(degrees, level, text):
    status = part("machine", replace(HEALTHY, machine=degrees))
    assert status.level == level
    assert text in status.message
