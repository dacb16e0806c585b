"""The node's parts that need no graph: meters, QoS choice, transport warning."""

from __future__ import annotations

import math

import pytest
from rclpy.qos import ReliabilityPolicy

from caer_ros.ros import fastdds
from caer_ros.ros.meter import Meter
from caer_ros.ros.qos import input_profile, name_of

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
