"""Engines on disk: found, checked before TensorRT sees them, built once, written whole or not."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from caer_ros.core import EngineMismatch
from caer_ros.engines.folders import cache_folder
from caer_ros.engines.trt.files import must_be_writable, sweep_parts, write_whole
from caer_ros.engines.trt.key import EngineKey, Machine, SideFile
from caer_ros.engines.trt.lock import held

Say = Callable[[str], None]

_TIMING_CACHE = "timing.cache"


@dataclass(frozen=True)
class CachedEngine:
    """An engine file whose side file was read; its bytes are checked when they are read.

    Attributes:
        command: what builds it again, for errors.
        fresh: whether it was built just now.
    """

    path: Path
    side: SideFile
    command: str = "caer build"
    fresh: bool = field(default=False, compare=False)

    def read(self) -> bytes:
        """The engine, whole: the bytes that were checked are the bytes returned.

        Raises:
            EngineMismatch: missing, truncated or changed.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise self._damaged(error.strerror or "unreadable") from error
        if len(data) != self.side.size:
            raise self._damaged(f"{len(data)} bytes, {self.side.size} were written")
        if hashlib.sha256(data).hexdigest() != self.side.engine_sha256:
            raise self._damaged("its sha256 is not the one it was written with")
        return data

    def _damaged(self, how: str) -> EngineMismatch:
        return EngineMismatch(
            f"The TensorRT engine {self.path.name} is damaged ({how}).", f"Run: {self.command}"
        )


@dataclass(frozen=True)
class Built:
    """What a build hands over; `timing_cache` is what the next build can reuse."""

    plan: bytes
    side: SideFile
    timing_cache: bytes


class EngineCache:
    """A folder of engines. Several processes may use it at once.

    Args:
        folder: made when the first engine is written; None: `tensorrt` in the cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "tensorrt"

    def find(self, onnx_sha256: str, here: Machine, command: str) -> CachedEngine:
        """The engine of an ONNX file that was built last for this machine.

        Args:
            command: what builds it, for the error.

        Raises:
            EngineMismatch: there is none; the message says what differs in those that there are.
        """
        of_file = [e for e in self._newest_first() if e.side.key.onnx_sha256 == onnx_sha256]
        reasons = []
        for engine in of_file:
            key = engine.side.key
            differences = key.machine.differences(here, key.portable)
            if not differences:
                return replace(engine, command=command)
            reasons.append("; ".join(differences))
        if reasons:
            raise EngineMismatch(
                f"The TensorRT engine was built for another machine ({reasons[0]}).",
                f"Run: {command}",
            )
        raise EngineMismatch("No TensorRT engine has been built yet.", f"Run: {command}")

    def holds_any(self, here: Machine) -> bool:
        """Whether some engine was built for this machine."""
        return any(
            not e.side.key.machine.differences(here, e.side.key.portable)
            for e in self._newest_first()
        )

    def whole(self, key: EngineKey) -> CachedEngine | None:
        """The engine of exactly this key if it is there and undamaged."""
        engine = _open(self.folder / f"{key.stem}.json")
        if engine is None or engine.side.key != key:
            return None
        try:
            engine.read()
        except EngineMismatch:
            return None
        return engine

    def build_once(
        self, key: EngineKey, build: Callable[[bytes, Say], Built], say: Say, anew: bool = False
    ) -> CachedEngine:
        """The engine of this key: the one that is there, or a new one.

        Of several processes that ask at once, one builds and the others wait for its engine. Only
        one engine is built at a time in a folder: builds need much memory.

        Args:
            build: gets the timing cache of earlier builds and where to tell its progress.
            say: gets one line at a time, about progress and waiting.
            anew: build even where a whole engine is there.

        Raises:
            EngineBuildError: the build failed, or the folder can not be written.
        """
        ready = None if anew else self.whole(key)
        if ready is not None:
            return ready
        must_be_writable(self.folder)
        with held(self.folder / "build.lock", _waiting(say)) as lock:
            ready = None if anew else self.whole(key)
            if ready is not None:
                return ready
            sweep_parts(self.folder)

            def tell(line: str) -> None:
                say(line)
                lock.say(f"{key.name}: {line}")

            tell("starting")
            return self._publish(key, build(self._timing_cache(), tell))

    def _publish(self, key: EngineKey, built: Built) -> CachedEngine:
        path = self.folder / f"{key.stem}.engine"
        write_whole(path, built.plan)
        write_whole(path.with_suffix(".json"), built.side.to_json())
        if built.timing_cache:
            write_whole(self.folder / _TIMING_CACHE, built.timing_cache)
        return CachedEngine(path, built.side, fresh=True)

    def _timing_cache(self) -> bytes:
        try:
            return (self.folder / _TIMING_CACHE).read_bytes()
        except OSError:
            return b""

    def _newest_first(self) -> Iterator[CachedEngine]:
        sides = [(_age(path), path) for path in self.folder.glob("*.json")]
        for _, path in sorted(sides):
            engine = _open(path)
            if engine is not None:
                yield engine


def _waiting(say: Say) -> Callable[[str, float], None]:
    told = [0.0]

    def waiting(heard: str, seconds: float) -> None:
        if told[0] == 0.0 or seconds - told[0] >= 5:
            told[0] = max(seconds, 1e-9)
            say(f"waiting for another build, {seconds:.0f} s ({heard or 'it says nothing'})")

    return waiting


def _open(path: Path) -> CachedEngine | None:
    """An engine with a side file that can be read; None for all else."""
    try:
        side = SideFile.from_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return CachedEngine(path.with_suffix(".engine"), side)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")
