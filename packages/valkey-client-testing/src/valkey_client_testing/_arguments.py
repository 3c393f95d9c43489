"""The command line of ``valkey-client``. It imports nothing that ``--help`` does not need."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage] # noqa: SLF001


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="valkey-client", description="Try the valkey_client relation on this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_demo(commands)
    _add_check(commands)
    return parser


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser(
        "demo", help="deploy Valkey and an application here, and verify what the relation promises"
    )
    demo.add_argument("--units", type=_units, default=3, help="units of Valkey (default: 3)")
    demo.add_argument("--json", action="store_true", help="print a JSON object for each step")


def _add_check(commands: Commands) -> None:
    check = commands.add_parser(
        "check", help="check that a charm, or the output of juju show-unit, keeps the contract"
    )
    check.add_argument("--list", action="store_true", help="list all checks and exit")
    subjects = check.add_subparsers(dest="subject")
    provider = _add_charm(subjects, "provider", units=3)
    provider.add_argument(
        "--integrate",
        metavar="CHARM",
        type=Path,
        action="append",
        default=[],
        help="another charm to deploy and integrate with the provider, such as one that provides"
        " certificates; may be repeated",
    )
    _add_output(provider)
    requirer = _add_charm(subjects, "requirer", units=2)
    requirer.add_argument("--action", default="", help="an action of the charm that uses Valkey")
    _add_output(requirer)
    dump = subjects.add_parser("dump", help="check the output of juju show-unit")
    dump.add_argument("file", type=Path, help="the output of juju show-unit, YAML or JSON")
    dump.add_argument(
        "--secrets",
        type=Path,
        help="the output of juju show-secret --reveal, or contents by URI; YAML or JSON",
    )
    _add_output(dump)


def _add_charm(subjects: Commands, role: str, *, units: int) -> argparse.ArgumentParser:
    charm = subjects.add_parser(role, help=f"deploy the charm of a {role} and check it")
    charm.add_argument("charm", type=Path, help="a directory or a .charm file")
    charm.add_argument(
        "--units", type=int, default=units, help=f"units of the charm (default: {units})"
    )
    charm.add_argument(
        "--config",
        metavar="NAME=VALUE",
        type=_name_and_value,
        action="append",
        default=[],
        help="an option of the charm; may be repeated",
    )
    charm.add_argument(
        "--driver",
        choices=("warm", "process"),
        default="warm",
        help="how to run hooks: forked from a warm interpreter (default), or each in a process of"
        " its own, as Juju does",
    )
    return charm


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report")


def _units(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 9:
        raise argparse.ArgumentTypeError("must be a number from 1 to 9")
    return int(text)


def _name_and_value(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError("must be NAME=VALUE")
    return name, value
