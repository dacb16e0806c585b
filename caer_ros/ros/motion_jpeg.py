"""An AVI file of JPEG pictures, written by Python itself, so that a full disk is an error.

OpenCV's own writer says nothing when the disk is full. Readers need no codec library, and pictures
can be any number of times in it without being encoded again.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

# Sizes in a RIFF file have 32 bits; some readers take them for signed.
MOST_BYTES = 2_000_000_000
_HEADER = 224  # bytes before the first picture
_CHUNK = b"00dc"
# Brought to the disk from time to time, so that the end need not wait for all of it.
_SYNC_EVERY = 8_000_000


class MotionJpegFile:
    """One file under way. It has its name only when it is finished.

    Args:
        path: ends in `.avi`; its folder is made where it is not there.
        rate: pictures a second.

    Raises:
        OSError: the folder can not be written.
    """

    def __init__(self, path: Path, rate: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._rate = rate
        self._scratch = path.with_name(f".{path.name}.part")
        self._stream = self._scratch.open("wb")
        self._stream.write(bytes(_HEADER))
        self._index: list[tuple[int, int]] = []
        self.bytes = _HEADER
        self._synced = 0

    @property
    def frames(self) -> int:
        """Pictures so far."""
        return len(self._index)

    def append(self, jpeg: bytes) -> None:
        """Add a picture, a whole JPEG file; all have one size.

        Raises:
            OSError: the disk is full or gone.
        """
        padded = jpeg + b"\0" * (len(jpeg) % 2)
        self._stream.write(_CHUNK + struct.pack("<I", len(jpeg)) + padded)
        # Places in the index count from the word `movi`, four bytes before the first picture.
        self._index.append((self.bytes - _HEADER + 4, len(jpeg)))
        self.bytes += 8 + len(padded)
        if self.bytes - self._synced > _SYNC_EVERY:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._synced = self.bytes

    def finish(self, width: int, height: int) -> None:
        """Write index and header and give the file its name; sizes in pixels.

        Raises:
            OSError: the disk is full or gone.
        """
        rows = [_CHUNK + struct.pack("<III", 0x10, *place) for place in self._index]
        self._stream.write(b"idx1" + struct.pack("<I", 16 * len(rows)) + b"".join(rows))
        self._stream.seek(0)
        self._stream.write(self._header(width, height))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        os.replace(self._scratch, self._path)

    def discard(self) -> None:
        """Leave nothing behind; also after a failure, and more than once."""
        try:
            self._stream.close()
        except OSError:
            pass  # the rest did not fit on the disk: it is thrown away anyway
        finally:
            self._scratch.unlink(missing_ok=True)

    def _header(self, width: int, height: int) -> bytes:
        count, scale = self.frames, 1000
        largest = max((size for _, size in self._index), default=0)
        per_frame = round(1e6 / self._rate)
        main = struct.pack(
            "<14I", per_frame, 0, 0, 0x10, count, 0, 1, largest, width, height, 0, 0, 0, 0
        )
        stream = struct.pack(
            "<4s4sIHHIIIIIIiI4H",
            *(b"vids", b"MJPG", 0, 0, 0, 0),
            *(scale, round(self._rate * scale), 0, count, largest, -1, 0),
            *(0, 0, width, height),
        )
        picture = struct.pack(
            "<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", 3 * width * height, 0, 0, 0, 0
        )
        streams = _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", picture))
        lists = _list(b"hdrl", _chunk(b"avih", main) + streams)
        whole = self.bytes + 8 + 16 * count - 8
        movi = b"LIST" + struct.pack("<I", self.bytes - _HEADER + 4) + b"movi"
        return b"RIFF" + struct.pack("<I", whole) + b"AVI " + lists + movi


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
