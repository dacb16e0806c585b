"""Fixtures of the workshop's tests. Everything here needs the `train` extra."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the workshop needs: pip install 'caer_ros[train]'")

import torch

from caer_ros.datasets.ict_face import FaceModel, load_face_model
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.checkpoint import save_checkpoint

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def face_model_path() -> Path:
    path = Path(os.environ.get("CAER_FACE_MODEL", SHARED / "ict_facekit.npz"))
    if not path.is_file():
        pytest.skip("no face model: set CAER_FACE_MODEL to a packed ICT-FaceKit .npz")
    return path


@pytest.fixture(scope="session")
def face_model(face_model_path: Path) -> FaceModel:
    return load_face_model(face_model_path)


@pytest.fixture(scope="session")
def teacher_path() -> Path:
    path = os.environ.get("CAER_TEACHER", "")
    if not path:
        pytest.skip("no teacher: set CAER_TEACHER to an unpacked @vladmandic/face-api package")
    return Path(path)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For tests of small sums: on a busy machine, threads wait for each other most of the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def network() -> CaerNetS:
    """Random weights with batch-norm statistics that are not the identity."""
    torch.manual_seed(0)
    network = CaerNetS().train()
    with torch.no_grad():
        network(torch.randn(4, 3, 96, 96), torch.randn(2, 3, 224, 224), torch.tensor([0, 1, 1, 0]))
    return network.eval()


@pytest.fixture(scope="session")
def checkpoint(network: CaerNetS, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    save_checkpoint(network, path)
    return path


@pytest.fixture
def people() -> dict[str, np.ndarray]:
    """Seven people in two scenes, noise."""
    rng = np.random.default_rng(3)
    return {
        "face": rng.integers(0, 256, (7, 96, 96, 3), dtype=np.uint8),
        "context": rng.integers(0, 256, (2, 224, 224, 3), dtype=np.uint8),
        "scene": np.array([0, 1, 1, 0, 0, 1, 0], np.int64),
    }
