"""The ``valkey-client`` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .check.arguments import add_check


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line, that of this process if None.
    """
    parser = argparse.ArgumentParser(
        prog="valkey-client", description="Try the valkey_client relation on this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo",
        help="deploy Valkey and an application here, and prove what the relation promises",
    )
    demo.add_argument("--units", type=_units, default=3, help="units of Valkey (default: 3)")
    demo.add_argument("--json", action="store_true", help="print a JSON object a step")
    add_check(commands)
    parsed = parser.parse_args(arguments)
    if parsed.command == "check":
        from .check import command  # noqa: PLC0415 - not for --help

        return command.run(parsed)
    from . import demo as demonstration  # noqa: PLC0415

    return demonstration.run(units=parsed.units, as_json=parsed.json)


def _units(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 9:
        raise argparse.ArgumentTypeError("from 1 to 9")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
