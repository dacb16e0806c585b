"""What became of the frames so far."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Counts:
    """Frames of one camera: received == processed + failed + dropped + waiting.

    Attributes:
        received: frames handed to the worker.
        processed: frames that went through.
        failed: frames whose processing raised, or was given up.
        dropped: frames that a newer one replaced before their turn, or that were thrown away.
        waiting: frames that wait for their turn or are in hand.
        failed_in_a_row: failures since the last frame that went through.
        last_error: text of the latest failure; empty when there was none.
        hangs: the engine was given up with a frame of this camera in hand, and none of any camera
            went through since.
    """

    received: int = 0
    processed: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0
    failed_in_a_row: int = 0
    last_error: str = ""
    hangs: bool = False

    def more(self, **by: int) -> Counts:
        """With these counts grown by so many."""
        return replace(self, **{name: getattr(self, name) + more for name, more in by.items()})

    def succeeded(self) -> Counts:
        """One more that went through."""
        return replace(self.more(processed=1), failed_in_a_row=0)

    def failed_with(self, error: str, hangs: bool = False) -> Counts:
        """One more that failed; `hangs`: because the engine was given up."""
        more = self.more(failed=1, failed_in_a_row=1)
        return replace(more, last_error=error, hangs=self.hangs or hangs)


def total(counts: dict[str, Counts]) -> Counts:
    """All cameras together; what is no number of frames is that of the worst in a row."""
    worst = max(counts.values(), key=lambda each: each.failed_in_a_row, default=Counts())
    of_the_worst = ("failed_in_a_row", "last_error", "hangs")
    numbers = [f.name for f in fields(Counts) if f.name not in of_the_worst]
    sums = {name: sum(getattr(each, name) for each in counts.values()) for name in numbers}
    return replace(worst, **sums)
