"""Puts judged files into a bundle: all of them with their model.yaml, or nothing at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from caer_ros.bundles.bundle import read_bundle
from caer_ros.bundles.files import sha256_of, write_atomically
from caer_ros.core import CaerError, InputError

MANIFEST = "model.yaml"
_DRAFT = ".draft-"


class Drafts:
    """Files beside those of a bundle, under names that no bundle mentions. A context manager: what
    was not published is removed at the end.

    Args:
        bundle: its folder.

    Raises:
        InputError: the folder can not be written; said before any work is done.
    """

    def __init__(self, bundle: Path) -> None:
        self._bundle = bundle
        self._written: dict[str, Path] = {}
        try:
            with tempfile.TemporaryFile(dir=bundle):
                pass
            # What a killed calibration left; nobody else has such names.
            for stale in bundle.glob(f"*{_DRAFT}*"):
                stale.unlink()
        except OSError as error:
            raise InputError(
                f"{bundle} can not be written: {error.strerror}.",
                "Copy the bundle to a folder of yours and calibrate it there.",
            ) from error

    def write(self, name: str, data: bytes) -> Path:
        """Write what may become the bundle's file `name`; where it is until then.

        Raises:
            CaerError: no room, or no right to write.
        """
        path = self._bundle / f"{_DRAFT}{name}"
        with _said(path):
            write_atomically(path, data)
        self._written[name] = path
        return path

    def path(self, name: str) -> Path:
        """Where a draft is, until it is published."""
        return self._written[name]

    def publish(self, change: Callable[[dict[str, Any]], None], files: Mapping[str, str]) -> None:
        """Move the drafts in, with a model.yaml that names them.

        Everything is on the disk before the first is renamed, so that only a power cut between two
        renames could leave a file that model.yaml does not know, which no robot would load.

        Args:
            change: changes model.yaml's mappings further.
            files: key in model.yaml -> name, of the drafts to move; others of these keys go.

        Raises:
            BundleError: model.yaml would not be one; the bundle is as it was.
            CaerError: it can not be written; the bundle is as it was.
        """
        text = (self._bundle / MANIFEST).read_text(encoding="utf-8")
        card: dict[str, Any] = yaml.safe_load(text)
        for key, name in files.items():
            card["files"][key] = {"path": name, "sha256": sha256_of(self._written[name])}
        change(card)
        manifest = _manifest(card)
        _check(manifest)
        draft = self.write(MANIFEST, manifest)
        with _said(self._bundle):
            for name in files.values():
                os.replace(self._written.pop(name), self._bundle / name)
            os.replace(draft, self._bundle / MANIFEST)
        del self._written[MANIFEST]

    def __enter__(self) -> Drafts:
        return self

    def __exit__(self, *_: object) -> None:
        for path in self._written.values():
            path.unlink(missing_ok=True)


def _manifest(card: dict[str, Any]) -> bytes:
    text = yaml.safe_dump(
        card, sort_keys=False, default_flow_style=None, width=96, allow_unicode=True
    )
    return text.encode()


def _check(manifest: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / MANIFEST).write_bytes(manifest)
        read_bundle(Path(folder))


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CaerError(
            f"{path} can not be written: {error.strerror}.",
            "Make room, or copy the bundle to a folder of yours; it was not changed.",
        ) from error
