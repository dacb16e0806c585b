"""What the networks read: the order that TensorRT's parser takes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from caer_ros.deploy.onnx_file import trace
from caer_ros.networks.inputs import MEAN, STD, Normalize


@pytest.mark.parametrize(("dims", "shape"), [(2, (2, 4, 6, 3)), (3, (1, 5, 4, 6, 3))])
def test_pictures_are_normalised_channels_first(dims: int, shape: tuple[int, ...]) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = Normalize(dims)(torch.from_numpy(pictures)).numpy()
    wanted = np.moveaxis((pictures / 255 - np.array(MEAN)) / np.array(STD), -1, 1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_bytes_are_cast_before_anything_else() -> None:
    """TensorRT takes uint8 as an input's type, but the only thing it does with it is to cast it."""
    example = (torch.zeros(2, 4, 6, 3, dtype=torch.uint8),)
    model = onnx.load_from_string(
        trace(Normalize(), example, ["images"], ["pixels"], {"images": {0: "n"}})
    )
    assert [n.op_type for n in model.graph.node if "images" in n.input] == ["Cast"]
