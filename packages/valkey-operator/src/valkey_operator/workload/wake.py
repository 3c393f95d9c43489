"""How Sentinel wakes the charm: the script that it runs when the primary has moved.

Sentinel runs it on every unit, with its own environment, user and directory, and with the
arguments ``NAME ROLE STATE FROM-ADDRESS FROM-PORT TO-ADDRESS TO-PORT``. It may run it more than
once for one change, so what it starts has to be idempotent. Exit code 0 means done, 1 (or death
by a signal) that it shall be tried again after 30 s and then after twice as long each time, 2 and
above that it shall not. After 60 s Sentinel kills it and tries again. (Valkey 7.2 to 9.1.)

What the script lets Juju run is the same wherever servers run: the event ``primary-changed`` on
the leader, with both addresses in environment variables, and then ``primary-lost`` on the unit
whose server was the primary. How Juju is reached differs; this module holds the way of machines
and localjuju.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass

CHANGED, LOST = "primary-changed", "primary-lost"
OLD = "VALKEY_OLD_PRIMARY"
NEW = "VALKEY_NEW_PRIMARY"

_SCRIPT = """\
#!/bin/sh
# Sentinel runs this when the primary has moved; it lets Juju dispatch what has to be done.
[ "$#" -eq 7 ] || exit 2
case "$4$6" in *[!A-Za-z0-9.:_-]*) exit 2 ;; esac
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
    return _SCRIPT.format(
        changed=CHANGED,
        lost=LOST,
        old=OLD,
        new=NEW,
        address=shlex.quote(address),
        juju_exec=shlex.quote(juju_exec),
        unit=shlex.quote(unit),
    )


@dataclass(frozen=True)
class Move:
    """The change of primary that a hook was woken for.

    Attributes:
        old: The address of the primary that was.
        new: The address of the one that is, or is about to be.
    """

    old: str = ""
    new: str = ""

    @classmethod
    def of_this_hook(cls) -> Move:
        """From the environment; both are empty in a hook that no script has asked for."""
        return cls(os.environ.get(OLD, ""), os.environ.get(NEW, ""))
