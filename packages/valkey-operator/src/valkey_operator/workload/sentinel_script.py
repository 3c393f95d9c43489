"""How Sentinel wakes the charm: the script that it runs when the primary has moved.

Sentinel runs it on every unit, with its own environment, user and directory, and with the
arguments ``NAME ROLE STATE FROM-ADDRESS FROM-PORT TO-ADDRESS TO-PORT``. It may run it more than
once for one change, so what it starts has to be idempotent. Exit code 0 means done, 1 (or death
by a signal) that it shall be tried again after 30 s and then after twice as long each time, 2 and
above that it shall not. After 60 s Sentinel kills it and tries again. (Valkey 7.2 to 9.1.)

What the script lets Juju run is the same wherever servers run: first the leader tells clients,
then the unit whose server was the primary starts it again. How Juju is reached differs. On
machines and in localjuju it is ``juju-exec``, with the events ``primary-changed`` on the leader,
which finds both addresses in environment variables, and ``primary-lost``. In a container it is a
notice of Pebble with both addresses, which each unit gets from its own.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

from ..model.primary_change import PrimaryChange

CHANGED, LOST = "primary-changed", "primary-lost"
OLD = "VALKEY_OLD_PRIMARY"
NEW = "VALKEY_NEW_PRIMARY"

NOTICE = "valkey.io/primary-changed"
"""The key of Pebble's notice; its data are named ``old`` and ``new``."""

_HEAD = """\
#!/bin/sh
# Sentinel runs this when the primary has moved; it lets Juju dispatch what has to be done.
[ "$#" -eq 7 ] || exit 2
case "$4$6" in *[!A-Za-z0-9.:_-]*) exit 2 ;; esac
"""

_NOTIFY = """\
{pebble} notify {key} "old=$4" "new=$6" || exit 1
"""

_DISPATCH = """\
# This Sentinel was started by a hook that ended long ago.
unset JUJU_CONTEXT_ID
wake="{old}=$4 {new}=$6 JUJU_DISPATCH_PATH=hooks/{changed} ./dispatch"
{juju_exec} {unit} "leads=\\$(is-leader) && {{ [ \\$leads != True ] || $wake; }}" || exit 1
[ "$4" = {address} ] || exit 0
# The leader's word to the clients comes first, wherever hooks of several units share a machine.
sleep 1
{juju_exec} {unit} "JUJU_DISPATCH_PATH=hooks/{lost} ./dispatch" || exit 1
"""


def juju_exec_script(juju_exec: str, unit: str, address: str) -> str:
    """The script for a unit whose processes can run ``juju-exec``.

    Args:
        juju_exec: The executable.
        unit: The unit's name.
        address: What the unit's server is known by to Sentinels.
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


def pebble_script(pebble: str = "/charm/bin/pebble") -> str:
    """The script for a unit whose servers run in a container.

    Args:
        pebble: The executable, as the container sees it.
    """
    return _HEAD + _NOTIFY.format(pebble=shlex.quote(pebble), key=NOTICE)


def primary_change_of_hook() -> PrimaryChange:
    """From the environment; both addresses are empty in a hook that no script dispatched."""
    return PrimaryChange(os.environ.get(OLD, ""), os.environ.get(NEW, ""))


def primary_change_of_notice(data: Mapping[str, str]) -> PrimaryChange:
    """From the data of a notice."""
    return PrimaryChange(data.get("old", ""), data.get("new", ""))
