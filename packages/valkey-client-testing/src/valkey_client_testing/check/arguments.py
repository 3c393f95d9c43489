"""The command line of ``valkey-client check``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage] # noqa: SLF001


def add_check(commands: Commands) -> None:
    """Add ``check`` to the commands."""
    check = commands.add_parser(
        "check", help="hold a charm, or what juju show-unit printed, to the contract"
    )
    check.add_argument("--list", action="store_true", help="list all checks, and end")
    subjects = check.add_subparsers(dest="subject")
    for role, units in (("provider", 3), ("requirer", 2)):
        charm = subjects.add_parser(role, help=f"run the charm of a {role}, and check it")
        charm.add_argument("charm", type=Path, help="a directory or a .charm file")
        charm.add_argument(
            "--units", type=int, default=units, help=f"units of the charm (default: {units})"
        )
        charm.add_argument(
            "--config",
            metavar="NAME=VALUE",
            type=_pair,
            action="append",
            default=[],
            help="an option of the charm; may be repeated",
        )
        charm.add_argument(
            "--driver",
            choices=("warm", "process"),
            default="warm",
            help="how hooks are run: forked from a warm interpreter (default), or each in a"
            " process, as Juju does",
        )
        if role == "provider":
            charm.add_argument(
                "--beside",
                metavar="CHARM",
                type=Path,
                action="append",
                default=[],
                help="another charm to relate it to, such as one that gives certificates; may be"
                " repeated",
            )
        if role == "requirer":
            charm.add_argument(
                "--action", default="", help="an action of the charm that uses Valkey"
            )
        _add_output(charm)
    dump = subjects.add_parser("dump", help="check what juju show-unit printed")
    dump.add_argument("file", type=Path, help="the output of juju show-unit, YAML or JSON")
    dump.add_argument(
        "--secrets",
        type=Path,
        help="the output of juju show-secret --reveal, or content by URI; YAML or JSON",
    )
    _add_output(dump)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit's XML to a file")


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise argparse.ArgumentTypeError("it must be NAME=VALUE")
    return name, value
