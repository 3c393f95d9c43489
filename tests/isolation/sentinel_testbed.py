"""A Sentinel that watches a server, attacked by a client of that server."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Self

from valkey_operator.rules.acl_file import acl_file

from ..waits import until
from .attempts import Owner, Target
from .servers import ADMIN, PASSWORD, SHA, free_ports, running, table_of
from .snapshot import Snapshot
from .testbed import OTHER, TenantTestbed
from .wire import Wire, Words

_SETTINGS = ("name", "ip", "port", "runid", "flags", "quorum", "failover-timeout",
             "parallel-syncs", "down-after-milliseconds", "config-epoch", "num-slaves",
             "num-other-sentinels")  # fmt: skip
"""What a Sentinel says of a primary that does not change by itself."""

_STATE: dict[str, Words] = {
    "configuration": ("SENTINEL", "CONFIG", "GET", "*"),
    "accounts": ("ACL", "LIST"),
    "scripts": ("SENTINEL", "PENDING-SCRIPTS"),
    "role": ("ROLE",),
    "identity": ("SENTINEL", "MYID"),
}


class SentinelTestbed:
    """A running Sentinel on which ``relation-1`` attacks ``relation-2`` and the primary."""

    def __init__(self, primary: TenantTestbed, extra: tuple[str, ...] = ()) -> None:
        """Start it.

        Args:
            primary: What it watches.
            extra: Modifiers after the attacker's rule, which show that an attempt would do harm
                without it.
        """
        self.primary = primary
        self.secret = secrets.token_hex(8)
        self.folder = Path(tempfile.mkdtemp(prefix="vk-"))
        self._open = contextlib.ExitStack()
        self._open.callback(shutil.rmtree, self.folder)
        try:
            self._start(extra)
        except BaseException:
            self._open.close()
            raise

    def _start(self, extra: tuple[str, ...]) -> None:
        attacker = self.primary.attacker
        rule = attacker.sentinel_rule(self.primary.binary.version)
        rules = {
            ADMIN: ("on", f"#{SHA}", "~*", "&*", "+@all"),
            attacker.name: (*rule, *extra),
            OTHER: rule,
            f"relation-{self.secret}": rule,
        }
        (self.folder / "users.acl").write_text(acl_file(rules))
        self.port, self.closed_port = free_ports(2)
        conf = self.folder / "sentinel.conf"
        conf.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"aclfile {self.folder}/users.acl\n"
            f"sentinel monitor primary 127.0.0.1 {self.primary.port} 1\n"
            f"sentinel auth-user primary {ADMIN}\nsentinel auth-pass primary {PASSWORD}\n"
            f"sentinel sentinel-pass {self.secret}\n"
        )
        arguments = [str(conf), "--sentinel"]
        self.admin = self._open.enter_context(running(self.primary.binary, arguments, self.port))
        self.table = table_of(self.port)
        self.other = self._open.enter_context(Wire(self.port, OTHER, PASSWORD))
        self.subscriber = self._open.enter_context(Wire(self.port, OTHER, PASSWORD))
        client = self.other.ask(("CLIENT", "ID")).strip(b":\r\n").decode()
        self.other.ask(("CLIENT", "SETNAME", f"name-{self.secret}"))
        self.subscriber.ask(("SUBSCRIBE", "+switch-master"))
        self.target = Target(
            client_id=client,
            address=self.other.address,
            account=OTHER,
            closed_port=str(self.closed_port),
            script=dict.fromkeys(Owner, "0" * 40),
        )
        until(self._knows_the_primary, what="the Sentinel has found the primary")
        self._seen = self._look()

    def _knows_the_primary(self) -> bool:
        settings = _settings(self.admin.ask(("SENTINEL", "MASTER", "primary")))
        return settings["flags"] == b"master" and settings["runid"] != b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def connect_as_attacker(self) -> Wire:
        """A new connection of the attacker's."""
        return Wire(self.port, self.primary.attacker.name, PASSWORD)

    def seed(self) -> None:
        """There is nothing of the attacker's own on a Sentinel."""

    def harm_to_other_tenant(self) -> list[str]:
        """Let the other tenant ask; returns what of its connections is not as it was."""
        harm: list[str] = []
        port = str(self.primary.port).encode()
        if port not in self.other.ask(("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "primary")):
            harm.append("the primary that the other tenant is told")
        if not self.subscriber.is_open() or self.subscriber.arrived():
            harm.append("the other tenant's subscription")
        return harm

    def changes(self) -> list[str]:
        """What of the Sentinel and of the primary is not as it was last time."""
        before, self._seen = self._seen, self._look()
        return before.changed_to(self._seen) + self.primary.changes()

    def _look(self) -> Snapshot:
        masters, *answers, _ = self.admin.ask_each(
            ("SENTINEL", "MASTER", "primary"), *_STATE.values(), ("PING",)
        )
        watched = repr(_settings(masters)).encode()
        return Snapshot({"what is watched": watched, **dict(zip(_STATE, answers))}, 0)


def _settings(answer: bytes) -> dict[str, bytes]:
    """The settings out of a map of texts, as it is on the wire."""
    texts = answer.split(b"\r\n")[2::2]
    settings = dict(zip(texts[::2], texts[1::2]))
    return {name: settings.get(name.encode(), b"") for name in _SETTINGS}
