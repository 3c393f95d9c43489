"""The script that Sentinel runs when the primary has changed, to notify the charm.

It is Sentinel's ``client-reconfig-script``. Sentinel runs it on every unit, with its own
environment, user and directory, and with the arguments ``NAME ROLE STATE FROM-ADDRESS FROM-PORT
TO-ADDRESS TO-PORT``. It may run it more than once for one change, so the hooks that it dispatches
have to be idempotent. After exit code 1, or if the script dies by a signal, Sentinel runs it again
30 s later, and then after twice as long each time; after other exit codes it does not. A script
that takes 60 s is killed and run again. (Valkey 7.2 to 9.1.)

Wherever servers run, the leader first tells clients, then the unit of the former primary restarts
it. On machines and in localjuju the script uses ``juju-exec``: the leader gets the event
``primary-changed``, with both addresses in environment variables, and the unit of the former
primary the event ``primary-lost``. In a container it sends a Pebble notice with both addresses to
its own unit.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

from ..model.primary_change import PrimaryChange

CHANGED, LOST, RECHECK = "primary-changed", "primary-lost", "recheck"
OLD = "VALKEY_OLD_PRIMARY"
NEW = "VALKEY_NEW_PRIMARY"

NOTICE = "valkey.io/primary-changed"
"""The key of the Pebble notice; its data has the keys ``old`` and ``new``."""

_HEAD = """\
#!/bin/sh
# Sentinel runs this when the primary has changed; it notifies the charm.
[ "$#" -eq 7 ] || exit 2
case "$4$6" in *[!A-Za-z0-9.:_-]*) exit 2 ;; esac
"""

_NOTIFY = """\
{pebble} notify {key} "old=$4" "new=$6" || exit 1
"""

_DISPATCH = """\
# This Sentinel was started by a hook that ended long ago.
unset JUJU_CONTEXT_ID
dispatch="{old}=$4 {new}=$6 JUJU_DISPATCH_PATH=hooks/{changed} ./dispatch"
{juju_exec} {unit} "leads=\\$(is-leader) && {{ [ \\$leads != True ] || $dispatch; }}" || exit 1
[ "$4" = {address} ] || exit 0
# The leader tells clients first, even where hooks of several units share a machine.
sleep 1
{juju_exec} {unit} "JUJU_DISPATCH_PATH=hooks/{lost} ./dispatch" || exit 1
"""


def juju_exec_script(juju_exec: str, unit: str, address: str) -> str:
    """The script for a unit whose processes can run ``juju-exec``.

    Args:
        juju_exec: The path of the executable.
        unit: The unit's name.
        address: The address of the unit's server, as Sentinels know it.
    """
    return _HEAD + _DISPATCH.format(
        changed=CHANGED,
        lost=LOST,
        old=OLD,
        new=NEW,
        address=shlex.quote(address),
        juju_exec=shlex.quote(juju_exec),
        unit=shlex.quote(unit),
    )


def recheck_script(juju_exec: str, unit: str, seconds: float) -> str:
    """The commands by which a unit runs the event ``recheck`` later.

    Args:
        juju_exec: The path of the executable.
        unit: The unit's name.
        seconds: When.
    """
    return (
        f"unset JUJU_CONTEXT_ID; sleep {seconds:.0f};"
        f" exec {shlex.quote(juju_exec)} {shlex.quote(unit)}"
        f' "JUJU_DISPATCH_PATH=hooks/{RECHECK} ./dispatch"'
    )


def pebble_script(pebble: str = "/charm/bin/pebble") -> str:
    """The script for a unit whose servers run in a container.

    Args:
        pebble: The path of the executable in the container.
    """
    return _HEAD + _NOTIFY.format(pebble=shlex.quote(pebble), key=NOTICE)


def primary_change_of_hook() -> PrimaryChange:
    """The change in the environment of a hook; empty addresses if no script dispatched it."""
    return PrimaryChange(os.environ.get(OLD, ""), os.environ.get(NEW, ""))


def primary_change_of_notice(data: Mapping[str, str]) -> PrimaryChange:
    """The change in the data of a Pebble notice."""
    return PrimaryChange(data.get("old", ""), data.get("new", ""))
