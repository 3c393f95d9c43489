"""The clients follow the primary: real servers and Sentinels that die, freeze and change roles."""

from __future__ import annotations

import asyncio
import select
import shutil
import socket
import socketserver
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

if sys.version_info < (3, 11):
    pytest.skip("valkey-py needs Python 3.11", allow_module_level=True)

import valkey
import valkey.asyncio
import valkey.asyncio.retry
import valkey.retry
import valkey.sentinel
from valkey.backoff import NoBackoff

from valkey_client import Access, Endpoint, Topology, UnreachableError, client
from valkey_client_testing import find_binary
from valkey_client_testing.cluster import Cluster, wait_for

LONG = 120.0
"""Seconds that no test waits for: an error that is raised in spite of them is prompt."""

LOST = [valkey.ConnectionError, valkey.TimeoutError]


class Blocking:
    """The blocking client."""

    retry: Any = valkey.retry.Retry

    def __init__(self) -> None:
        self._made: list[Any] = []

    def connect(self, access: Any, **options: Any) -> Any:
        made = client.connect(access, decode_responses=True, **options)
        self._made.append(made)
        return made

    def run(self, answer: Any) -> Any:
        return answer

    def close_one(self, made: Any) -> None:
        self._made.remove(made)
        made.close()

    def close(self) -> None:
        for made in [*self._made]:
            self.close_one(made)


class Asyncio(Blocking):
    """The asyncio client, one call at a time."""

    retry = valkey.asyncio.retry.Retry

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()

    def connect(self, access: Any, **options: Any) -> Any:
        async def make() -> Any:
            return client.connect_async(access, decode_responses=True, **options)

        made = self._runner.run(make())
        self._made.append(made)
        return made

    def run(self, answer: Any) -> Any:
        async def wait() -> Any:
            return await answer

        return self._runner.run(wait())

    def close_one(self, made: Any) -> None:
        self._made.remove(made)
        self.run(made.aclose())

    def close(self) -> None:
        super().close()
        self._runner.close()


@pytest.fixture(params=[Blocking, Asyncio])
def kind(request: pytest.FixtureRequest) -> Generator[Blocking]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.fixture
def folder() -> Generator[Path]:
    path = Path(tempfile.mkdtemp(prefix="vk-"))
    yield path
    # A child of a server that was killed may still be writing there.
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def cluster(folder: Path) -> Generator[Cluster]:
    with Cluster(find_binary(), folder) as cluster:
        yield cluster


@pytest.fixture
def steady(folder: Path) -> Generator[Cluster]:
    """A cluster whose Sentinels never take a frozen server for dead."""
    with Cluster(find_binary(), folder, down_after=None) as cluster:
        yield cluster


