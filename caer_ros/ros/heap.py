"""Keeps the process's memory from creeping up while models come and go. glibc only; else nothing.

Every model is loaded by threads of its own, and glibc gives new threads heaps of their own, up to
eight a core, of which each keeps some of the largest model it ever held: the node grew by a tenth
in a hundred cycles of configure and cleanup, though nothing was lost.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8
_HEAPS = 2


def limit_heaps() -> None:
    """Let all threads share a few heaps. For a process of our own, before it starts threads."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, _HEAPS)


def give_back() -> None:
    """Hand memory that was freed back to the system; takes some milliseconds."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
