"""YAML into frozen dataclasses, refusing every key and kind of value that they do not have."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, Union

import yaml

from caer_ros.core import InputError

T = TypeVar("T")
# Names another file, relative to the one it stands in.
EXTENDS = "extends"


def read_mapping(path: Path, remedy: str) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    `extends: OTHER.yaml` at its top takes over all that the other file says (which may extend one
    more), but for what this file says: mappings are merged, everything else is replaced.

    Raises:
        InputError: a file is missing, is not YAML, holds no mapping, extends itself by any number
            of steps, or what it extends is no path.
    """
    return _extended(path, remedy, ())


def _extended(path: Path, remedy: str, before: tuple[Path, ...]) -> dict[str, Any]:
    """The mapping of `path`; `before` are the files that led here by `extends`, the first first."""
    raw = _read_file(path, remedy)
    if EXTENDS not in raw:
        return raw
    other = raw.pop(EXTENDS)
    if not isinstance(other, str) or not other:
        raise InputError(f"{path}: {EXTENDS} is '{other}'.", "Give the path of a recipe.")
    way, base = (*before, path), path.parent / other
    if base.resolve() in [each.resolve() for each in way]:
        names = " -> ".join(each.name for each in (*way, base))
        raise InputError(f"{path} extends itself ({names}).", f"Remove one '{EXTENDS}'.")
    if not base.is_file():
        raise InputError(
            f"{path} extends {base}, which does not exist.", "Name it as seen from the recipe."
        )
    return merged(_extended(base, remedy, way), raw)


def _read_file(path: Path, remedy: str) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"Recipe {path} does not exist.", remedy)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML ({error}).", remedy) from None
    if not isinstance(raw, dict):
        raise InputError(f"{path} is not a mapping.", remedy)
    return raw


def override(raw: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """A copy of `raw` with `a.b=value` settings put in; values are read as YAML.

    Raises:
        InputError: a setting has no `=`, its value is not YAML, or it goes below a plain value.
    """
    changed = _copied(raw)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise InputError(f"'{setting}' is no setting.", "Write --set optimizer.momentum=0.9")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"'{setting}': the value is not YAML ({error}).") from None
        *above, last = name.split(".")
        place = changed
        for key in above:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise InputError(f"'{setting}': {key} is a plain value.", "Set it as a whole.")
        place[last] = value
    return changed


def merged(raw: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of `raw` with `changes` put in; mappings in both are merged likewise."""
    both = dict(raw)
    for key, value in changes.items():
        below = both.get(key)
        deeper = isinstance(below, dict) and isinstance(value, dict)
        both[key] = merged(below, value) if deeper else value  # type: ignore[arg-type]
    return both


def build(kind: type[T], raw: object, where: str) -> T:
    """A dataclass from a mapping.

    Numbers, strings, paths, switches, lists, nested dataclasses and dictionaries are taken as the
    fields' types say; nothing is guessed but whole numbers for floats and `5e-3`, which YAML 1.1
    reads as a string.

    Args:
        kind: a dataclass; what it raises itself passes through.
        raw: what YAML gave.
        where: names the place in complaints, e.g. `recipe.yaml: optimizer`.

    Raises:
        InputError: a key does not exist (with the nearest that does), is missing, or has a value of
            the wrong kind.
    """
    if not isinstance(raw, Mapping):
        raise InputError(f"{where} is not a mapping.", f"It has the keys {_known(kind)}.")
    check_keys(raw, [field.name for field in fields(kind)], where)  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    below = f"{where} " if where.endswith(":") else f"{where}."
    values = {key: _value(hints[key], value, f"{below}{key}") for key, value in raw.items()}
    missing = [
        field.name
        for field in fields(kind)  # type: ignore[arg-type]
        if field.name not in values
        and field.default is MISSING
        and field.default_factory is MISSING
    ]
    if missing:
        raise InputError(f"{where} lacks '{missing[0]}'.", "Add it; see recipes/ for whole ones.")
    return kind(**values)


def check_keys(raw: Mapping[Any, Any], known: Sequence[str], where: str) -> None:
    """Raise InputError for the first key that is not among `known`, with the nearest one."""
    for key in raw:
        if key in known:
            continue
        near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
        hint = f"Did you mean '{near[0]}'? " if near else ""
        raise InputError(f"{where} has no key '{key}'.", f"{hint}Keys: {', '.join(known)}.")


def _known(kind: type) -> str:
    return ", ".join(field.name for field in fields(kind))


def _copied(raw: Any) -> Any:
    return {key: _copied(value) for key, value in raw.items()} if isinstance(raw, dict) else raw


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return _first_fit(typing.get_args(hint), value, where)
    if is_dataclass(hint):
        return build(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple:
        return _tuple(typing.get_args(hint), value, where)
    if origin is dict:
        if isinstance(value, dict):
            return dict(value)
    elif origin is typing.Literal:
        if value in typing.get_args(hint):
            return value
        raise _wrong(where, value, "one of " + ", ".join(map(str, typing.get_args(hint))))
    elif hint is float:
        return _number(value, where)
    elif hint is Path:
        if isinstance(value, str) and value:
            return Path(value)
    elif hint is type(None):
        if value is None:
            return None
    # bool is an int to Python, but `batch: true` is a slip.
    elif isinstance(value, hint) and isinstance(value, bool) == (hint is bool):
        return value
    raise _wrong(where, value, _in_words(hint))


def _first_fit(hints: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in hints:
        return None
    error: InputError | None = None
    for hint in (h for h in hints if h is not type(None)):
        try:
            return _value(hint, value, where)
        except InputError as found:
            error = error or found
    assert error is not None
    raise error


def _tuple(hints: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _wrong(where, value, "a list")
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_value(hints[0], item, where) for item in value)
    if len(hints) != len(value):
        raise _wrong(where, value, f"a list of {len(hints)}")
    return tuple(_value(hint, item, where) for hint, item in zip(hints, value, strict=True))


def _number(value: Any, where: str) -> float:
    if not isinstance(value, bool):
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
    raise _wrong(where, value, "a number")


def _wrong(where: str, value: object, wanted: str) -> InputError:
    return InputError(f"{where} is '{value}'.", f"Give {wanted}.")


def _in_words(hint: Any) -> str:
    names = {int: "a whole number", bool: "true or false", str: "a text", Path: "a path"}
    return names.get(hint, "a mapping")
