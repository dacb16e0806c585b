"""Checkpoints without pickle: weights in NAME.safetensors, the network's switches in NAME.json."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from caer_ros.core import InputError
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.caer_net_s import ARCHITECTURE, CaerNetS
from caer_ros.networks.interface import EmotionNetwork, Network
from caer_ros.networks.registry import NETWORKS, build_network


def save_checkpoint(network: Network, path: Path, extra: dict[str, Any] | None = None) -> None:
    """Write `path` (.safetensors) and the .json beside it; each appears whole or not at all.

    `extra` goes into the .json under "extra" (recipe, metrics): JSON types only.
    """
    meta = {
        "architecture": network.architecture,
        "config": asdict(network.config),
        "extra": extra or {},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    temporary = path.with_name(path.name + ".tmp")
    save_file(weights, temporary)
    os.replace(temporary, path)
    beside = path.with_suffix(".json")
    temporary = beside.with_name(beside.name + ".tmp")
    temporary.write_text(json.dumps(meta, indent=2) + "\n")
    os.replace(temporary, beside)


def read_meta(path: Path, architecture: str | None = ARCHITECTURE) -> dict[str, Any]:
    """The .json beside the checkpoint `path`.

    Raises:
        InputError: it is missing, is not JSON, or is not of `architecture` (None: of no network in
            the registry).
    """
    beside = path.with_suffix(".json")
    if not path.is_file() or not beside.is_file():
        raise InputError(
            f"Checkpoint {path} or {beside.name} beside it does not exist.",
            "Give the .safetensors file that `caer train` wrote and keep its .json beside it.",
        )
    try:
        meta = json.loads(beside.read_text())
    except ValueError as error:
        raise InputError(f"{beside} is not JSON ({error}).", "Write it anew by training.") from None
    found = meta.get("architecture") if isinstance(meta, dict) else None
    wanted = [architecture] if architecture else list(NETWORKS)
    if found not in wanted:
        names = " or ".join(wanted)
        raise InputError(
            f"{beside} describes the network '{found}', not '{names}'.",
            f"Give a checkpoint of {names}.",
        )
    return meta


def load_checkpoint(path: Path) -> CaerNetS:
    """The CAER-Net-S of a checkpoint, in evaluation mode, on the CPU.

    Raises:
        InputError: a file is missing or unreadable, or holds another network.
    """
    return cast(CaerNetS, load_network(path, ARCHITECTURE))


def load_benet(path: Path) -> BENet:
    """The BENet of a checkpoint, in evaluation mode, on the CPU.

    Raises:
        InputError: a file is missing or unreadable, or holds another network.
    """
    return cast(BENet, load_network(path, BENet.architecture))


def load_network(path: Path, architecture: str | None = None) -> EmotionNetwork:
    """The network of a checkpoint, whichever it is, in evaluation mode, on the CPU.

    A BENet comes back too, although it is no EmotionNetwork: use `load_benet` where one is meant.

    Raises:
        InputError: a file is missing or unreadable, holds weights of another network, or is not of
            `architecture` where one is named.
    """
    meta = read_meta(path, architecture)
    name = meta["architecture"]
    try:
        network = build_network(name, **meta["config"])
    except (InputError, KeyError, TypeError) as error:
        raise InputError(f"Unreadable config beside {path}: {error}.", "Train it anew.") from None
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        first_line = str(error).splitlines()[0]
        raise InputError(
            f"{path} does not hold the weights of {name} ({first_line}).",
            "Give a checkpoint that `caer train` wrote for this network.",
        ) from None
    return network.eval()
