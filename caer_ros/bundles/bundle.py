"""Reads `model.yaml` and hands out verified files.

The file is the contract between the workshop that makes a model and the robot that runs it;
`models/README.md` describes every key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from caer_ros.bundles.files import sha256_of
from caer_ros.bundles.thresholds import read_thresholds
from caer_ros.core import BundleError

SCHEMA = 1
TASKS = ("caer_clip", "caer_static", "face_detection", "person_emotion_maps")
# Keys that the robot does not read: what was learnt and measured, and what calibration must hold.
_EXTRA = ("training", "metrics", "source", "guard")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Bundle:
    """One model: what `model.yaml` says, and the folder it says it of.

    `files` maps a precision key (`fp32`, `int8`, `int8_onnxruntime`) to (relative path, sha256).
    `inputs`, `outputs` and `decode` are the YAML mappings as they stand; the task that reads them
    checks them.
    """

    folder: Path
    name: str
    version: str
    task: str
    summary: str
    license: str
    labels: tuple[str, ...]
    multi_label: bool
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    decode: Mapping[str, Any]
    files: Mapping[str, tuple[str, str]]
    demonstration: bool = False
    notice: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def precisions(self) -> tuple[str, ...]:
        """Precisions a user can ask for."""
        return tuple(key for key in self.files if "_" not in key)

    def thresholds(self) -> np.ndarray | None:
        """From which probability each of several labels holds: float32 [labels], NaN where a label
        has no threshold; None where the bundle has none.

        Raises:
            BundleError: see `read_thresholds`; never of a bundle that was read.
        """
        path = self.folder / "model.yaml"
        return read_thresholds(path, self.decode, self.labels, self.multi_label)

    def model_file(self, precision: str, backend: str) -> Path:
        """The verified ONNX file that this back end runs in this precision.

        INT8 comes as two files: signed activations for TensorRT and OpenVINO, unsigned for ONNX
        Runtime, which is slower than FP32 on the signed one.

        Raises:
            BundleError: no such precision, file missing, or its sha256 is not the promised one.
        """
        key = precision
        if precision == "int8" and backend == "onnxruntime":
            key = "int8_onnxruntime"
        if key not in self.files:
            raise BundleError(
                f"Bundle '{self.name}' has no {precision} file for {backend}.",
                f"It has {', '.join(self.precisions())}: set precision to one of them.",
            )
        relative, promised = self.files[key]
        path = self.folder / relative
        if not path.is_file():
            raise BundleError(f"{path} is missing.", f"Reinstall the bundle '{self.name}'.")
        found = sha256_of(path)
        if found != promised:
            raise BundleError(
                f"{path} has sha256 {found[:12]}…, model.yaml promises {promised[:12]}…: "
                "the file is damaged or was exchanged.",
                f"Reinstall the bundle '{self.name}'.",
            )
        return path


def read_bundle(folder: Path) -> Bundle:
    """Read and check `folder/model.yaml`.

    Raises:
        BundleError: not a bundle, unreadable YAML, a key missing or of the wrong kind, or
            thresholds that do not fit the labels.
    """
    path = folder / "model.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(
            f"{folder} is no model bundle: {path.name} can not be read ({error.strerror}).",
            "`caer models list` shows what is installed.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BundleError(f"{path} is not valid YAML: {error}", "Reinstall the bundle.") from error
    if not isinstance(raw, dict):
        raise BundleError(f"{path} is not a mapping.", "Reinstall the bundle.")
    return _Reader(path, raw).bundle()


class _Reader:
    """Takes the keys out of one model.yaml and names the file in every complaint."""

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self.path = path
        self.raw = raw

    def bundle(self) -> Bundle:
        if self._get("schema", int) != SCHEMA:
            raise self._error(
                f"schema {self.raw['schema']} is not {SCHEMA}, which this version reads"
            )
        task = self._get("task", str)
        if task not in TASKS:
            raise self._error(f"task '{task}' is none of {', '.join(TASKS)}")
        bundle = Bundle(
            folder=self.path.parent,
            name=self._get("name", str),
            version=str(self._get("version", (str, float, int))),
            task=task,
            summary=self._get("summary", str, ""),
            license=self._get("license", str, ""),
            labels=tuple(str(label) for label in self._get("labels", list, [])),
            multi_label=self._get("multi_label", bool, False),
            inputs=self._get("inputs", dict),
            outputs=self._get("outputs", dict),
            decode=self._get("decode", dict, {}),
            files=self._files(),
            demonstration=self._get("demonstration", bool, False),
            notice=self._get("notice", str, ""),
            extra={key: self.raw[key] for key in _EXTRA if key in self.raw},
        )
        bundle.thresholds()
        return bundle

    def _files(self) -> dict[str, tuple[str, str]]:
        files = {}
        for key, entry in self._get("files", dict).items():
            if not isinstance(entry, dict) or not _SHA256.fullmatch(str(entry.get("sha256", ""))):
                raise self._error(f"files.{key} needs a path and a sha256 of 64 hex digits")
            relative = str(entry.get("path", ""))
            # A bundle may come from anybody: it must not point at files outside its own folder.
            if not relative or Path(relative).name != relative:
                raise self._error(f"files.{key}.path '{relative}' is not a plain file name")
            files[str(key)] = (relative, str(entry["sha256"]))
        if "fp32" not in files:
            raise self._error("files.fp32 is missing")
        return files

    def _get(self, key: str, kind: Any, default: Any = None) -> Any:
        value = self.raw.get(key, default)
        if value is None:
            raise self._error(f"'{key}' is missing")
        if not isinstance(value, kind):
            raise self._error(f"'{key}' has the wrong kind of value ({type(value).__name__})")
        return value

    def _error(self, what: str) -> BundleError:
        return BundleError(f"{self.path}: {what}.", "Reinstall or re-export the bundle.")
