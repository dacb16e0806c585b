"""What a supervised run starts from, where its recipe names an `initial` file."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from caer_ros.core import InputError
from caer_ros.networks.baseline import Baseline
from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.checkpoint import load_network, read_meta
from caer_ros.networks.inflate import check_same_form, inflate_into
from caer_ros.networks.interface import EmotionNetwork
from caer_ros.networks.published import load_extractor
from caer_ros.networks.two_stream import TwoStream
from caer_ros.training.supervised_recipe import DataChoice


def start_from(network: EmotionNetwork, path: Path, data: DataChoice) -> None:
    """Put weights that were learnt before into a new network.

    Args:
        network: changed in place. A baseline takes published weights (`published.py`); a
            CAER-Net-S another run's of CAER-Net-S; a CAER-Net those of a CAER-Net, or of a
            CAER-Net-S, which are inflated.
        path: of the weights; of a checkpoint, the .safetensors.
        data: how the network's samples will be cut.

    Raises:
        InputError: the file is missing, or holds weights of another network or of other switches.
    """
    if isinstance(network, TwoStream):
        _from_checkpoint(network, path, data)
    elif isinstance(network, Baseline):
        pixels = "bgr255" if network.dims == 3 else "normalised"
        load_extractor(network, path, pixels)
    else:
        raise InputError(f"{network.architecture} starts from nothing.", "Remove 'initial'.")


def _from_checkpoint(network: TwoStream, path: Path, data: DataChoice) -> None:
    meta = read_meta(path, None)
    given = meta["architecture"]
    inflates = isinstance(network, CaerNet) and given == CaerNetS.architecture
    if given != network.architecture and not inflates:
        raise InputError(
            f"{path} holds a {given}, from which {network.architecture} can not start.",
            "Give a CAER-Net-S to start from, or to a CAER-Net another CAER-Net.",
        )
    start = cast(TwoStream, load_network(path))
    if not inflates:
        check_same_form(network.config, start.config)
        network.load_state_dict(start.state_dict())
        return
    before = meta["extra"].get("recipe", {}).get("data", {}).get("context_size")
    there = before or start.context_shape[-1]
    here = data.context_size or network.context_shape[-1]
    inflate_into(cast(CaerNet, network), cast(CaerNetS, start), (there / here) ** 2)
