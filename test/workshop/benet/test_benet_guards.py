"""What reads faces and contexts says so when it is given a BENet."""

from __future__ import annotations

import numpy as np
import pytest

from caer_ros.core import InputError
from caer_ros.datasets.examples import MemorySource
from caer_ros.evaluation.judge import judge_network
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.config import BenetConfig
from caer_ros.training.recipe_data import cut_for, open_split
from caer_ros.training.supervised_recipe import DataChoice, SceneData

NETWORK = BENet(BenetConfig(width=2, attention=False))


def test_no_faces_are_cut_for_it() -> None:
    choice = DataChoice(scenes=SceneData(7, 7, 7))
    for refused in (lambda: cut_for(NETWORK, choice), lambda: open_split(NETWORK, choice, "test")):
        with pytest.raises(InputError, match=r"'benet' reads whole pictures"):
            refused()


def test_it_is_not_judged_on_faces() -> None:
    blank = np.zeros((2, 32, 32, 3), np.uint8)
    source = MemorySource(blank, blank, np.zeros(2, int), np.ones(2, bool))
    with pytest.raises(InputError, match=r"recipes/benet\.yaml"):
        judge_network(NETWORK, source)
