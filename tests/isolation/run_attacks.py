"""Every attempt on one server, what it did, and the verdict on each command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import tomllib

from .attempts import Attempt, Owner, Target, attempts, hidden, written
from .table import Command
from .wire import Wire, Words

_UNREACHED = (b"-ERR wrong number of arguments", b"-ERR unknown")
"""Errors that come before the server asks what the account may do."""

SILENCE = 0.1
"""Seconds after which a connection may have been told to be silent; blocking calls take less."""

OWN_KEYS = "own keys"
OWN_CHANNELS = "own channels"
REFUSED = "refused"
NAMES_KNOWN = "names already known"
UNREVIEWED = "allowed without a check"


class Testbed(Protocol):
    """A server that can be attacked."""

    secret: str
    target: Target
    table: Mapping[str, Command]

    def connect_as_attacker(self) -> Wire: ...
    def seed(self) -> None: ...
    def harm_to_other_tenant(self) -> list[str]: ...
    def changes(self) -> list[str]: ...


@dataclass(frozen=True)
class Outcome:
    """What an attempt did.

    Attributes:
        words: The calls, in their order.
        reply: What the attacker received.
        harm: What of the other tenant's or the server's is no longer as it was.
        learned: Whether the attacker received a secret of the other tenant's.
        reveals_existence: Whether the answer shows that something of the other tenant's exists.
    """

    words: tuple[Words, ...]
    reply: bytes
    harm: tuple[str, ...] = ()
    learned: bool = False
    reveals_existence: bool = False

    @property
    def was_reached(self) -> bool:
        return not self.reply.startswith(_UNREACHED)

    @property
    def is_refused(self) -> bool:
        return self.reply.startswith(b"-NOPERM")

    @property
    def has_failed(self) -> bool:
        return self.reply.startswith((b"-", b"!"))

    def __str__(self) -> str:
        calls = "; ".join(" ".join(words) for words in self.words)
        return f"{calls} -> {self.reply[:100]!r}"


def attack(testbed: Testbed, *words: Words, twin: Words | None = None) -> Outcome:
    """Make calls on a new connection, let the other tenant work, and look at everything."""
    with testbed.connect_as_attacker() as wire:
        reply = wire.ask(*words, patience=SILENCE)
        harm = testbed.harm_to_other_tenant() + testbed.changes()
        # Whatever the attempt made the server send has come by now, however slow the machine is:
        # the server has answered others who asked later.
        reply += wire.arrived()
    reveals_existence = False
    # A command that is refused by its name has not looked at what else it was given.
    if twin is not None and b"permissions to run the" not in reply:
        with testbed.connect_as_attacker() as wire:
            answer = wire.ask(twin, patience=SILENCE)
            if not wire.is_answered:
                harm += testbed.harm_to_other_tenant() + testbed.changes()
                answer += wire.arrived()
        reveals_existence = answer != _as_nobody(testbed, reply)
        if not reply.startswith(b"-NOPERM"):
            testbed.seed()
    learned = testbed.secret.encode() in reply
    return Outcome(words, reply, tuple(harm), learned, reveals_existence)


def _as_nobody(testbed: Testbed, reply: bytes) -> bytes:
    """An answer that repeats the names of a call, with those of its twin."""
    script = testbed.target.script
    reply = reply.replace(script[Owner.OTHER].encode(), script[Owner.NOBODY].encode())
    return reply.replace(f"{Owner.OTHER.value}:".encode(), f"{Owner.NOBODY.value}:".encode())


@dataclass(frozen=True)
class AttackResults:
    """What came of all attempts on one server.

    Attributes:
        verdicts: What each command is allowed to do.
        violations: What must not be, in words; empty if the rule holds.
        count: How many attempts there were.
    """

    verdicts: dict[str, str]
    violations: tuple[str, ...]
    count: int


def reviewed(*kinds: str) -> dict[str, str]:
    """The reviewed commands of these kinds of account, each with its verdict."""
    text = (Path(__file__).parent / "reviewed.toml").read_text()
    parts = [tomllib.loads(text)[kind] for kind in kinds]
    return {name: verdict for part in parts for verdict, names in part.items() for name in names}


def adversarial_lines(kind: str) -> list[str]:
    """The lines of attempts on a ``server`` or a ``sentinel`` that are written by hand."""
    text = (Path(__file__).parent / f"adversarial-{kind}.txt").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def run_attacks(testbed: Testbed, kind: str, *more: str) -> AttackResults:
    """Try everything.

    Args:
        testbed: What is attacked.
        kind: ``server`` or ``sentinel``.
        more: Options of the account for which more has been reviewed.
    """
    known = reviewed(kind, *more)
    verdicts: dict[str, str] = {}
    violations: list[str] = []
    count = 0
    for command in testbed.table.values():
        tried = [
            (a, attack(testbed, a.words, twin=a.twin)) for a in attempts(command, testbed.target)
        ]
        worst = next((a.words for a, _ in reversed(tried) if a.crosses), tried[0][0].words)
        disguised = [attack(testbed, *calls) for calls in hidden(worst)]
        count += len(tried) + len(disguised)
        verdicts[command.name] = verdict = judge(command, tried, known)
        if verdict == UNREVIEWED:
            violations.append(f"{command.name} is allowed, not checked, and not in reviewed.toml")
        if not any(outcome.was_reached for _, outcome in tried):
            violations.append(f"no attempt got as far as the rule: {tried[0][1]}")
        for attempt, outcome in tried:
            violations += _violations(outcome)
            if outcome.reveals_existence and verdict != NAMES_KNOWN:
                violations.append(f"tells what exists: {outcome}")
            if attempt.crosses and not outcome.has_failed and verdict in {OWN_KEYS, OWN_CHANNELS}:
                violations.append(f"reaches what is the other tenant's: {outcome}")
        for outcome in disguised:
            violations += _violations(outcome)
    for line in adversarial_lines(kind):
        violations += _violations(attack(testbed, *written(line, testbed.target)))
        count += 1
    return AttackResults(verdicts, tuple(violations), count)


def judge(command: Command, tried: list[tuple[Attempt, Outcome]], known: Mapping[str, str]) -> str:
    """What a command is allowed to do, from what its attempts did."""
    if all(outcome.is_refused for _, outcome in tried if outcome.was_reached):
        return REFUSED
    if command.name in known:
        return known[command.name]
    if command.has_keys:
        return OWN_KEYS
    crossing = [outcome for attempt, outcome in tried if attempt.crosses]
    return OWN_CHANNELS if crossing and all(o.is_refused for o in crossing) else UNREVIEWED


def _violations(outcome: Outcome) -> list[str]:
    harm = [f"changed {part}: {outcome}" for part in outcome.harm]
    return harm + [f"told the other tenant's secret: {outcome}"] * outcome.learned
