"""What one account more or less costs a server that has thousands.

A real server and a real Sentinel start with that many accounts. While the leader's own code
observes, plans and applies, a second connection asks the server PING without a pause: the longest
answer is the time for which it served nobody. Beside it stand the two usual ways of making an
account durable, on the same server: ACL SAVE after the change, and ACL LOAD of a new file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Self, TypeVar
from unittest import mock

import valkey
from _table import Table, show

from valkey_client import AccessRequest, KeyPrefix
from valkey_client.databag import Requests
from valkey_client.messages import PRIMARY_NAME
from valkey_client_testing import find_binary
from valkey_operator.apply import apply_plan
from valkey_operator.decide.plan import plan
from valkey_operator.model.facts import ClientRelation, Facts
from valkey_operator.model.peer_data import Peer, SharedState
from valkey_operator.rules import accounts, internal_accounts
from valkey_operator.rules.accounts import Account
from valkey_operator.rules.acl_file import acl_file
from valkey_operator.servers.cluster import Cluster, connected

T = TypeVar("T")

ADDRESS = "127.93.0.1"
PASSWORD = "benchmark"
SHA = accounts.password_digest(PASSWORD)


@dataclass
class Row:
    """What one operation took.

    Attributes:
        what: The operation.
        seconds: How long it took, each time.
        silent: The longest time in which the server answered nobody meanwhile, each time.
    """

    what: str
    seconds: list[float] = field(default_factory=list[float])
    silent: list[float] = field(default_factory=list[float])


class Pinger:
    """A process that asks PING without a pause, and tells the longest answer in the end."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self._here, there = context.Pipe()
        self._process = context.Process(target=ping_until_told, args=(there,))
        self.longest = 0.0

    def __enter__(self) -> Self:
        self._process.start()
        self._here.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._here.send("end")
        self.longest = self._here.recv()
        self._process.join()


def ping_until_told(pipe: Connection) -> None:
    with patient_client() as client:
        client.ping()
        pipe.send("ready")
        longest = 0.0
        while not pipe.poll():
            start = time.perf_counter()
            client.ping()
            longest = max(longest, time.perf_counter() - start)
        pipe.send(longest)


def patient_client() -> Any:
    return valkey.Valkey(ADDRESS, username=internal_accounts.ADMIN, password=PASSWORD)


def measure(row: Row, operation: Callable[[], T]) -> T:
    with Pinger() as pinger:
        start = time.perf_counter()
        result = operation()
        row.seconds.append(time.perf_counter() - start)
    row.silent.append(pinger.longest)
    return result


def account(number: int) -> Account:
    return Account(f"relation-{number}-r", SHA, f"tenant{number}:*", number, "r")


def start(folder: Path, many: dict[str, Account]) -> list[subprocess.Popen[bytes]]:
    binary = find_binary()
    digests = dict.fromkeys(
        (
            internal_accounts.ADMIN,
            internal_accounts.REPLICATION,
            internal_accounts.SENTINEL,
            internal_accounts.SENTINEL_PEER,
        ),
        SHA,
    )
    common = {accounts.accounts_digest(many.values()): accounts.DIGEST_ACCOUNT_RULE}
    server = internal_accounts.internal_server_rules(digests) | common
    server |= {name: one.server_rule(binary.version) for name, one in many.items()}
    sentinel = internal_accounts.internal_sentinel_rules(digests, binary.version) | common
    sentinel |= {name: one.sentinel_rule(binary.version) for name, one in many.items()}
    (folder / "users.acl").write_text(acl_file(server))
    (folder / "sentinel.acl").write_text(acl_file(sentinel))
    (folder / "valkey.conf").write_text(
        f'bind {ADDRESS}\ndir {folder}\naclfile {folder}/users.acl\nsave ""\n'
    )
    (folder / "sentinel.conf").write_text(
        f"bind {ADDRESS}\ndir {folder}\naclfile {folder}/sentinel.acl\n"
        f"sentinel monitor {PRIMARY_NAME} {ADDRESS} 6379 1\n"
        f"sentinel auth-user {PRIMARY_NAME} {internal_accounts.SENTINEL}\n"
        f"sentinel auth-pass {PRIMARY_NAME} {PASSWORD}\n"
    )
    commands = (["valkey.conf"], ["sentinel.conf", "--sentinel", "--port", "26379"])
    return [
        subprocess.Popen([binary.path, *command], cwd=folder, stdout=subprocess.DEVNULL)
        for command in commands
    ]


def wait(cluster: Cluster) -> None:
    deadline = time.monotonic() + 60
    while cluster.observe([ADDRESS]).primary != ADDRESS:
        if time.monotonic() > deadline:
            raise SystemExit("the server does not start")
        time.sleep(0.1)


def reconcile(
    cluster: Cluster,
    shared: SharedState,
    client_relations: tuple[ClientRelation, ...],
    relations: set[int],
) -> SharedState:
    """What the leader does in a hook, without Juju."""
    facts = Facts(
        peers=(Peer("valkey/0", ADDRESS, generation=1),),
        shared=shared,
        cluster=cluster.observe([ADDRESS]),
        applications={relation: f"app{relation}" for relation in relations},
        client_relations=client_relations,
        planned_units=1,
    )
    decided = plan(facts, lambda: PASSWORD)
    apply_plan(decided, facts, cluster, mock.Mock(), mock.Mock())
    return decided.shared


def run(count: int, rounds: int, folder: Path) -> list[Row]:
    many = {one.name: one for one in map(account, range(count))}
    everybody, before = set(range(count + 1)), set(range(count))
    add, remove = Row("add one (this operator)"), Row("remove one (this operator)")
    save, load = Row("add one, ACL SAVE"), Row("add one, ACL LOAD")
    processes = start(folder, many)
    request = AccessRequest(KeyPrefix.parse("new:*"), "r", "s", count)
    one_more = (ClientRelation(count, Requests("v1", (request,))),)
    rule = account(count).server_rule(find_binary().version)
    try:
        # The other ways take longer than the operator waits for an answer.
        with connected(PASSWORD) as cluster, patient_client() as client:
            wait(cluster)
            shared = reconcile(cluster, SharedState(accounts=many), (), before)
            for _ in range(rounds):
                grown = measure(add, partial(reconcile, cluster, shared, one_more, everybody))
                measure(remove, partial(reconcile, cluster, grown, (), before))
                pipe = client.pipeline(transaction=False)
                pipe.execute_command("ACL SETUSER", "extra", *rule)
                pipe.execute_command("ACL SAVE")
                measure(save, pipe.execute)
                measure(load, partial(client.execute_command, "ACL LOAD"))
                client.execute_command("ACL DELUSER", "extra")
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return [add, remove, save, load]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vk-") as folder:
        rows = run(options.accounts, options.runs, Path(folder))
    title = f"{options.accounts} accounts, Valkey {find_binary().name}, {options.runs} runs"
    columns = ("", "ms, median", "ms, worst", "silent, median", "silent, worst")
    show([Table(title, columns, [cells(row) for row in rows])], as_json=options.json)


def cells(row: Row) -> tuple[str | float, ...]:
    figures = (median(row.seconds), max(row.seconds), median(row.silent), max(row.silent))
    return (row.what, *(round(figure * 1000, 3) for figure in figures))


if __name__ == "__main__":
    main()