def in_background(work: Callable[[], Any]) -> Callable[[], Any]:
    """Start something; what is returned waits for it and gives its result or error."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:
            done.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def result() -> Any:
        thread.join()
        return done[0]

    return result


# The primary dies or hangs.


def test_a_call_outlasts_the_failover(cluster: Cluster, kind: Blocking) -> None:
    connection = kind.connect(cluster.access)
    kind.run(connection.set("key", "before"))
    old = cluster.primary
    old.kill()
    assert kind.run(connection.set("key", "after"))
    assert cluster.primary is not old
    assert cluster.primary.admin.get("key") == "after"


def test_a_hung_primary_is_left(cluster: Cluster, kind: Blocking) -> None:
    short = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3}
    writer = kind.connect(cluster.access, **short)
    reader = kind.connect(cluster.access, **short)
    kind.run(writer.set("counter", 0))
    kind.run(reader.get("counter"))
    wait_for(lambda: all(r.admin.get("counter") == "0" for r in cluster.replicas))
    old = cluster.primary
    old.freeze()
    # Both answers are lost; what only reads is sent again.
    with pytest.raises(valkey.TimeoutError):
        kind.run(writer.incr("counter"))
    assert kind.run(reader.get("counter")) == "0"
    assert kind.run(writer.incr("counter")) == 1
    assert cluster.primary is not old


def test_the_time_is_limited(steady: Cluster, kind: Blocking) -> None:
    connection = kind.connect(steady.access, socket_connect_timeout=0.2, retry_for=0.5)
    steady.primary.freeze()
    with pytest.raises(valkey.TimeoutError):
        kind.run(connection.set("key", "x"))


@pytest.mark.parametrize("resend", [False, True])
def test_a_lost_answer(cluster: Cluster, kind: Blocking, resend: bool) -> None:
    connection = kind.connect(cluster.access, retry_on_error=LOST if resend else None)
    kind.run(connection.ping())
    old = cluster.primary
    old.admin.client_pause(60000, all=False)
    result = in_background(lambda: kind.run(connection.incr("counter")))
    wait_for(lambda: old.admin.info("clients")["blocked_clients"])
    old.kill()
    if resend:
        assert result() == 1
    else:
        assert type(result()) is valkey.ConnectionError
        assert not kind.run(connection.exists("counter"))


def test_a_pipeline_whose_answer_was_lost(cluster: Cluster, kind: Blocking) -> None:
    connection = kind.connect(cluster.access)
    kind.run(connection.ping())
    old = cluster.primary
    old.admin.client_pause(60000, all=False)
    result = in_background(lambda: kind.run(connection.pipeline().incr("counter").execute()))
    wait_for(lambda: old.admin.info("clients")["blocked_clients"])
    old.kill()
    assert isinstance(result(), valkey.ConnectionError)
    assert not kind.run(connection.exists("counter"))


def test_subscriptions_are_renewed(cluster: Cluster, kind: Blocking) -> None:
    connection = kind.connect(cluster.access)
    subscriber = connection.pubsub(ignore_subscribe_messages=True)
    kind.run(subscriber.subscribe("channel"))
    kind.run(subscriber.get_message(timeout=0.1))
    cluster.primary.kill()
    received = None
    while received is None:
        kind.run(connection.publish("channel", "hello"))
        received = kind.run(subscriber.get_message(timeout=0.1))
    assert received["data"] == "hello"
    kind.run(subscriber.aclose() if isinstance(kind, Asyncio) else subscriber.close())


# The primary is demoted, and answers still.


def demote(cluster: Cluster) -> None:
    """A failover as of 9.1's COORDINATED: the old primary keeps its clients' connections.

    The new one has all that was written before.
    """
    written = cluster.primary.admin.info("replication")["master_repl_offset"]
    wait_for(
        lambda: all(
            replica.admin.info("replication").get("slave_repl_offset", -1) >= written
            for replica in cluster.replicas
        )
    )
    old, new = cluster.fail_over()
    old.admin.execute_command("REPLICAOF", new.endpoint.host, new.endpoint.port)
    wait_for(lambda: old.admin.info("replication")["master_link_status"] == "up")


def test_readonly_is_followed(cluster: Cluster, kind: Blocking) -> None:
    connection = kind.connect(cluster.access)
    kind.run(connection.set("key", "before"))
    demote(cluster)
    assert kind.run(connection.set("key", "after"))
    assert cluster.primary.admin.get("key") == "after"


def test_a_refused_transaction_is_sent_again(cluster: Cluster, kind: Blocking) -> None:
    connection = kind.connect(cluster.access)
    kind.run(connection.set("counter", 0))
    demote(cluster)
    assert kind.run(connection.pipeline().incr("counter").incr("counter").execute()) == [1, 2]


@pytest.mark.parametrize("retry", [False, True])
def test_a_primary_without_replicas_is_waited_for(
    cluster: Cluster, kind: Blocking, retry: bool
) -> None:
    """Within the time allowed; with a retry of its own the caller gets the server's error."""
    server = cluster.primary.admin
    server.config_set("min-replicas-to-write", 9)
    options = {"retry": kind.retry(NoBackoff(), 2)} if retry else {}
    connection = kind.connect(cluster.access, **options)
    if retry:
        for refused in (
            lambda: connection.set("counter", 0),
            lambda: connection.pipeline().incr("counter").execute(),
        ):
            with pytest.raises(valkey.ResponseError, match="NOREPLICAS"):
                kind.run(refused())
        return
    result = in_background(lambda: kind.run(connection.pipeline().incr("counter").execute()))
    time.sleep(0.5)
    server.config_set("min-replicas-to-write", 0)
    assert result() == [1]


def test_a_refused_pipeline_is_not(cluster: Cluster, kind: Blocking) -> None:
    connection = kind.connect(cluster.access)
    kind.run(connection.set("counter", 0))
    demote(cluster)
    pipeline = connection.pipeline(transaction=False)
    with pytest.raises(valkey.ReadOnlyError):
        kind.run(pipeline.get("counter").incr("counter").execute())
    assert kind.run(pipeline.get("counter").incr("counter").execute()) == ["0", 1]


