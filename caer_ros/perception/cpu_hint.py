"""In what arithmetic OpenVINO may compute a bundle: only what calibration measured on it."""

from __future__ import annotations

from collections.abc import Mapping

from caer_ros.bundles import Bundle
from caer_ros.core import BundleError

# Fastest first. A CPU has one of them, or neither.
_FAST = ("bf16", "f16")


def hint_for(bundle: Bundle, precision: str, backend: str, wanted: str) -> str:
    """The hint for open_engine.

    Calibration enters what it measured within the limits as `metrics.<precision>.
    <precision>_<hint>` in model.yaml.

    Args:
        wanted: as PipelineConfig.cpu_hint has it.

    Raises:
        BundleError: a hint is asked for that was not measured on this file, or not found good.
    """
    if backend != "openvino" or wanted == "f32":
        return "f32"
    metrics = bundle.extra.get("metrics")
    measured = metrics.get(precision) if isinstance(metrics, Mapping) else None
    measured = measured if isinstance(measured, Mapping) else {}
    if wanted == "auto":
        from caer_ros.engines.open_vino import hints_here

        usable = [hint for hint in _FAST if f"{precision}_{hint}" in measured]
        return next((hint for hint in usable if hint in hints_here()), "f32")
    if f"{precision}_{wanted}" not in measured:
        raise BundleError(
            f"cpu_hint is {wanted}, with which {precision} of '{bundle.name}' was not measured"
            " within its limits.",
            "Set cpu_hint to auto, or calibrate the bundle on a CPU that has it: caer calibrate",
        )
    return wanted
