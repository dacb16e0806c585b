"""Profiles: written by people, made from bundles, turned into shapes."""

import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.engines.base import TensorSpec
from caer_ros.engines.trt.profile import default_profiles, join_profiles, parse_profile

FACE = TensorSpec(np.dtype(np.uint8), ("people", 96, 96, 3))


def test_a_profile_is_read_and_written_the_same_whatever_its_order():
    profile = parse_profile("width=512:704:1024,height=512")
    assert str(profile) == "height=512,width=512:704:1024"
    assert str(parse_profile(str(profile))) == str(profile)
    assert join_profiles([profile, profile]).split() == [str(profile)] * 2


def test_shapes_take_named_axes_from_the_profile_and_the_rest_from_the_network():
    least, best, most = parse_profile("people=1:4:8").shapes("face", FACE)
    assert (least, best, most) == ((1, 96, 96, 3), (4, 96, 96, 3), (8, 96, 96, 3))
    with pytest.raises(InputError, match="axis 'people' of input 'face'"):
        parse_profile("images=1").shapes("face", FACE)


@pytest.mark.parametrize(
    "text", ["", "people", "people=", "people=x", "people=1:2", "people=8:4:1", "=4", "people=0"]
)
def test_nonsense_is_refused_with_the_form(text):
    with pytest.raises(InputError, match="AXIS=LEAST:BEST:MOST"):
        parse_profile(text)


def test_people_get_an_engine_for_each_number_of_rows():
    inputs = {"face": {"shape": ["people", 96, 96, 3]}, "scene": {"shape": ["people"]}}
    inputs["context"] = {"shape": ["scenes", 224, 224, 3]}
    assert join_profiles(default_profiles(inputs)) == (
        "people=1,scenes=1 people=4,scenes=1 people=8,scenes=1 people=16,scenes=1"
        " people=32,scenes=1 people=32,scenes=4"
    )


def test_benet_gets_landscape_frames():
    shape = ["images", "height", "width", 3]
    inputs = {"images": {"shape": shape, "short_side": 512, "multiple_of": 64}}
    (profile,) = default_profiles(inputs)
    assert str(profile) == "height=512,images=1,width=512:704:1024"


def test_a_detector_gets_frames_shrunk_to_640():
    (profile,) = default_profiles({"image": {"shape": [1, "height", "width", 3]}})
    assert str(profile) == "height=32:480:640,width=32:640:640"
