"""The node's parts that need no graph: meters, QoS choice, transport warning, diagnostics."""

from __future__ import annotations

import math

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import ReliabilityPolicy

from caer_ros.ros import fastdds
from caer_ros.ros.diagnostics import Health, statuses
from caer_ros.ros.meter import Meter
from caer_ros.ros.qos import input_profile, name_of
from caer_ros.ros.worker import Counts

BEST, RELIABLE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_meter_forgets_and_tells_rates_and_percentiles():
    clock = Clock()
    meter = Meter(window=10.0, clock=clock)
    assert meter.rate() == 0.0
    assert math.isnan(meter.percentile(0.5))
    for value in range(1, 101):
        clock.now += 0.1
        meter.add(value)
    assert meter.rate() == pytest.approx(10.0, abs=0.2)
    assert meter.percentile(0.5) == pytest.approx(50, abs=1)
    assert meter.percentile(0.95) == pytest.approx(95, abs=1)
    assert meter.percentile(0.0) <= 2
    clock.now += 100
    assert meter.rate() == 0.0
    assert math.isnan(meter.percentile(0.95))


def test_a_young_meter_does_not_underrate():
    clock = Clock()
    meter = Meter(window=10.0, clock=clock)
    for _ in range(20):
        clock.now += 0.1
        meter.add()
    assert meter.rate() == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("mode", "offered", "expected"),
    [
        ("auto", [], BEST),
        ("auto", [RELIABLE], RELIABLE),
        ("auto", [RELIABLE, BEST], BEST),
        ("auto", [BEST], BEST),
        ("sensor_data", [RELIABLE], BEST),
        ("reliable", [BEST], RELIABLE),
        ("reliable", [], RELIABLE),
    ],
)
def test_input_qos(mode, offered, expected):
    profile = input_profile(mode, offered)
    assert profile.reliability == expected
    assert profile.depth == 1


def test_policies_are_named_for_people():
    assert name_of(BEST) == "best effort"
    assert name_of(RELIABLE) == "reliable"


@pytest.mark.parametrize(
    ("distribution", "variable"),
    [
        ("humble", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("jazzy", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("kilted", "FASTDDS_DEFAULT_PROFILES_FILE"),
        (None, "FASTDDS_DEFAULT_PROFILES_FILE"),
    ],
)
def test_the_profile_is_set_by_the_name_that_the_distribution_reads(distribution, variable):
    environment = {"ROS_DISTRO": distribution} if distribution else {}
    added = fastdds.profile_environment(environment)
    assert list(added) == [variable]
    assert added[variable].endswith("config/fastdds_shm.xml")
    assert variable in fastdds.warning("rmw_fastrtps_cpp", environment)
    assert fastdds.warning("rmw_fastrtps_cpp", {**environment, **added}) == ""
    assert fastdds.profile_environment({"FASTRTPS_DEFAULT_PROFILES_FILE": "mine.xml"}) == {}


def test_other_middlewares_are_not_warned_of():
    assert fastdds.warning("rmw_cyclonedds_cpp", {}) == ""


def parts(health: Health) -> dict[str, DiagnosticStatus]:
    made = statuses("emotion_node", health)
    assert all(status.hardware_id for status in made)
    assert all(isinstance(pair.value, str) for status in made for pair in status.values)
    return {status.name: status for status in made}


ABOUT = {"model": "caer_net_s 1", "precision": "fp32", "demonstration": "no"}


def test_a_healthy_node():
    health = Health(
        "active",
        topic="/camera",
        input_rate=30.0,
        output_rate=12.0,
        latency=(0.08, 0.12),
        stages={"detect": (0.06, 0.07)},
        counts=Counts(received=10, processed=4, dropped=6),
        about=ABOUT,
    )
    made = parts(health)
    assert {status.level for status in made.values()} == {DiagnosticStatus.OK}
    latency = {pair.key: pair.value for pair in made["emotion_node: latency"].values}
    assert latency["camera to publish p95 [ms]"] == "120.0"
    assert latency["detect p50 [ms]"] == "60.0"
    frames = {pair.key: pair.value for pair in made["emotion_node: frames"].values}
    assert (frames["in"], frames["out"], frames["dropped"]) == ("10", "4", "6")


@pytest.mark.parametrize(
    ("in_a_row", "level"),
    [(0, DiagnosticStatus.OK), (1, DiagnosticStatus.WARN), (3, DiagnosticStatus.ERROR)],
)
def test_failing_frames_raise_the_level(in_a_row, level):
    counts = Counts(failed=5, failed_in_a_row=in_a_row, last_error="bad encoding")
    status = parts(Health("active", counts=counts, about=ABOUT))["emotion_node: frames"]
    assert status.level == level
    assert ("bad encoding" in status.message) == (in_a_row > 0)


def test_silence_a_demonstration_and_trouble_are_told():
    silent = Health("active", silent_for=9.0, stale_after=2.0, silence="nobody publishes /x")
    status = parts(silent)["emotion_node: input"]
    assert status.level == DiagnosticStatus.WARN
    assert "nobody publishes /x" in status.message
    demonstration = parts(Health("active", about={**ABOUT, "demonstration": "yes"}))
    assert demonstration["emotion_node: model"].level == DiagnosticStatus.WARN
    trouble = parts(Health("unconfigured", trouble="no model"))["emotion_node: model"]
    assert trouble.level == DiagnosticStatus.ERROR
    assert "no model" in trouble.message
    waiting = parts(Health("inactive", silent_for=9.0, stale_after=2.0))["emotion_node: input"]
    assert waiting.level == DiagnosticStatus.OK
