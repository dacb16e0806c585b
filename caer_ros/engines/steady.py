"""A network whose pictures keep their size, as a camera's do: compiled for that size alone."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from caer_ros.core import EngineBuildError, EngineError
from caer_ros.engines.base import Engine, EngineBase

Sizes = tuple[tuple[str, tuple[int, ...]], ...]
Open = Callable[[Mapping[str, Sequence[int]]], Engine]

# Runs with the same sizes after which they are taken to stay.
_SURE = 5
# Sets of sizes to compile for; where more come, they vary.
_MOST = 3

_log = logging.getLogger(__name__)


class SteadyEngine(EngineBase):
    """Runs one engine for any sizes until the same have come some times, then one for them alone.

    The fifth run of a size takes as long as compiling does: seconds the first time, about one from
    the cache on disk. After three sizes the rest stay with the engine for any. That one is closed
    with the first size and opened again when another comes, so that a single camera costs the
    memory of one network.

    Args:
        open_for: opens the network for inputs of these shapes; for any with an empty mapping.

    Raises:
        whatever `open_for` does.
    """

    def __init__(self, open_for: Open) -> None:
        self._open_for = open_for
        self._any: Engine | None = open_for({})
        self._fixed: dict[Sizes, Engine] = {}
        self._seen: Counter[Sizes] = Counter()
        self._most = _MOST
        self._closed = False
        self.backend = self._any.backend
        self.inputs, self.outputs = self._any.inputs, self._any.outputs

    def run(
        self, arrays: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """See Engine.run."""
        if self._closed:
            raise EngineError("The engine was closed.")
        self.check(arrays)
        sizes = tuple((name, arrays[name].shape) for name in sorted(arrays))
        engine = self._fixed.get(sizes) or self._settled(sizes) or self._for_any()
        return engine.run(arrays, outputs)

    def close(self) -> None:
        self._closed = True
        for engine in [*self._fixed.values(), self._any]:
            if engine is not None:
                engine.close()
        self._fixed.clear()
        self._any = None

    def _settled(self, sizes: Sizes) -> Engine | None:
        """An engine for these sizes, once they have come often enough."""
        if len(self._fixed) >= self._most:
            return None
        self._seen[sizes] += 1
        if self._seen[sizes] < _SURE:
            return None
        shapes = ", ".join(f"{name} {list(shape)}" for name, shape in sizes)
        _log.info("Sizes stay the same: compiling for %s.", shapes)
        try:
            made = self._open_for(dict(sizes))
        except EngineBuildError as error:
            _log.warning("It goes on as it is: %s", error)
            self._most = 0
            return None
        if not self._fixed and self._any is not None:
            self._any.close()
            self._any = None
        self._fixed[sizes] = made
        return made

    def _for_any(self) -> Engine:
        if self._any is None:
            self._any = self._open_for({})
        return self._any
