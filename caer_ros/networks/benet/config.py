"""Switches of BENet: the rows of the paper's Table 1, three backbones, and what is ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from caer_ros.core import InputError
from caer_ros.networks.caer_net_config import check_choice, check_head

Backbone = Literal["benet", "hrnet_w32", "hrnet_w18"]
Fusion = Literal["none", "learned"]
Stem = Literal["strided", "pooled"]


@dataclass(frozen=True)
class BackboneForm:
    """An HRNet: width of the finest map, modules of stages 2 to 4, blocks a branch, attention."""

    width: int
    modules: tuple[int, int, int]
    blocks: int
    attention: bool


# The paper says "HRNet-W32"; its published network is shallower, and has attention.
BACKBONES: MappingProxyType[str, BackboneForm] = MappingProxyType(
    {
        "benet": BackboneForm(32, (2, 2, 2), 3, True),
        "hrnet_w32": BackboneForm(32, (1, 4, 3), 4, False),
        "hrnet_w18": BackboneForm(18, (1, 4, 3), 4, False),
    }
)


@dataclass(frozen=True)
class BenetConfig:
    """The defaults are BENet as published, but for the start of its weights (see `heat_bias`).

    num_classes: E; EMOTIC has 26.
    backbone: "benet" as published; "hrnet_w32" the standard one, for which weights trained on
        poses or ImageNet exist; "hrnet_w18" a light one.
    width: channels of the finest map; None is the backbone's own.
    attention: in every block of backbone and heads; None is the backbone's own.
    stem: "strided" as published, or "pooled" (see HrNet), which from scratch learns drawn faces
        sooner, for 2.2 GMAC more at 512x512.
    detection, person, background: which heads there are; the bottom-up head always is. `TABLE_1`
        has the paper's rows.
    fusion: "learned" adds `LearnedFusion`, which the published network carries unused; "none" is
        what the paper evaluates.
    vad: valence, arousal and dominance beside the emotions, by small outputs of their own. Beyond
        the paper.
    dropout: before the last layer of the person and background heads; published: 0.
    heat_bias: where the detection heads' last bias starts. Published: 0, from weights trained on
        poses. From scratch nearly all pixels are background, so they had better start by saying so:
        -2.19 is a probability of 0.1 (Lin et al., 2017, section 4.1; CenterNet's value).

    Raises:
        InputError: a switch has a value that does not exist, or fusion lacks a head.
    """

    num_classes: int = 26
    backbone: Backbone = "benet"
    width: int | None = None
    attention: bool | None = None
    stem: Stem = "strided"
    detection: bool = True
    person: bool = True
    background: bool = True
    fusion: Fusion = "none"
    vad: bool = False
    dropout: float = 0.0
    heat_bias: float = -2.19

    def __post_init__(self) -> None:
        check_head(self.num_classes, self.dropout)
        check_choice("backbone", self.backbone, tuple(BACKBONES))
        check_choice("attention", self.attention, (None, True, False))
        check_choice("stem", self.stem, ("strided", "pooled"))
        check_choice("fusion", self.fusion, ("none", "learned"))
        for name in ("detection", "person", "background", "vad"):
            check_choice(name, getattr(self, name), (True, False))
        _check_width(self.width)
        _check_bias(self.heat_bias)
        if self.fusion == "learned" and not (self.person and self.background):
            raise InputError(
                "fusion is 'learned', and the person or the background head is left out.",
                "Use fusion 'none', or both heads.",
            )

    @property
    def form(self) -> BackboneForm:
        """The backbone with `width` and `attention` in place."""
        own = BACKBONES[self.backbone]
        width = own.width if self.width is None else self.width
        attention = own.attention if self.attention is None else self.attention
        return BackboneForm(width, own.modules, own.blocks, attention)


# The heads of Table 1. Its last column, "+ED", is the last of these with HECO in the training set.
TABLE_1: MappingProxyType[str, dict[str, Any]] = MappingProxyType(
    {
        "BU": {"detection": False, "person": False, "background": False},
        "BU+Det": {"person": False, "background": False},
        "BU+Det+PC": {"background": False},
        "BU+Det+PC+BG": {},
    }
)


def _check_width(width: int | None) -> None:
    if width is not None and (isinstance(width, bool) or not isinstance(width, int) or width < 2):
        raise InputError(f"width is {width}.", "Use a whole number, at least 2, or leave it out.")


def _check_bias(bias: float) -> None:
    number = isinstance(bias, int | float) and not isinstance(bias, bool)
    if not number or not math.isfinite(bias):
        raise InputError(f"heat_bias is {bias}.", "Use a number, such as -2.19.")
