"""A server with two tenants, and everything of the other one that must stay as it is."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Self

from valkey_client_testing import Binary
from valkey_operator.rules.accounts import Account
from valkey_operator.rules.acl_file import acl_file

from .attempts import Owner, Target
from .servers import ADMIN, PASSWORD, SHA, free_ports, running, table_of
from .snapshot import Snapshot
from .wire import PATIENCE, Wire, Words

OTHER = "relation-2"

_SEED = """
redis.call('SELECT', ARGV[3] or 0)
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':*')) do redis.call('DEL', key) end
local function key(kind) return ARGV[1] .. ':' .. kind end
redis.call('SET', key('string'), ARGV[2])
redis.call('HSET', key('hash'), '1', ARGV[2], 'f', '2')
redis.call('RPUSH', key('list'), ARGV[2], '1', '2')
redis.call('SADD', key('set'), ARGV[2], '1')
redis.call('ZADD', key('zset'), 1, ARGV[2], 2, '1')
redis.call('XADD', key('stream'), '1-1', 'f', ARGV[2])
redis.call('XGROUP', 'CREATE', key('stream'), 'group', '0')
redis.call('XREADGROUP', 'GROUP', 'group', '1', 'STREAMS', key('stream'), '>')
redis.call('GEOADD', key('geo'), 1, 1, ARGV[2], 1, 1, '1')
redis.call('PFADD', key('hll'), ARGV[2])
redis.call('PFCOUNT', key('hll'))
redis.call('SET', key('expiring'), ARGV[2], 'EX', 100000)
"""
"""A key of each type for one tenant, and one that expires: tenant, value, database."""

_DIGEST = """
local all = {}
for database = 0, tonumber(ARGV[1]) - 1 do
    redis.call('SELECT', database)
    for _, key in ipairs(redis.call('KEYS', '*')) do
        local mine = ARGV[2] == '0' or ARGV[2] == tostring(database)
        if not (mine and string.sub(key, 1, 4) == 'app:') then
            all[#all + 1] = table.concat({
                database, key, redis.call('TYPE', key).ok, redis.call('PEXPIRETIME', key),
                redis.sha1hex(redis.call('DUMP', key)),
            }, ' ')
        end
    end
end
table.sort(all)
return all
"""
"""Every key that is not the account's own, as database, name, type, expiry and value.

