"""What goes into a bundle's model.yaml, and writing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from caer_ros.bundles.bundle import SCHEMA, read_bundle
from caer_ros.bundles.files import sha256_of, write_atomically
from caer_ros.core import CAER7, InputError
from caer_ros.networks.caer_net_s import ATTENTION_SIZE, CONTEXT_SIZE, FACE_SIZE

FP32 = "fp32.onnx"
INT8 = "int8.onnx"
INT8_ONNXRUNTIME = "int8_onnxruntime.onnx"
# What the node prints at start-up of a demonstration.
NOTICES = {
    "caer_net_s": "Demonstration model: taught by a weak expression teacher and rendered faces, not"
    " by labelled photographs; its labels are guesses about facial expressions, not about what"
    " people feel.",
    "caer_net": "Demonstration model: taught by drawn people, not by labelled films; its labels are"
    " guesses about facial expressions, not about what people feel.",
    "benet": "Demonstration model: not taught by labelled photographs; its labels are guesses about"
    " what a picture shows, not about what people feel.",
}
FACE_MARGIN = 0.1
FACE_FILL = 0


@dataclass(frozen=True)
class About:
    """What a card says of any model.

    Attributes:
        extra: what the checkpoint keeps beside its weights: "recipe" and "metrics".
        notice: what the node prints at start-up.
    """

    name: str
    version: str
    extra: Mapping[str, Any]
    demonstration: bool
    notice: str


def common_card(about: About, summary: str, task: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """The keys of model.yaml that every emotion model has; `card | {...}` adds its own."""
    return {
        "schema": SCHEMA,
        "name": about.name,
        "version": about.version,
        "summary": summary,
        "task": task,
        "labels": list(labels),
        "multi_label": False,
        "inputs": {},
        "outputs": {},
        "decode": {},
        "files": {},
        "demonstration": about.demonstration,
        "notice": about.notice,
        "license": "Apache-2.0",
        "training": {"recipe": about.extra.get("recipe", {})},
        "metrics": {"training": about.extra.get("metrics", {})},
    }


def caer_net_s_card(about: About) -> dict[str, Any]:
    """model.yaml of a CAER-Net-S, without its files."""
    summary = "CAER-Net-S (Lee et al., ICCV 2019): seven emotions from face and scene."
    return common_card(about, summary, "caer_static", CAER7) | {
        "inputs": {
            "face": {
                "dtype": "uint8",
                "shape": ["people", FACE_SIZE, FACE_SIZE, 3],
                "color": "rgb",
                "margin": FACE_MARGIN,
            },
            "context": {
                "dtype": "uint8",
                "shape": ["scenes", CONTEXT_SIZE, CONTEXT_SIZE, 3],
                "color": "rgb",
                "hide_faces": True,
                "fill": FACE_FILL,
            },
            "scene": {"dtype": "int64", "shape": ["people"]},
        },
        "outputs": {
            "logits": {"dtype": "float32", "shape": ["people", len(CAER7)]},
            "fusion": {"dtype": "float32", "shape": ["people", 2]},
            "attention": {"dtype": "float32", "shape": ["scenes", ATTENTION_SIZE, ATTENTION_SIZE]},
        },
        "decode": {"temperature": 1.0},
    }


def read_card(bundle: Path) -> dict[str, Any]:
    """model.yaml of a bundle folder as plain mappings, after the bundle was checked.

    Raises:
        BundleError: it is not a bundle.
    """
    read_bundle(bundle)
    card: dict[str, Any] = yaml.safe_load((bundle / "model.yaml").read_text(encoding="utf-8"))
    return card


def write_card(bundle: Path, card: dict[str, Any]) -> None:
    """Write model.yaml and read it back, so that no bundle is left that the robot would refuse."""
    text = yaml.safe_dump(
        card, sort_keys=False, default_flow_style=None, width=96, allow_unicode=True
    )
    write_atomically(bundle / "model.yaml", text.encode())
    read_bundle(bundle)


def file_entry(path: Path) -> dict[str, str]:
    """One entry of `files`."""
    if not path.is_file():
        raise InputError(f"{path} does not exist.", "Run `caer export` first.")
    return {"path": path.name, "sha256": sha256_of(path)}
