"""The guard: no bundle gets a smaller file that answers too differently from its FP32 file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from caer_ros.bundles import Bundle
from caer_ros.core import BundleError, CaerError
from caer_ros.deploy.judging.comparison import Comparison


class GuardFailed(CaerError):
    """A file differs from FP32 by more than its bundle allows; the bundle was not changed."""


@dataclass(frozen=True)
class Limits:
    """What a smaller file may lose; the `guard` block of model.yaml, where it differs.

    Attributes:
        accuracy_drop: points of accuracy, where labels are known.
        map_drop: points of mAP of emotions, likewise.
        ap_drop: points of AP of finding people, likewise.
        top_label_agreement: least share of people with the same strongest label, always.
        box_agreement: least share of boxes that both found, where the model finds people.
        mean_delta: most mean |Δ probability|, always.
    """

    accuracy_drop: float = 0.5
    map_drop: float = 0.5
    ap_drop: float = 1.0
    top_label_agreement: float = 0.98
    box_agreement: float = 0.98
    mean_delta: float = 0.02

    def as_dict(self) -> dict[str, float]:
        """For model.yaml."""
        return asdict(self)


def limits_of(bundle: Bundle) -> Limits:
    """A bundle's limits: the defaults, changed by the `guard` block of its model.yaml.

    Raises:
        BundleError: the block has an unknown key, or a value out of range.
    """
    block = bundle.extra.get("guard", {})
    names = {field.name for field in fields(Limits)}
    where = f"{bundle.folder}/model.yaml: guard"
    remedy = f"Use numbers for {', '.join(sorted(names))}, or leave the block out."
    if not isinstance(block, Mapping) or not names.issuperset(block):
        raise BundleError(f"{where} has keys that do not exist.", remedy)
    for name, value in block.items():
        top = 100 if name.endswith("_drop") else 1
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= top:
            raise BundleError(f"{where}.{name} is {value!r}, not from 0 to {top}.", remedy)
    return Limits(**block)


def findings(limits: Limits, measured: Comparison) -> list[str]:
    """Every limit that `measured` does not hold: which, and by how much."""
    found = []
    if not measured.all_finite():
        # Every comparison with NaN is false: no limit below would notice.
        found.append("some of its answers are not finite numbers")
    for name, least, value in (
        ("top-label agreement", limits.top_label_agreement, measured.top_label),
        ("agreement of boxes", limits.box_agreement, measured.boxes),
    ):
        if value is not None and value < least:
            found.append(f"{name} {value:.2%}, limit {least:.2%}")
    if measured.mean_delta > limits.mean_delta:
        found.append(f"mean |Δp| {measured.mean_delta:.4f}, limit {limits.mean_delta:g}")
    for name, most, pair in (
        ("accuracy", limits.accuracy_drop, measured.accuracy),
        ("mAP of emotions", limits.map_drop, measured.mean_ap),
        ("AP of people", limits.ap_drop, measured.person_ap),
    ):
        if pair is not None and pair[0] - pair[1] > most:
            found.append(f"{name} {pair[0]:.2f} to {pair[1]:.2f}, limit {most:g} points down")
    return found


def check(
    limits: Limits, measured: Mapping[str, Comparison], worst: Sequence[str], remedy: str
) -> None:
    """Let pass, or say what is wrong.

    Args:
        measured: by key of model.yaml.
        worst: layers that cost most, with how much, worst first.
        remedy: what to do.

    Raises:
        GuardFailed: a limit does not hold.
    """
    broken = {key: findings(limits, each) for key, each in measured.items()}
    lines = [f"{key}: {'; '.join(found)}." for key, found in broken.items() if found]
    if lines:
        layers = f" Layers that cost most: {'; '.join(worst)}." if worst else ""
        raise GuardFailed(
            f"The bundle was not changed. {' '.join(lines)}{layers}",
            remedy,
        )


def passed(limits: Limits, measured: Mapping[str, Comparison]) -> bool:
    """Whether every limit holds."""
    return not any(findings(limits, each) for each in measured.values())
