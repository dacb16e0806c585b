"""Raw bytes as an array: exact, without a copy, and refused where they are not an image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caer_ros.core import InputError
from caer_ros.perception.image import check_image, view_image
from caer_ros.perception.preprocess import CHANNELS


@settings(deadline=None)
@given(
    st.sampled_from(sorted(CHANNELS)),
    st.integers(8, 40),
    st.integers(8, 40),
    st.integers(0, 17),
    st.booleans(),
)
def test_a_view_shows_the_pixels_whatever_the_padding(encoding, height, width, pad, full_tail):
    channels = CHANNELS[encoding]
    rng = np.random.default_rng(height * 41 + width)
    pixels = rng.integers(0, 256, (height, width, channels), np.uint8)
    step = width * channels + pad
    rows = np.full((height, step), 99, np.uint8)
    rows[:, : width * channels] = pixels.reshape(height, -1)
    data = rows.tobytes()
    if not full_tail and pad:
        data = data[:-pad]  # the last row may end with its last pixel
    view = view_image(data, height, width, step, encoding)
    expected = pixels[..., 0] if channels == 1 else pixels
    assert np.array_equal(view, expected)
    assert np.shares_memory(view, np.frombuffer(data, np.uint8))
    assert not view.flags.writeable


@pytest.mark.parametrize(
    ("height", "width", "step", "encoding", "size", "complaint"),
    [
        (48, 64, 192, "yuv9", 9216, "'yuv9' is not supported"),
        (48, 64, 192, "bgr8", 9215, "9215 bytes, 64x48 bgr8 needs 9216"),
        (48, 64, 191, "bgr8", 9216, "step 191 is less than one row"),
        (0, 0, 0, "bgr8", 0, "0x0 pixels"),
        (48, 0, 0, "bgr8", 0, "0x48 pixels"),
        (2**31, 64, 192, "bgr8", 0, "64x2147483648 pixels"),
        (48, 64, 0, "mono8", 3072, "step 0"),
        (16384, 16384, 16384, "mono8", 0, "16384x16384 pixels.*67108864 pixels at most"),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(
    height, width, step, encoding, size, complaint
):
    with pytest.raises(InputError, match=complaint):
        view_image(bytes(size), height, width, step, encoding)


@settings(deadline=None)
@given(
    st.binary(max_size=4096),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from([*CHANNELS, "", "16UC1", "bgr8 "]),
)
def test_random_messages_are_a_view_or_an_input_error(data, height, width, step, encoding):
    try:
        view = view_image(data, height, width, step, encoding)
    except InputError:
        return
    assert view.shape[:2] == (height, width)
    assert view[-1, -1].max() >= 0  # the last byte is really there


@pytest.mark.parametrize(
    ("array", "encoding"),
    [
        (np.zeros((48, 64, 3), np.float32), "bgr8"),
        (np.zeros((48, 64), np.uint8), "bgr8"),
        (np.zeros((48, 64, 4), np.uint8), "rgb8"),
        (np.zeros((48, 64, 3), np.uint8), "mono8"),
        (np.zeros((4, 64, 3), np.uint8), "bgr8"),
    ],
)
def test_arrays_that_are_not_their_encoding_are_refused(array, encoding):
    with pytest.raises(InputError):
        check_image(array, encoding)
