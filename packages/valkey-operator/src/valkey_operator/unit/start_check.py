"""The program that runs before every start of a server: by systemd, Pebble or a hook.

No start may make an empty or older server the primary. A hook decides that with all that Juju
knows (:mod:`.startup`) and keeps what it knew in a file; this program decides it again, with what
the Sentinels say now. It sets the primary in the server's configuration file if it has changed
since, and refuses the start otherwise.

    python -m valkey_operator.unit.start_check DIRECTORY

Exit code 0: the server may start. 75: not now; the reason is the last line of its errors, and the
next try may succeed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..decide.start import decide_start
from ..model.start import Start, StartDecision, StartFacts
from ..model.trust import Trust
from ..rules.append_only import judge
from ..rules.config_files import ACCEPTED, PORT, SENTINEL, SERVER, START_FACTS
from ..rules.epochs import PrimaryClaim, is_certain, latest_primary
from ..rules.sentinel_file import recorded_primary
from ..servers.cluster import Cluster, connected
from ..servers.connection import ServerError
from ..workload.data_directory import DataDirectory

logger = logging.getLogger(__name__)

REFUSED = 75
"""The exit code of a start that is refused for now (``EX_TEMPFAIL``)."""

_REPLICAOF = re.compile(r"^replicaof .*\n", re.MULTILINE)


@dataclass(frozen=True)
class StartCheck:
    """What is known before a start of a unit's server.

    Attributes:
        directory: Of the configuration files.
        address: Of this unit.
        data: The data directory.
        others: The addresses of the other units.
        started: How many of them have ever had a server.
        unit: The name of this unit.
        is_appointed: Whether the leader lets it begin when no unit has had a server.
        had_data: Whether it has ever had a running server.
        data_time: When its data were current at the least when it started last.
        claim: The primary that the leader knew last.
        password: Of the charm's own account.
        trust: Whether servers speak TLS.
    """

    directory: Path
    address: str
    data: Path
    others: Sequence[str]
    started: int
    unit: str
    is_appointed: bool
    had_data: bool
    data_time: float
    claim: PrimaryClaim
    password: str
    trust: Trust

    @classmethod
    def read(cls, directory: Path) -> StartCheck:
        """From the file that the last hook wrote.

        Raises:
            OSError: If there is none.
            ValueError: If it cannot be read.
        """
        facts = json.loads((directory / START_FACTS).read_text())
        return cls(
            directory,
            facts["address"],
            Path(facts["data"]),
            tuple(facts["others"]),
            facts["started"],
            facts["unit"],
            facts["appointed"],
            facts["had-data"],
            facts["data-time"],
            PrimaryClaim(facts["primary"], facts["epoch"]),
            facts["password"],
            Trust(facts["cas"], facts["is-strict"], facts["address"] if facts["cas"] else ""),
        )

    def decide(self, cluster: Cluster) -> StartDecision:
        """Whether the server may start, and with which primary."""
        claims = cluster.settled_primary_claims(self.others)
        own = recorded_primary(_read(self.directory / SENTINEL))
        primary = latest_primary([*claims, own, self.claim])
        if primary not in {self.address, *self.others}:
            # The hook has decided this: the known primary was removed.
            primary = self._configured_primary()
        return decide_start(
            StartFacts(
                address=self.address,
                primary=primary,
                is_certain=is_certain(1 + len(claims), 1 + self.started),
                primary_answers=primary != self.address and _is_primary(cluster, primary),
                data=judge(DataDirectory(self.data).files()),
                unit=self.unit,
                is_appointed=self.is_appointed,
                had_data=self.had_data,
                data_time=self.data_time,
                others=self.started,
                accepts_data_loss=(self.directory / ACCEPTED).exists(),
            )
        )

    def _configured_primary(self) -> str:
        lines = _REPLICAOF.findall(_read(self.directory / SERVER))
        return lines[-1].split()[1] if lines else self.address

    def configure(self, primary: str) -> None:
        """Let the server start with a primary, and never promotable before the leader says so."""
        if primary == self._configured_primary():
            return
        logger.info("starting the server with primary %s", primary)
        path = self.directory / SERVER
        text = _REPLICAOF.sub("", path.read_text())
        if primary != self.address:
            text += f"replicaof {primary} {PORT}\n"
        replacement = path.with_suffix(".new")
        replacement.touch(mode=0o600)
        replacement.write_text(text)
        replacement.replace(path)

    def set_data_aside(self, cluster: Cluster, decision: StartDecision) -> None:
        """Move damaged data out of the way of those that come from the primary."""
        needed = 0
        with contextlib.suppress(ServerError):
            needed = 2 * cluster.used_memory(decision.primary)
        outcome = DataDirectory(self.data).set_aside(needed)
        logger.warning(
            "the data of this unit are damaged: %s; they are %s", decision.reason, outcome
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _is_primary(cluster: Cluster, address: str) -> bool:
    try:
        return cluster.observe_server(address).is_primary
    except ServerError:
        return False


def reason_to_refuse(directory: Path) -> str:
    """Decide about one start; see the module.

    Args:
        directory: Of the configuration files.

    Returns:
        Why the server may not start now; empty if it may.
    """
    try:
        check = StartCheck.read(directory)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"no hook has started this server yet: {error}"
    with connected(check.password, check.trust) as cluster:
        decision = check.decide(cluster)
        if decision.start is Start.RESYNC:
            check.set_data_aside(cluster, decision)
    if not decision.with_server:
        return decision.reason or "no peer that knows the current primary answers"
    check.configure(decision.primary)
    return ""


def main(arguments: Sequence[str]) -> int:
    """Run as a program; see the module."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)  # To standard error.
    if reason := reason_to_refuse(Path(arguments[0])):
        sys.stderr.write(f"{reason}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
