"""Compiled networks of the CPU back ends on disk: a gain where it works, never a condition.

OpenVINO's own cache checks no sums: a blob with changed bytes loads and computes something else.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from caer_ros.engines.processor import processor_facts

# A file under a temporary name, in seconds: older, and its writer was killed.
_STALE_S = 3600.0

_log = logging.getLogger(__name__)


class ModelCache:
    """The compiled form of one ONNX file, in a folder that several processes may use at once.

    A file's name holds what it was made from and for, and its own sha256: there is nothing beside
    it that could get lost, and a file of another processor or version is never looked at.

    Args:
        folder: made where it is missing; where it can not be, nothing is kept.
        onnx: the file that is compiled.
        facts: what else the compiled form depends on: back end, its version, options.
        ending: of the files, such as ".blob".
    """

    def __init__(self, folder: Path, onnx: Path, facts: Sequence[str], ending: str) -> None:
        self.folder = folder
        self._onnx = onnx.name
        text = "\n".join([_sha256(onnx), *facts, *processor_facts()])
        self._stem = hashlib.sha256(text.encode()).hexdigest()[:32]
        self._ending = ending

    def find(self) -> Path | None:
        """The compiled file, its bytes checked; None if there is none. Damaged ones are removed."""
        for path in sorted(self.folder.glob(f"{self._stem}-*{self._ending}")):
            try:
                if path.name == self._name(_sha256(path)):
                    return path
            except OSError as error:
                self.warn(f"{path} can not be read ({error.strerror})")
                continue
            self.warn(f"{path} is damaged")
            _remove(path)
        return None

    @contextmanager
    def new_file(self) -> Iterator[Path | None]:
        """A name to write the compiled form to; it is put in place if something was written there.

        None where the folder can not be written. A block that raises leaves nothing behind.
        """
        temporary = self._temporary()
        try:
            yield temporary
            if temporary is not None:
                self._adopt(temporary)
        finally:
            if temporary is not None:
                _remove(temporary)

    def warn(self, what: str) -> None:
        """Say that a kept file is of no use, and that it does not matter."""
        _log.warning("Cache of %s: %s; it is compiled anew.", self._onnx, what)

    def not_kept(self, why: str) -> None:
        """Say that nothing was kept: the next start takes as long as this one."""
        _log.warning("Cache of %s: not kept (%s).", self._onnx, why)

    def _temporary(self) -> Path | None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            handle, name = tempfile.mkstemp(self._ending, f".{self._stem}.", self.folder)
        except OSError:
            return None  # a read-only home is normal on robots
        os.close(handle)
        return Path(name)

    def _sweep(self) -> None:
        for path in self.folder.glob(f".{self._stem}.*"):
            if time.time() - path.stat().st_mtime > _STALE_S:
                _remove(path)

    def _adopt(self, temporary: Path) -> None:
        try:
            if temporary.stat().st_size:
                os.replace(temporary, self.folder / self._name(_sha256(temporary)))
        except OSError as error:
            self.not_kept(error.strerror or str(error))

    def _name(self, digest: str) -> str:
        return f"{self._stem}-{digest[:32]}{self._ending}"


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
