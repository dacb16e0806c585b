"""Face crops and face-hidden contexts, the paper's two inputs."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from caer_ros.core import Box, InputError
from caer_ros.perception.preprocess import CHANNELS, crop_face, make_context

TO_ENCODING = {
    "rgb8": None,
    "bgr8": cv2.COLOR_RGB2BGR,
    "rgba8": cv2.COLOR_RGB2RGBA,
    "bgra8": cv2.COLOR_RGB2BGRA,
}


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def empty(size):
    return np.zeros((size, size, 3), np.uint8)


def test_a_crop_at_its_own_size_is_the_pixels_themselves():
    image = noise(200, 300)
    crop = crop_face(image, Box(50, 60, 146, 156), "rgb8", 0.0, empty(96))
    assert np.array_equal(crop, image[60:156, 50:146])


def test_the_margin_widens_the_crop_on_every_side():
    image = noise(400, 400)
    # An 80-pixel face with a margin of a tenth is a 96-pixel square.
    crop = crop_face(image, Box(100, 110, 180, 190), "rgb8", 0.1, empty(96))
    assert np.array_equal(crop, image[102:198, 92:188])


def test_an_oblong_face_keeps_its_proportions():
    image = noise(400, 400)
    crop = crop_face(image, Box(152, 100, 200, 196), "rgb8", 0.0, empty(96))
    assert np.array_equal(crop, image[100:196, 128:224])


def test_over_the_edge_the_edge_pixel_is_repeated():
    image = noise(200, 200)
    crop = crop_face(image, Box(-20, 10, 76, 106), "rgb8", 0.0, empty(96))
    assert np.array_equal(crop[:, 20:], image[10:106, 0:76])
    assert np.array_equal(crop[:, 0], crop[:, 19])


def test_shrinking_averages_instead_of_picking_pixels():
    # Fine black and white stripes must come out grey.
    image = np.zeros((400, 400, 3), np.uint8)
    image[:, ::2] = 255
    crop = crop_face(image, Box(0, 0, 384, 384), "rgb8", 0.0, empty(96))
    assert abs(int(crop[10:-10, 10:-10].mean()) - 127) <= 2
    assert crop[10:-10, 10:-10].std() < 3


def test_a_face_outside_the_image_is_an_error():
    with pytest.raises(InputError, match="outside"):
        crop_face(noise(100, 100), Box(200, 200, 250, 250), "rgb8", 0.0, empty(96))


@pytest.mark.parametrize("encoding", sorted(TO_ENCODING))
def test_every_encoding_gives_the_same_tensors(encoding):
    rgb = cv2.GaussianBlur(noise(240, 320), (0, 0), 3)
    code = TO_ENCODING[encoding]
    image = rgb if code is None else cv2.cvtColor(rgb, code)
    assert image.shape[2] == CHANNELS[encoding]
    face = Box(100, 50, 180, 140)
    expected = crop_face(rgb, face, "rgb8", 0.2, empty(96)).astype(int)
    crop = crop_face(image, face, encoding, 0.2, empty(96)).astype(int)
    assert np.abs(crop - expected).max() <= 1
    context = make_context(image, [face], encoding, empty(224)).astype(int)
    expected = make_context(rgb, [face], "rgb8", empty(224)).astype(int)
    assert np.abs(context - expected).max() <= 1


def test_grey_images_give_grey_tensors():
    grey = noise(240, 320)[..., 0]
    crop = crop_face(grey, Box(100, 50, 180, 140), "mono8", 0.1, empty(96))
    assert np.array_equal(crop[..., 0], crop[..., 1])
    assert np.array_equal(crop[..., 0], crop[..., 2])
    assert crop.std() > 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(40, 700),
    st.integers(40, 700),
    st.floats(-0.2, 0.9),
    st.floats(-0.2, 0.9),
    st.floats(0.05, 0.5),
)
# Wide and low: shrunk one way, enlarged the other.
@example(460, 89, 0.37, 0.74, 0.13)
# Sides of which blocks are averaged, and a face that ends within one.
@example(640, 480, 0.3, 0.31, 0.111)
@example(690, 448, 0.201, 0.5, 0.203)
def test_no_face_pixel_reaches_the_context(width, height, x, y, side):
    face = Box(x * width, y * height, (x + side) * width, (y + side) * height)
    image = noise(height, width)
    changed = image.copy()
    x1, y1 = max(0, int(np.floor(face.x1))), max(0, int(np.floor(face.y1)))
    x2, y2 = max(0, int(np.ceil(face.x2))), max(0, int(np.ceil(face.y2)))
    changed[y1:y2, x1:x2] = 255 - changed[y1:y2, x1:x2]
    before = make_context(image, [face], "rgb8", empty(224))
    assert np.array_equal(before, make_context(changed, [face], "rgb8", empty(224)))


def test_hiding_leaves_everything_else_and_the_frame_untouched():
    image = noise(448, 448)
    original = image.copy()
    faces = [Box(100, 100, 160, 180), Box(300, 40, 350, 90)]
    hidden = make_context(image, faces, "rgb8", empty(224), fill=7)
    plain = make_context(image, [], "rgb8", empty(224))
    mask = np.zeros((224, 224), bool)
    for face in faces:
        mask[int(face.y1 / 2) : int(face.y2 / 2), int(face.x1 / 2) : int(face.x2 / 2)] = True
    assert (hidden[mask] == 7).all()
    assert np.array_equal(hidden[~mask], plain[~mask])
    assert np.array_equal(image, original)
