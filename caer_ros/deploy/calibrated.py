"""All that one calibration found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caer_ros.bundles import Bundle
from caer_ros.deploy.files_made import TARGETS
from caer_ros.deploy.guard import Limits
from caer_ros.deploy.judging.comparison import Comparison
from caer_ros.deploy.pictures.open_data import Data
from caer_ros.deploy.quantization.plan import Plan
from caer_ros.deploy.quantization.ranges import Ranges
from caer_ros.deploy.quantization.scales import Scales
from caer_ros.deploy.quantization.sweep import Cost


@dataclass(frozen=True, eq=False)
class Made:
    """Files that were written as drafts, and what they are worth.

    Attributes:
        files: key in model.yaml -> name.
        measured: key -> answers against FP32's.
        kept: INT8: layer in higher precision -> why.
        kept_half: FP16: likewise.
        tries: sets of layers that were measured until this one was settled on.
        tuned: the table of scales, where weights and scales were tuned.
        hints: `int8_bf16`, for a file and OpenVINO's hint -> likewise, of those within the limits.
    """

    files: Mapping[str, str]
    measured: Mapping[str, Comparison]
    kept: Mapping[str, str]
    kept_half: Mapping[str, str]
    tries: int
    tuned: Scales | None = None
    hints: Mapping[str, Comparison] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """See above. `calibrated_on` and `swept_on` count samples; `costs` are worst first."""

    bundle: Bundle
    plan: Plan
    scales: Scales
    ranges: Ranges
    costs: list[Cost]
    made: Made
    calibrated_on: int
    swept_on: int
    data: Data
    limits: Limits

    @property
    def table(self) -> Scales:
        """Of the INT8 files."""
        return self.made.tuned or self.scales

    def change_card(self, card: dict[str, Any]) -> None:
        """Enter what was measured, and the limits that were held, in model.yaml's mappings."""
        metrics = card.setdefault("metrics", {})
        metrics.pop("fp32", None)
        for precision, targets in TARGETS.items():
            found = {
                target.key: self.made.measured[target.key].as_dict()
                for target in targets
                if target.key in self.made.measured
            }
            if found:
                metrics[precision] = found
        for key, measured in self.made.hints.items():
            metrics.setdefault(key.split("_")[0], {})[key] = measured.as_dict()
        card["guard"] = self.limits.as_dict()
