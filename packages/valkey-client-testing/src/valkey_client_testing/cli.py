"""The ``valkey-client`` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ._arguments import make_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line, that of this process if None.

    Returns:
        The exit code.
    """
    parsed = make_parser().parse_args(arguments)
    if parsed.command == "check":
        from .check import command  # noqa: PLC0415 - not for --help

        return command.run(parsed)
    from . import _demo  # noqa: PLC0415 - not for --help

    return _demo.run(units=parsed.units, as_json=parsed.json)


if __name__ == "__main__":
    sys.exit(main())
