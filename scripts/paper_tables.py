"""Judges the runs of recipes/paper and prints the papers' tables with our figures beside theirs.

python scripts/paper_tables.py                    what runs/ holds, judged on data/, into judged/
python scripts/paper_tables.py --print-only       only what was judged before

A run is judged once; remove its folder in judged/ to judge it again. docs/reproduce.md says which
of the published figures can be compared.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from caer_ros.bundles import write_atomically
from caer_ros.cli.main import main as caer
from caer_ros.evaluation.benet.heads import BU_AND_PC
from caer_ros.evaluation.benet.tables import markdown
from caer_ros.evaluation.paper_rows import PAPER_ROWS, PaperRow

# What stands in a table of ours: title -> where it is in evaluation.json, and its factor.
ACCURACY = {"accuracy": ("accuracy", 100), "class-balanced": ("balanced_accuracy", 100)}
COLUMNS = {
    "BENet, Table 1": {"mAP": ("emotions.mean", 1)},
    "BENet, Table 2": {"AP, legacy IoU": ("person_legacy.ap", 1), "AP": ("person.ap", 1)},
    "BENet, Table 3": {
        "mAP, legacy IoU": ("joint.legacy_iou.average", 1),
        "mAP": ("joint.literal.average", 1),
        "mAP, strict": ("joint.strict.average", 1),
    },
    "BENet, Table 4": {"mAP, joined": (f"refined.{BU_AND_PC}", 1)},
}
NOTHING = "–"


def main() -> None:
    """Judge what has been trained and not been judged, and print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="(%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("data"), help="(%(default)s)")
    parser.add_argument("--judged", type=Path, default=Path("judged"), help="(%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="that load (%(default)s)")
    parser.add_argument("--print-only", action="store_true", help="judge nothing")
    args = parser.parse_args()
    if not args.print_only:
        for row in {row.judged: row for row in PAPER_ROWS}.values():
            judge(row, args)
    text = "\n".join(table_text(name, args.judged) for name in tables())
    write_atomically(args.judged / "tables.md", text.encode())
    print(text)


def judge(row: PaperRow, args: argparse.Namespace) -> None:
    """Judge a row's checkpoint, where there is one that was not judged yet."""
    checkpoint = args.runs / row.recipe / f"{row.checkpoint}.safetensors"
    folder, out = args.data / row.data, args.judged / row.judged
    ready = checkpoint.is_file() and (checkpoint.parent / "metrics.json").is_file()
    if not ready or not folder.is_dir() or (out / "evaluation.json").is_file():
        return
    arguments = ["evaluate", str(checkpoint), "--data", str(folder), "--split", row.split]
    arguments += ["--workers", str(args.workers), "--out", str(out)]
    if row.data == "emotic":
        arguments += ["--protocol", "published"]
        arguments += ["--heads"] if "_pc" in row.recipe else []
    if caer(arguments) != 0:
        raise SystemExit(f"{row.judged} could not be judged.")


def tables() -> list[str]:
    """Names of all tables, in the papers' order."""
    return list(dict.fromkeys(row.table for row in PAPER_ROWS))


def table_text(name: str, judged: Path) -> str:
    """One table as Markdown."""
    columns = COLUMNS.get(name, ACCURACY)
    lines = []
    for row in PAPER_ROWS:
        if row.table != name:
            continue
        path = judged / row.judged / "evaluation.json"
        found = json.loads(path.read_text()) if path.is_file() else {}
        ours = [figure(found, *place) for place in columns.values()]
        lines.append([row.name, f"{row.published:.2f}", *ours])
    return f"{name}\n\n{markdown(['row', 'published', *columns], lines)}\n"


def figure(found: dict[str, Any], place: str, factor: int) -> str:
    """A number of an evaluation, by the keys that lead to it."""
    value: Any = found
    for key in place.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return NOTHING if value is None else f"{factor * value:.2f}"


if __name__ == "__main__":
    main()
