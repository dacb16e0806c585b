"""Every network by name: built from switches, and built anew from what a checkpoint says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal, overload

from caer_ros.core import InputError
from caer_ros.networks.baseline import Baseline, BaselineConfig
from caer_ros.networks.benet.benet import BENet
from caer_ros.networks.benet.config import BenetConfig
from caer_ros.networks.caer_net import CaerNet
from caer_ros.networks.caer_net_config import CaerNetConfig
from caer_ros.networks.caer_net_s import CaerNetS
from caer_ros.networks.extractors.alexnet import AlexNet
from caer_ros.networks.extractors.base import Extractor
from caer_ros.networks.extractors.c3d import C3d
from caer_ros.networks.extractors.resnet50 import ResNet50
from caer_ros.networks.extractors.vgg16 import Vgg16
from caer_ros.networks.interface import EmotionNetwork, Network


@dataclass(frozen=True)
class Entry:
    """How a network is built: `build(config)`, where config is a `config_type`."""

    config_type: type
    build: Callable[[Any], Network]


def _baseline(name: str, extractor: type[Extractor]) -> Entry:
    return Entry(BaselineConfig, lambda config: Baseline(name, extractor(), config))


NETWORKS: MappingProxyType[str, Entry] = MappingProxyType(
    {
        "caer_net_s": Entry(CaerNetConfig, CaerNetS),
        "caer_net": Entry(CaerNetConfig, CaerNet),
        "alexnet": _baseline("alexnet", AlexNet),
        "vgg16": _baseline("vgg16", Vgg16),
        "resnet50": _baseline("resnet50", ResNet50),
        "c3d": _baseline("c3d", C3d),
        "benet": Entry(BenetConfig, BENet),
    }
)


@overload
def build_network(name: Literal["benet"], **switches: Any) -> BENet: ...


@overload
def build_network(name: str, **switches: Any) -> EmotionNetwork: ...


def build_network(name: str, **switches: Any) -> Network:
    """A network with random weights, in training mode.

    Args:
        name: one of `NETWORKS`: caer_net_s, caer_net, alexnet, vgg16, resnet50, c3d, benet. All but
            benet are EmotionNetworks.
        switches: fields of CaerNetConfig (the first two), of BenetConfig (the last) or of
            BaselineConfig.

    Raises:
        InputError: the name or a switch does not exist, or a switch has a wrong value.
    """
    entry = NETWORKS.get(name)
    if entry is None:
        raise InputError(f"There is no network '{name}'.", f"Use one of {', '.join(NETWORKS)}.")
    known = [field.name for field in fields(entry.config_type)]
    unknown = sorted(switches.keys() - set(known))
    if unknown:
        raise InputError(
            f"'{name}' has no switch {', '.join(unknown)}.", f"Use {', '.join(known)}."
        )
    return entry.build(entry.config_type(**switches))
