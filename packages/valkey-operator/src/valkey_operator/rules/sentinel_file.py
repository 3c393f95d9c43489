"""What a Sentinel writes into its own configuration file.

It keeps there whom it knows and which failovers it has seen, and it rewrites its settings as they
were set last. One line that is wrong or doubled and it does not start. So lines are taken over one
by one, and only whole ones; what is missing it learns again from the others.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from valkey_client.messages import PRIMARY_NAME

from .epochs import PrimaryClaim

_RUN_ID = re.compile(r"[0-9a-f]{40}")
_EPOCH = re.compile(r"[0-9]{1,18}")

_STATE = frozenset(
    (
        *("monitor", "down-after-milliseconds", "failover-timeout"),
        *("myid", "config-epoch", "leader-epoch", "current-epoch"),
        *("known-replica", "known-slave", "known-sentinel"),
    )
)
"""What changes while a Sentinel runs: what it learns, and what the leader sets."""

_DEFAULTS = frozenset({("parallel-syncs", PRIMARY_NAME, "1")})
"""Settings that a Sentinel leaves out when it rewrites its file (Valkey 7.2 to 9.1)."""


def recorded_primary(text: str) -> PrimaryClaim:
    """The primary that a Sentinel knew when it last wrote its file; none if that is damaged."""
    address, epoch = "", 0
    for words in _statements(text):
        match words:
            case ["monitor", name, host, *_] if name == PRIMARY_NAME and _is_address(host):
                address = host
            case ["config-epoch", name, number] if name == PRIMARY_NAME and _is_epoch(number):
                epoch = max(epoch, int(number))
            case _:
                pass
    return PrimaryClaim(address, epoch if address else 0)


def learned_lines(text: str, primary: str, port: int, sentinel_port: int) -> list[str]:
    """What a Sentinel needs in its file when it starts again, without what is damaged.

    Args:
        text: The file as it left it.
        primary: The address of the primary that it will monitor.
        port: The port of every server; a line that was cut may name another one.
        sentinel_port: The port of every Sentinel.
    """
    learned = _Learned()
    for words in _statements(text):
        match words:
            case ["myid", run_id] if _RUN_ID.fullmatch(run_id):
                learned.run_id = learned.run_id or run_id
            case ["config-epoch" | "leader-epoch" as keyword, name, number] if (
                name == PRIMARY_NAME and _is_epoch(number)
            ):
                learned.keep_latest(f"{keyword} {name}", int(number))
            case ["current-epoch", number] if _is_epoch(number):
                learned.keep_latest("current-epoch", int(number))
            case ["known-replica" | "known-slave", name, host, number] if (
                name == PRIMARY_NAME and _is_address(host) and number == str(port)
            ):
                learned.replicas.setdefault(host, number)
            case ["known-sentinel", name, host, number, run_id] if (
                name == PRIMARY_NAME
                and _is_address(host)
                and number == str(sentinel_port)
                and _RUN_ID.fullmatch(run_id)
            ):
                learned.sentinels.setdefault(host, run_id)
            case _:
                pass
    learned.replicas.pop(primary, None)
    return [f"sentinel {words}" for words in learned.statements(sentinel_port)]


@dataclass
class _Learned:
    """What stands in the lines that are whole, each once.

    Attributes:
        run_id: The Sentinel's own.
        epochs: The latest of each kind, by the words before it.
        replicas: The ports of replicas, by address.
        sentinels: The run ids of the other Sentinels, by address.
    """

    run_id: str = ""
    epochs: dict[str, int] = field(default_factory=dict[str, int])
    replicas: dict[str, str] = field(default_factory=dict[str, str])
    sentinels: dict[str, str] = field(default_factory=dict[str, str])

    def keep_latest(self, words: str, epoch: int) -> None:
        """Keep the later of two epochs: a Sentinel must never vote twice in one."""
        self.epochs[words] = max(epoch, self.epochs.get(words, 0))

    def statements(self, sentinel_port: int) -> Iterator[str]:
        """All of it, as a Sentinel writes it."""
        if self.run_id:
            yield f"myid {self.run_id}"
        for words, epoch in self.epochs.items():
            yield f"{words} {epoch}"
        for host, port in self.replicas.items():
            yield f"known-replica {PRIMARY_NAME} {host} {port}"
        seen = {self.run_id}
        for host, run_id in self.sentinels.items():
            if run_id not in seen:
                yield f"known-sentinel {PRIMARY_NAME} {host} {sentinel_port} {run_id}"
            seen.add(run_id)


def altered_settings(text: str, expected: Iterable[str]) -> list[str]:
    """Which settings somebody has changed on a running Sentinel.

    A Sentinel writes its file anew at each ``SENTINEL SET``, which is the only way to see them:
    it tells no password.

    Args:
        text: The file as the Sentinel wrote it last.
        expected: The lines that the charm gave it.

    Returns:
        Their names, sorted, without values: some are passwords.
    """
    wanted = set(_settings(_statements("\n".join(expected))))
    found = set(_settings(_statements(text)))
    return sorted({words[0] for words in wanted ^ found})


def _settings(statements: Iterable[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for words in statements:
        if words and words[0] not in _STATE and tuple(words) not in _DEFAULTS:
            yield tuple(words)


def _statements(text: str) -> Iterator[list[str]]:
    """The words after ``sentinel`` of each line, without quotes."""
    for line in text.splitlines():
        if line.startswith("sentinel "):
            try:
                yield shlex.split(line)[1:]
            except ValueError:  # A quote without its end.
                yield ["damaged"]


def _is_address(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def _is_epoch(text: str) -> bool:
    return bool(_EPOCH.fullmatch(text))
