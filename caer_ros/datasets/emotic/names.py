"""The categories of EMOTIC and HECO as annotation files spell them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType

from caer_ros.core import EMOTIC26, HECO8, InputError

# HECO's eight labels by the category of EMOTIC that means the same. Disgust is what EMOTIC calls
# Aversion ("feeling disgust, dislike, repulsion"); the others have the same name in both.
HECO_AS_EMOTIC: Mapping[str, str] = MappingProxyType(
    {name: "Aversion" if name == "Disgust" else name for name in HECO8}
)
HECO_PLACES = tuple(EMOTIC26.index(HECO_AS_EMOTIC[name]) for name in HECO8)


def _key(name: str) -> str:
    """Letters only, lower case: `Doubt / Confusion` and `doubt_confusion` are one name."""
    return re.sub(r"[^a-z]", "", name.lower())


# The authors' own list of categories has "Disquitement"; one line of HECO's table "Happinesst".
_EMOTIC = {_key(name): name for name in EMOTIC26} | {"disquitement": "Disquietment"}
_HECO = {_key(name): name for name in HECO8} | {"happinesst": "Happiness"}


def emotic_place(name: str, where: str) -> int:
    """Place of a category's name in EMOTIC26.

    Args:
        name: whatever its case and punctuation.
        where: file and person, for the complaint.

    Raises:
        InputError: it names no category; the message names `where` and the closest one.
    """
    return EMOTIC26.index(_find(name, where, _EMOTIC, "category of EMOTIC"))


def heco_place(name: str, where: str) -> int:
    """Place in EMOTIC26 of the category that one of HECO's eight labels means.

    Raises:
        InputError: it names no label of HECO; the message names `where` and the closest one.
    """
    return EMOTIC26.index(HECO_AS_EMOTIC[_find(name, where, _HECO, "label of HECO")])


def _find(name: str, where: str, known: Mapping[str, str], what: str) -> str:
    found = known.get(_key(name))
    if found is not None:
        return found
    close = difflib.get_close_matches(_key(name), known, n=1)
    hint = f"Did they mean {known[close[0]]}? " if close else ""
    names = ", ".join(dict.fromkeys(known.values()))
    raise InputError(f"{where}: '{name}' is no {what}.", f"{hint}Correct it to one of {names}.")
