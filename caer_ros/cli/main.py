"""`caer`: one console command, one file a sub-command, each thin over the rooms that do the work.

Exit codes: 0 done, 1 the work failed, 2 the call or its input is wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

import caer_ros
from caer_ros.core import CaerError

# Each module adds its parser; none imports anything heavy before it runs.
COMMANDS = (
    "run",
    "models",
    "bench",
    "data",
    "train",
    "evaluate",
    "ablation",
    "export",
    "temperature",
    "calibrate",
    "build",
)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="caer",
        description="Emotions of people from face and scene: run, train and deploy the models.",
        epilog="Each command has its own --help. Start with: caer models install centerface",
    )
    parser.add_argument("--version", action="version", version=f"caer {caer_ros.__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"caer_ros.cli.{name}").add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors a user can cause end in one line on stderr, never a traceback."""
    args = build_parser().parse_args(arguments)
    try:
        return int(args.run(args))
    except CaerError as error:
        print(f"caer {args.command}: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("caer_ros"):
            raise
        print(
            f"caer {args.command}: the Python package '{error.name}' is not installed. "
            "The workshop commands need: pip install 'caer_ros[train]'",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `caer run ... | head` closes our stdout; that is its good right.
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
