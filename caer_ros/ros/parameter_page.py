"""docs/parameters.md: `python -m caer_ros.ros.parameter_page`, after every change of the table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from caer_ros.bundles import write_atomically
from caer_ros.ros.parameter_table import SPECS, Spec, When
from caer_ros.ros.share import share_path

PAGE = "docs/parameters.md"

_INTRODUCTION = """\
# Parameters of `emotion_node`

<!-- Made by `python -m caer_ros.ros.parameter_page`; do not edit. -->

Defaults are in [`config/emotion.yaml`](../config/emotion.yaml): copy it, change it, and start the
node with `params_file:=COPY` (launch) or `--ros-args --params-file COPY`. `ros2 param describe
/emotion_node NAME` says the same as this page. Numbers outside their range and texts that are none
of the choices are refused, with the reason.

When a parameter may change:

"""

_HEAD = (
    "| parameter | type | default | range or choices | changes | |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


def page(values_file: Path | None = None) -> str:
    """The page as text.

    Args:
        values_file: the file whose headings group the parameters; default: config/emotion.yaml.
    """
    groups = _groups(values_file or share_path("config/emotion.yaml"))
    by_name = {spec.name: spec for spec in SPECS}
    parts = [_INTRODUCTION + "".join(f"- *{_short(when)}*: {when.value}\n" for when in When)]
    for title, names in groups.items():
        rows = [_row(by_name[name]) for name in names if name in by_name]
        parts.append("\n".join([f"## {title}\n", _HEAD, *rows]) + "\n")
    return "\n".join(parts)


def main(args: list[str] | None = None) -> int:
    """Write the page into the checkout, or say whether it is up to date.

    Returns:
        0 when done or up to date, 1 when --check finds it out of date.
    """
    parser = argparse.ArgumentParser(prog="caer_ros.ros.parameter_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare only")
    path = Path(__file__).resolve().parents[2] / PAGE
    text = page()
    if not parser.parse_args(args).check:
        write_atomically(path, text.encode())
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    print(f"{path} is out of date: run `python -m caer_ros.ros.parameter_page`.", file=sys.stderr)
    return 1


def _groups(values_file: Path) -> dict[str, list[str]]:
    """Heading -> names of its parameters, in the file's order; headings are `# --- text ---`.

    What follows a semicolon in a heading says when they change, which has a column of its own.
    """
    groups: dict[str, list[str]] = {}
    names: list[str] = []
    for line in values_file.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("# ---"):
            title = text.strip("# -").split(";")[0]
            names = groups.setdefault(title[:1].upper() + title[1:], [])
        elif line.startswith("    ") and not text.startswith("#") and ":" in text:
            names.append(text.split(":")[0])
    return groups


def _row(spec: Spec) -> str:
    cells = (
        f"`{spec.name}`",
        _kind(spec),
        _default(spec),
        _range(spec),
        _short(spec.when),
        spec.description.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def _kind(spec: Spec) -> str:
    if isinstance(spec.default, list):
        return "texts"
    kinds = {bool: "switch", int: "whole number", float: "number", str: "text"}
    return kinds[type(spec.default)]


def _default(spec: Spec) -> str:
    if isinstance(spec.default, bool):
        return str(spec.default).lower()
    if isinstance(spec.default, list):
        return ", ".join(f"`{text}`" for text in spec.default if text) or "none"
    return f"`{spec.default}`" if spec.default != "" else "empty"


def _range(spec: Spec) -> str:
    if spec.choices:
        return ", ".join(f"`{choice}`" for choice in spec.choices)
    if isinstance(spec.default, bool) or not isinstance(spec.default, (int, float)):
        return ""
    return f"{_number(spec.low)} to {_number(spec.high)}"


def _number(value: float) -> str:
    return f"{int(value):,}".replace(",", " ") if value == int(value) else f"{value:g}"


def _short(when: When) -> str:
    return when.name.lower().replace("_", " ")


if __name__ == "__main__":
    sys.exit(main())
