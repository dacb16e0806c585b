"""The torch network behind a bundle, as tuning needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from caer_ros.bundles import Bundle
from caer_ros.deploy.quantization.runner import Arrays
from caer_ros.deploy.quantization.tune import Answer
from caer_ros.networks.checkpoint import load_benet, load_checkpoint
from caer_ros.networks.inputs import CaerNetSGraph


def load_tunable(bundle: Bundle, checkpoint: Path) -> tuple[nn.Module, Answer]:
    """The network that reads uint8 pictures, and how to run it on a bundle's inputs.

    Raises:
        InputError: the checkpoint is missing or of another network.
    """
    network: nn.Module
    if bundle.task == "caer_static":
        network = CaerNetSGraph(load_checkpoint(checkpoint))
    else:
        network = load_benet(checkpoint).inference_part()
    names = tuple(bundle.inputs)

    def answer(module: nn.Module, arrays: Arrays) -> Any:
        return module(*(torch.from_numpy(arrays[name]) for name in names))

    return network.eval(), answer