def test_a_watched_key_is_not_watched_any_more(cluster: Cluster, kind: Blocking) -> None:
    connection = kind.connect(cluster.access)
    pipeline = connection.pipeline()
    kind.run(pipeline.watch("key"))
    demote(cluster)
    pipeline.multi()
    with pytest.raises(valkey.WatchError):
        kind.run(pipeline.set("key", "x").execute())


def test_who_only_reads_leaves_too(
    cluster: Cluster, kind: Blocking, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = kind.connect(cluster.access)
    monkeypatch.setattr("valkey_client.client._policy.ROLE_INTERVAL", 0)
    kind.run(connection.get("key"))
    demote(cluster)
    kind.run(connection.get("key"))
    assert connection.connection_pool.master_address[1] == cluster.primary.endpoint.port


def test_writes_wait_for_replicas(steady: Cluster, kind: Blocking) -> None:
    connection = kind.connect(steady.access)
    admin = steady.primary.admin
    admin.config_set("min-replicas-to-write", 3)
    result = in_background(lambda: kind.run(connection.incr("counter")))
    wait_for(lambda: "errorstat_NOREPLICAS" in admin.info("errorstats"))
    admin.config_set("min-replicas-to-write", 1)
    assert result() == 1


def test_a_refusal_that_lasts_is_told(steady: Cluster, kind: Blocking) -> None:
    connection = kind.connect(steady.access, retry_for=0.3)
    steady.primary.admin.config_set("min-replicas-to-write", 3)
    with pytest.raises(valkey.ResponseError, match="NOREPLICAS"):
        kind.run(connection.incr("counter"))
    with pytest.raises(valkey.ResponseError, match="NOREPLICAS"):
        kind.run(connection.pipeline().incr("counter").execute())


# Sentinels die, hang and lag.


def test_the_latest_failover_counts(cluster: Cluster, kind: Blocking) -> None:
    cluster.sentinels.insert(0, cluster.add_sentinel(cluster.primary, deaf=True))
    cluster.sentinels.pop()
    old, new = cluster.fail_over()
    access = cluster.access
    assert cluster.sentinels[0].endpoint == access.sentinel_endpoints[0]
    stale, *_ = cluster.sentinels
    # Both the Sentinel that is asked first and its primary are sure of themselves.
    assert stale.admin.sentinel_master("primary")["port"] == old.endpoint.port
    assert old.admin.execute_command("ROLE")[0] == "master"
    kind.run(kind.connect(access).set("key", "x"))
    assert new.admin.get("key") == "x"
    assert old.admin.get("key") is None


def test_hung_sentinels_are_asked_once(
    steady: Cluster, kind: Blocking, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = kind.connect(steady.access)
    asked: list[Any] = []
    for sentinel in connection.connection_pool.sentinel_manager.sentinels:
        ask = sentinel.sentinel_masters
        port = sentinel.connection_pool.connection_kwargs["port"]
        monkeypatch.setattr(
            sentinel, "sentinel_masters", lambda p=port, a=ask: (asked.append(p), a())[1]
        )
    hung = {s.endpoint.port for s in steady.sentinels[:2]}
    for sentinel in steady.sentinels[:2]:
        sentinel.freeze()
    monkeypatch.setattr("valkey_client.client._policy.SILENCE", LONG)
    for _ in range(5):
        kind.run(connection.connection_pool.disconnect(inuse_connections=False))
        kind.run(connection.ping())
    assert sum(port in hung for port in asked) == 2
    assert sum(port not in hung for port in asked) == 5


def test_no_sentinel_is_left(steady: Cluster, kind: Blocking) -> None:
    access = steady.access
    connection = kind.connect(access)
    kind.run(connection.ping())
    for sentinel in steady.sentinels:
        sentinel.kill()
    # What is connected goes on; what is not says why.
    assert kind.run(connection.set("key", "x"))
    with pytest.raises(valkey.ConnectionError, match="no Sentinel answers"):
        kind.run(kind.connect(access, retry_for=0.2).ping())


def test_sentinels_move(steady: Cluster, kind: Blocking) -> None:
    accesses = [steady.access]
    connection = kind.connect(lambda: accesses[-1])
    for sentinel in steady.sentinels:
        sentinel.kill()
    steady.sentinels = [steady.add_sentinel(steady.servers[0])]
    accesses.append(steady.access)
    assert kind.run(connection.ping())


# Passwords.


class Requirer:
    """What of a ValkeyRequirer a client needs."""

    def __init__(self, access: Access):
        self.access = access


@pytest.mark.parametrize("read_only", [False, True])
def test_a_stale_password_is_told_at_once(
    steady: Cluster, kind: Blocking, read_only: bool
) -> None:
    connection = kind.connect(steady.access, read_only=read_only, retry_for=LONG)
    kind.run(connection.ping())
    steady.change_password()
    with pytest.raises(valkey.AuthenticationError):
        kind.run(connection.get("key"))


@pytest.mark.parametrize("only_on", ["servers", "sentinels"])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_stale_password_somewhere(
    steady: Cluster, kind: Blocking, only_on: str, read_only: bool
) -> None:
    access = steady.access
    for process in getattr(steady, only_on):
        process.admin.execute_command("ACL", "SETUSER", access.username, "resetpass", ">other")
    connection = kind.connect(access, read_only=read_only, retry_for=LONG)
    with pytest.raises(valkey.AuthenticationError):
        kind.run(connection.get("key"))


@pytest.mark.parametrize("read_only", [False, True])
def test_a_new_password_is_picked_up(steady: Cluster, kind: Blocking, read_only: bool) -> None:
    requirer = Requirer(steady.access)
    connections = [
        kind.connect(requirer, read_only=read_only),
        kind.connect(lambda: requirer.access, read_only=read_only),
    ]
    for connection in connections:
        kind.run(connection.ping())
    steady.change_password()
    requirer.access = steady.access
    for connection in connections:
        assert kind.run(connection.ping())


def test_a_server_tells_of_the_new_password_first(steady: Cluster, kind: Blocking) -> None:
    """The Sentinels let the connection be that was made with the old one."""
    requirer = Requirer(steady.access)
    connection = kind.connect(requirer)
    kind.run(connection.ping())
    requirer.access = replace(requirer.access, password="another")
    for server in steady.servers:
        change = (requirer.access.username, "resetpass", ">another")
        server.admin.execute_command("ACL", "SETUSER", *change)
        server.admin.execute_command("CLIENT", "KILL", "USER", requirer.access.username)
    assert kind.run(connection.ping())


# Replicas, and no Sentinels.


def test_replicas_are_read_while_one_lives(steady: Cluster, kind: Blocking) -> None:
    kind.run(kind.connect(steady.access).set("key", "x"))
    wait_for(lambda: all(r.admin.get("key") == "x" for r in steady.replicas))
    connection = kind.connect(steady.access, read_only=True)
    first, second = steady.replicas
    for replica in (first, second):
        assert kind.run(connection.get("key")) == "x"
        with pytest.raises(valkey.ReadOnlyError):
            kind.run(connection.set("key", "y"))
        replica.kill()
    assert kind.run(connection.get("key")) == "x"


def test_a_replica_that_refuses_to_be_read_is_passed_over(steady: Cluster, kind: Blocking) -> None:
    cut_off, _ = steady.replicas
    cut_off.admin.config_set("replica-serve-stale-data", "no")
    cut_off.admin.execute_command("REPLICAOF", "127.0.0.1", "1")
    for _ in steady.replicas * 2:
        connection = kind.connect(steady.access, read_only=True)
        assert kind.run(connection.pipeline(transaction=False).get("key").execute()) == [None]


def test_without_sentinels(cluster: Cluster, kind: Blocking) -> None:
    def without(access: Access) -> Access:
        return replace(access, topology=replace(access.topology, sentinel_endpoints=()))

    requirer = Requirer(without(cluster.access))
    connection = kind.connect(requirer)
    assert kind.run(connection.set("key", "before"))
    demote(cluster)
    requirer.access = without(cluster.access)
    assert kind.run(connection.set("key", "after"))
    assert cluster.primary.admin.get("key") == "after"


TLS = Path(__file__).parent / "tls"


@pytest.fixture
def tls_endpoint(steady: Cluster) -> Generator[Endpoint]:
    """The primary through a TLS proxy: not every server is built with TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")

    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                outside = context.wrap_socket(self.request, server_side=True)
            except OSError:
                return  # The certificate was refused.
            with outside, socket.create_connection((plain.host, plain.port)) as inside:
                while True:
                    ready = [outside] if outside.pending() else []
                    ready = ready or select.select([outside, inside], [], [])[0]
                    for source in ready:
                        if not (data := source.recv(65536)):
                            return
                        (inside if source is outside else outside).sendall(data)

    plain = steady.primary.endpoint
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Endpoint("127.0.0.1", server.server_address[1])
        server.shutdown()
        thread.join()


def with_tls(access: Access, endpoint: Endpoint, ca: str) -> Access:
    topology = Topology((endpoint,), tls=True, tls_ca=(TLS / ca).read_text())
    return replace(access, topology=topology)


def test_a_certificate_that_is_not_trusted_is_told_at_once(
    steady: Cluster, kind: Blocking, tls_endpoint: Endpoint
) -> None:
    access = with_tls(steady.access, tls_endpoint, "other-ca.pem")
    with pytest.raises(valkey.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        kind.run(kind.connect(access, retry_for=LONG).ping())


def test_another_ca_is_picked_up(steady: Cluster, kind: Blocking, tls_endpoint: Endpoint) -> None:
    requirer = Requirer(with_tls(steady.access, tls_endpoint, "other-ca.pem"))
    connection = kind.connect(requirer, ssl_check_hostname=True)
    requirer.access = with_tls(steady.access, tls_endpoint, "server-ca.pem")
    assert kind.run(connection.ping())
    kind.close_one(connection)


def test_a_server_that_loads_is_waited_for(steady: Cluster, kind: Blocking) -> None:
    primary = steady.primary
    pipeline = primary.admin.pipeline(transaction=False)
    for n in range(10000):
        pipeline.set(f"key:{n}", "x")
    pipeline.execute()
    connection = kind.connect(steady.access)
    primary.kill()
    # It looks at its connections once in 1,024 commands of its AOF.
    primary.start("--key-load-delay", "200")
    with pytest.raises(valkey.BusyLoadingError):
        primary.admin.ping()
    assert kind.run(connection.pipeline(transaction=False).get("key:9999").execute()) == ["x"]


def test_an_own_database(folder: Path, kind: Blocking) -> None:
    """9.1 refuses whatever is not done in the account's database."""
    with Cluster(find_binary({"PATH": ""}), folder, down_after=None) as cluster:
        access = replace(cluster.access, database=5)
        for server in cluster.servers:
            rule = ("resetdbs", "db=5", "-client|setinfo")
            server.admin.execute_command("ACL", "SETUSER", access.username, *rule)
        connection = kind.connect(access, client_name="application")
        assert kind.run(connection.set("key", "x"))
        cluster.primary.admin.select(5)
        assert kind.run(kind.connect(access, protocol=3).get("key")) == "x"


def test_there_is_no_access_yet() -> None:
    with pytest.raises(UnreachableError, match="no access"):
        client.connect(lambda: None)


def test_who_only_reads_asks_the_provider_too(
    cluster: Cluster, kind: Blocking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it could keep a connection from before a change to TLS."""
    monkeypatch.setattr("valkey_client.client._policy.ROLE_INTERVAL", 0)
    asked: list[Access] = []

    def access() -> Access:
        asked.append(cluster.access)
        return cluster.access

    connection = kind.connect(access, read_only=True)
    kind.run(connection.ping())
    before = len(asked)
    kind.run(connection.ping())
    assert len(asked) > before


def test_a_task_that_is_cancelled_leaves_no_sentinels_of_before(cluster: Cluster) -> None:
    """It waits for connections to close, while others ask the Sentinels of now already."""
    accesses = [cluster.access]

    async def work() -> None:
        made = client.connect_async(lambda: accesses[-1])
        manager: Any = made.connection_pool.sentinel_manager
        for sentinel in manager.sentinels:
            sentinel.aclose = asyncio.Event().wait
        first = cluster.access.sentinel_endpoints[:1]
        topology = replace(cluster.access.topology, sentinel_endpoints=first)
        accesses.append(replace(cluster.access, topology=topology))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(manager.renew(), 0.1)
        assert len(manager.sentinels) == 1
        assert await made.ping()
        await made.aclose()

    asyncio.run(work())
