"""What the bytes of a JPEG or PNG say of themselves, before anything is decoded.

OpenCV decodes half a JPEG into half a picture and reserves whatever size a header promises; neither
may happen to a camera's image.
"""

from __future__ import annotations

from caer_ros.core import InputError

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN, _END = 0xDA, b"\xff\xd9"
# Every start of frame: C0 to CF without three that mean something else (ITU-T T.81, table B.1).
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
# Real ones have about ten; each scan may cost as much as decoding a whole picture.
_MAX_SCANS = 64
_MAX_SEGMENTS = 1000


def picture_size(blob: bytes) -> tuple[int, int]:
    """Height and width of a whole JPEG or PNG, in pixels, as its header has them.

    Raises:
        InputError: neither of the two, or cut short, or damaged.
    """
    if blob.startswith(_JPEG):
        return _jpeg_size(blob)
    if blob.startswith(_PNG):
        return _png_size(blob)
    raise InputError(
        f"Compressed image of {len(blob)} bytes is neither JPEG nor PNG.",
        "Set the publisher's compressed format to jpeg or png.",
    )


def _jpeg_size(blob: bytes) -> tuple[int, int]:
    size, at = None, 2
    for _ in range(_MAX_SEGMENTS):
        if len(blob) < at + 4 or blob[at] != 0xFF:
            break
        marker = blob[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker in _START_OF_FRAME:
            size = _number(blob, at + 5, 2), _number(blob, at + 7, 2)
        end = at + 2 + _number(blob, at + 2, 2)
        if marker == _START_OF_SCAN:
            if size is None:
                break
            _check_scans(blob, end)
            return size
        at = end
    raise _damaged("JPEG", blob)


def _check_scans(blob: bytes, start: int) -> None:
    # Inside a scan, 0xFF is always followed by 0: what looks like a marker is one.
    if blob.find(_END, start) < 0:
        raise InputError(
            f"JPEG of {len(blob)} bytes has no end marker: it was cut short.",
            "Check the link to the camera, or let its driver write whole JPEGs.",
        )
    if blob.count(bytes((0xFF, _START_OF_SCAN)), start) >= _MAX_SCANS:
        raise InputError(
            f"JPEG of {len(blob)} bytes has more than {_MAX_SCANS} scans.",
            "Let the camera driver write baseline JPEGs.",
        )


def _png_size(blob: bytes) -> tuple[int, int]:
    # The header is the first chunk, and the last one is IEND, empty, with four bytes of check sum.
    if blob[12:16] != b"IHDR" or len(blob) < 33:
        raise _damaged("PNG", blob)
    end = blob.rfind(b"IEND")
    if end < 0 or end + 8 > len(blob):
        raise InputError(
            f"PNG of {len(blob)} bytes has no end: it was cut short.",
            "Check the link to the camera.",
        )
    return _number(blob, 20, 4), _number(blob, 16, 4)


def _number(blob: bytes, at: int, size: int) -> int:
    return int.from_bytes(blob[at : at + size], "big")


def _damaged(codec: str, blob: bytes) -> InputError:
    return InputError(
        f"{codec} of {len(blob)} bytes has a damaged header.",
        "The message was cut short or the camera driver fills it wrongly.",
    )