Takes the number of databases, and that of the account's own one or 0.
"""

DATABASES = 20
"""The shared ones, and a few more for accounts with one of their own."""


_SCRIPT = "return {redis.call('GET', 'web:string'), ('x'):rep(2), cjson.encode({1})}"
"""What the other tenant runs; it uses each kind of table that all scripts share."""


_STATE: dict[str, Words] = {
    "configuration": ("CONFIG", "GET", "*"),
    "accounts": ("ACL", "LIST"),
    "role": ("ROLE",),
    "functions": ("FUNCTION", "DUMP"),
    "slow log": ("SLOWLOG", "LEN"),
    "latency": ("LATENCY", "HISTORY", "command"),
    "modules": ("MODULE", "LIST"),
}
"""What is looked at after every attempt, beside what only this testbed knows."""


class TenantTestbed:
    """A running server on which ``relation-1`` attacks ``relation-2``.

    ``secret`` is in every value and every name of the other tenant that an attacker cannot know:
    what the attacker receives must not hold it.
    """

    def __init__(self, binary: Binary, attacker: Account, extra: tuple[str, ...] = ()) -> None:
        """Start it.

        Args:
            binary: The server.
            attacker: The account that attacks.
            extra: Modifiers after its rule, which show that an attempt would do harm without it.
        """
        self.binary = binary
        self.attacker = attacker
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
        rules = {
            ADMIN: ("on", f"#{SHA}", "~*", "&*", "+@all"),
            self.attacker.name: (*self.attacker.server_rule(self.binary.version), *extra),
            OTHER: ("on", f"#{SHA}", f"~{Owner.OTHER.value}:*", f"&{Owner.OTHER.value}:*", "+@all"),
            f"relation-{self.secret}": ("on", f"#{SHA}", "~secret:*", "+@all"),
        }  # fmt: skip
        aclfile = self.folder / "users.acl"
        aclfile.write_text(acl_file(rules))
        self.port, self.closed_port = free_ports(2)
        # Whatever a server can be told not to offer is on, so that it is the rule that refuses.
        options: dict[str, str] = {
            "port": str(self.port), "bind": "127.0.0.1", "dir": str(self.folder), "save": "",
            "aclfile": str(aclfile), "enable-debug-command": "yes", "enable-module-command": "yes",
            "enable-protected-configs": "yes", "notify-keyspace-events": "KEA",
            "databases": str(DATABASES), "latency-monitor-threshold": "1", "slowlog-log-slower-than": "-1",
        }  # fmt: skip
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.admin = self._open.enter_context(running(self.binary, arguments, self.port))
        self.table = table_of(self.port)
        self._set_up_other_tenant()

    def _set_up_other_tenant(self) -> None:
        """Data in two databases, a subscriber, a blocked client, a script and a function."""
        secret = self.secret
        other = Owner.OTHER.value
        library = (
            f"#!lua name=theirs\n"
            f"redis.register_function('theirs', function() return '{secret}' end)"
        )
        self.admin.ask(
            *(("EVAL", _SEED, "0", other, secret, database) for database in ("0", "1", "17")),
            ("SET", f"{other}:{secret}", secret),
            ("FUNCTION", "LOAD", library),
            # A slow command of the other tenant's, in every log that keeps such.
            ("CONFIG", "SET", "slowlog-log-slower-than", "0"),
            ("SET", f"{other}:slow-{secret}", secret),
            ("CONFIG", "SET", "slowlog-log-slower-than", "-1"),
            ("DEBUG", "SLEEP", "0.002"),
            ("CONFIG", "SET", "latency-monitor-threshold", "0"),
        )
        self.other = self._open.enter_context(Wire(self.port, OTHER, PASSWORD))
        self.subscriber = self._open.enter_context(Wire(self.port, OTHER, PASSWORD))
        self.blocked = self._open.enter_context(Wire(self.port, OTHER, PASSWORD))
        self.other.ask(("CLIENT", "SETNAME", f"name-{secret}"))
        self.subscriber.ask(
            ("SUBSCRIBE", f"{other}:channel"), ("SSUBSCRIBE", f"{other}:channel"),
            ("SUBSCRIBE", f"{other}:{secret}"), ("PSUBSCRIBE", f"{other}:*"),
        )  # fmt: skip
        client = self.blocked.ask(("CLIENT", "ID")).strip(b":\r\n").decode()
        self.blocked.send(("BLPOP", f"{other}:queue", "0"))
        self.script = _bulk(self.other.ask(("SCRIPT", "LOAD", _SCRIPT)))
        own = _bulk(self.admin.ask(("SCRIPT", "LOAD", "return 1")))
        self.target = Target(
            client_id=client,
            address=self.other.address,
            account=OTHER,
            closed_port=str(self.closed_port),
            database=str(self.attacker.database or 1),
            script={Owner.OWN: own, Owner.OTHER: self.script, Owner.NOBODY: "0" * 40},
        )
        beat = (("EVALSHA", self.script, "0"), ("FCALL", "theirs", "0"),
                ("GET", f"{other}:{secret}"), ("CLIENT", "GETNAME"), ("CLIENT", "ID"),
                ("SET", f"{other}:beat-{secret}", secret), ("PUBLISH", f"{other}:{secret}", secret))  # fmt: skip
        self._beat: tuple[Words, ...] = beat
        self._answer = self.other.ask(*beat)
        self._heard = self._first_message()
        database = str(self.attacker.database)
        self._own: Words = ("EVAL", _SEED, "0", Owner.OWN.value, "1", database)
        self._state = {**_STATE, "script": ("SCRIPT", "EXISTS", self.script),
                       "data": ("EVAL", _DIGEST, "0", str(DATABASES), database)}  # fmt: skip
        self._seen = self._look()

    def _first_message(self) -> bytes:
        """What the subscriber gets at a beat: as a subscriber, and for its pattern."""
        received = b""
        deadline = time.monotonic() + PATIENCE
        while received.count(self.secret.encode()) < 4 and time.monotonic() < deadline:
            received += self.subscriber.arrived()
        return received

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def connect_as_attacker(self) -> Wire:
        """A new connection of the attacker's, in its own database."""
        return Wire(self.port, self.attacker.name, PASSWORD, self.attacker.database)

    def seed(self) -> None:
        """Give the attacker its own keys anew."""
        self.admin.ask(self._own)

    def harm_to_other_tenant(self) -> list[str]:
        """Let the other tenant work; returns what of its connections is not as it was."""
        harm: list[str] = []
        if self.other.ask(*self._beat) != self._answer:
            harm.append("the other tenant's connection")
        elif self.subscriber.receive(self._heard) != self._heard:
            harm.append("the other tenant's subscription")
        if not self.blocked.is_open() or self.blocked.arrived():
            harm.append("the other tenant's blocked connection")
        return harm

    def changes(self) -> list[str]:
        """What of the other tenant's data and the server's state is not as it was last time.

        Gives the attacker its own keys anew, too.
        """
        before, self._seen = self._seen, self._look()
        return before.changed_to(self._seen)

    def _look(self) -> Snapshot:
        *answers, statistics, _ = self.admin.ask_each(*self._state.values(), ("INFO",), self._own)
        parts = dict(zip(self._state, answers))
        # The offset grows when a client waits for replicas; nobody loses anything by that.
        parts["role"] = re.sub(rb":\d+\r\n", b"", parts["role"])
        parts["saves"] = _number(statistics, "rdb_saves")
        return Snapshot(parts, int(_number(statistics, "total_connections_received")))


def _number(info: bytes, name: str) -> bytes:
    return info.split(f"\n{name}:".encode())[1].split(b"\r")[0]


def _bulk(reply: bytes) -> str:
    return reply.split(b"\r\n")[1].decode()
