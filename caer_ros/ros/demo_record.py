"""What the demo keeps of a run: a video that runs at true speed, a contact sheet, a summary."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from caer_ros.perception.contact_sheet import contact_sheet
from caer_ros.perception.writer import VideoWriter, write_image

VIDEO_FPS = 15.0
_PICTURES = 9


class Album:
    """Some frames, spread evenly over a run of unknown length, in little memory."""

    def __init__(self, wanted: int = _PICTURES) -> None:
        self._wanted = wanted
        self._every = 1
        self._seen = 0
        self._kept: list[np.ndarray] = []

    def add(self, image: np.ndarray) -> None:
        """Offer the next frame."""
        if self._seen % self._every == 0:
            self._kept.append(image.copy())
            if len(self._kept) == 4 * self._wanted:
                self._kept = self._kept[::2]
                self._every *= 2
        self._seen += 1

    def pick(self) -> list[np.ndarray]:
        """At most the wanted number of frames, first and last among them."""
        count = min(self._wanted, len(self._kept))
        places = np.linspace(0, len(self._kept) - 1, count).round().astype(int)
        return [self._kept[place] for place in places]


class Recorder:
    """Writes overlays to `out` while open; both files appear when it is closed."""

    def __init__(self, out: Path) -> None:
        self.video = out / "overlay.mp4"
        self.sheet = out / "contact_sheet.png"
        self.frames = 0
        self._writer = VideoWriter(self.video, VIDEO_FPS)
        self._album = Album()
        self._begin = math.nan
        self._written = 0

    def add(self, image: np.ndarray, stamp: float) -> None:
        """Append a BGR frame taken at `stamp` (s); it is repeated until the next one's time."""
        if math.isnan(self._begin):
            self._begin = stamp
        due = round((stamp - self._begin) * VIDEO_FPS) + 1
        for _ in range(max(due - self._written, 0)):
            self._writer.write(image)
            self._written += 1
        self._album.add(image)
        self.frames += 1

    def close(self) -> None:
        """Finish both files; without any frame, leave none."""
        self._writer.close()
        if self.frames:
            write_image(self.sheet, contact_sheet(self._album.pick()))


@dataclass
class Summary:
    """What arrived on /emotions. Times in seconds."""

    frames: int = 0
    with_people: int = 0
    most_people: int = 0
    first: float = math.nan
    last: float = math.nan
    latencies: list[float] = field(default_factory=list)

    def add(self, people: int, arrival: float, latency: float) -> None:
        """Count one message with so many people."""
        self.frames += 1
        self.with_people += people > 0
        self.most_people = max(self.most_people, people)
        self.first = arrival if math.isnan(self.first) else self.first
        self.last = arrival
        self.latencies.append(latency)

    def lines(self) -> list[str]:
        """For people."""
        if not self.frames:
            return ["No message arrived on /emotions."]
        seconds = self.last - self.first
        rate = f"{(self.frames - 1) / seconds:.1f} a second" if seconds > 0 else "one only"
        half, most = np.percentile(self.latencies, (50, 95)) * 1000
        return [
            f"Frames with an answer: {self.frames} ({rate}), {self.with_people} of them with people"
            f", at most {self.most_people} at once",
            f"Camera stamp to answer received: p50 {half:.0f} ms, p95 {most:.0f} ms",
        ]
