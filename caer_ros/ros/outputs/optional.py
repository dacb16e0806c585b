"""Messages of packages that not every machine has."""

from __future__ import annotations

import importlib
from types import ModuleType


def messages_of(package: str) -> ModuleType | None:
    """`<package>.msg`, or None where the package is not installed, or not whole."""
    try:
        return importlib.import_module(f"{package}.msg")
    except ImportError:
        return None
