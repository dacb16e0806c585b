"""Switches of CAER-Net-S and CAER-Net: every row of the paper's Table 3, and its literal forms."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from caer_ros.core import InputError
from caer_ros.networks.blocks import AttentionLogits, Pooling

Streams = Literal["both", "face", "context"]
Fusion = Literal["adaptive", "concat"]

_CHOICES = {
    "pooling": ("sum", "mean"),
    "attention_logits": ("raw", "relu"),
    "streams": ("both", "face", "context"),
    "fusion": ("adaptive", "concat"),
    "fusion_relu": (True, False),
    "context_attention": (True, False),
}


@dataclass(frozen=True)
class CaerNetConfig:
    """Switches of the static and of the dynamic network alike; the class decides which it is.

    The defaults are the full network in the forms that were measured to work better
    (docs/ablation.md); `literal()` gives the paper's text. See `pool_by_attention` for pooling and
    `AttentionInference` for attention_logits.
    `fusion_relu` puts a ReLU between the two layers of each fusion gate; the paper does not say.

    Rows of Table 3 (`TABLE_3` has them by name): `streams` keeps both streams or one;
    `context_attention` (cA) weighs the context's cells, without it they are averaged; `fusion` is
    "adaptive" (fA, eq. 5) or "concat", the two vectors side by side as they are. What a network
    has no place for is ignored: `fusion` with one stream, `context_attention`, `pooling` and
    `attention_logits` without a context stream or its attention.

    Raises:
        InputError: a switch has a value that does not exist.
    """

    num_classes: int = 7
    dropout: float = 0.5
    pooling: Pooling = "sum"
    attention_logits: AttentionLogits = "raw"
    fusion_relu: bool = True
    streams: Streams = "both"
    context_attention: bool = True
    fusion: Fusion = "adaptive"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        check_head(self.num_classes, self.dropout)

    @property
    def reads_face(self) -> bool:
        return self.streams != "context"

    @property
    def reads_context(self) -> bool:
        return self.streams != "face"

    @classmethod
    def literal(cls, num_classes: int = 7) -> CaerNetConfig:
        """The forms that the paper's text describes."""
        return cls(num_classes=num_classes, pooling="mean", attention_logits="relu")


# The paper's six rows, and "C", the context stream without its attention, which it leaves out.
TABLE_3: MappingProxyType[str, dict[str, Any]] = MappingProxyType(
    {
        "F": {"streams": "face"},
        "C": {"streams": "context", "context_attention": False},
        "C+cA": {"streams": "context"},
        "F+C": {"context_attention": False, "fusion": "concat"},
        "F+C+cA": {"fusion": "concat"},
        "F+C+fA": {"context_attention": False},
        "F+C+cA+fA": {},
    }
)


def check_choice(name: str, value: object, choices: tuple[Any, ...]) -> None:
    """Raises InputError where `value` is none of `choices`."""
    # 1 == True: the type counts as well.
    if not any(value == choice and type(value) is type(choice) for choice in choices):
        allowed = " or ".join(repr(choice) for choice in choices)
        raise InputError(f"{name} is '{value}'.", f"Use {allowed}.")


def check_head(num_classes: int, dropout: float) -> None:
    """Raises InputError where no classifier can have `num_classes` and `dropout`."""
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise InputError(f"dropout is {dropout}.", "Use a number in [0, 1).")
    if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 2:
        raise InputError(f"num_classes is {num_classes}.", "Use a whole number, at least 2.")
