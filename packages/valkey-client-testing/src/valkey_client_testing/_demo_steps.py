"""The steps of the demonstration. Each verifies what it claims."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import jubilant
import valkey

import localjuju
from valkey_client.databag import read_responses
from valkey_client.messages import PRIMARY_NAME

from .project import charm_path, example_path

APP = "greeter"
OPERATOR = "valkey"
PORT = 6379
SENTINEL_PORT = 26379

OUTSIDE = (
    "GET billing:invoice",
    "SET billing:invoice 0",
    "PUBLISH __sentinel__:hello x",
    "SUBSCRIBE billing:events",
    "KEYS *",
    "SCAN 0",
    "FLUSHALL",
    "FLUSHDB",
    "CONFIG GET *",
    "ACL LIST",
    "CLIENT LIST",
    "EVAL return(redis.call('GET','billing:invoice')) 0",
)
"""Commands that an account for ``application:*`` must not be able to run."""


class StepError(AssertionError):
    """A claim of the demonstration is false."""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: A short name, for programs.
        title: What happens, for people.
        run: Does it and returns what it verified.
    """

    name: str
    title: str
    run: Callable[[], str]


class DemoSteps:
    """All steps, on one model.

    Args:
        juju: The model.
        units: How many units of Valkey to deploy.
        has_tls: Whether its server was built with TLS.
    """

    def __init__(self, juju: localjuju.Juju, units: int, *, has_tls: bool = False):
        self._juju = juju
        self._units = units
        self._has_tls = has_tls
        self._account: tuple[str, str] = ("", "")

    def steps(self) -> list[Step]:
        """The steps, in order."""
        return [
            Step("deploy", f"Deploy Valkey with {self._units} unit(s)", self._deploy),
            Step("integrate", f"Integrate the application {APP}", self._integrate),
            Step("use", "Use the account", self._use),
            Step("log-in", "Log in on every server and Sentinel", self._log_in_everywhere),
            Step("refused-commands", "Run commands outside of application:*", self._run_outside),
            Step(
                "invalid-request",
                "Integrate an application with an invalid request",
                self._add_invalid,
            ),
            *self._primary_changes(),
            *self._tls_changes(),
            Step("release", "Remove the relation", self._release),
        ]

    def _primary_changes(self) -> list[Step]:
        """Steps that need a replica, and a majority of Sentinels without the primary's."""
        if self._units < 3:
            return []
        return [
            Step("failover", "Kill the primary", self._failover),
            Step("switchover", "Run the switchover action", self._switchover),
        ]

    def _tls_changes(self) -> list[Step]:
        """Steps that need a server with TLS."""
        title = "Enable TLS, rotate the CA, and disable TLS"
        return [Step("tls", title, self._tls)] if self._has_tls else []

    def _deploy(self) -> str:
        config = {"down-after": 2, "failover-timeout": 5}  # short, for a demonstration
        self._juju.deploy(charm_path(), OPERATOR, num_units=self._units, config=config)
        self._juju.wait(lambda status: jubilant.all_active(status, OPERATOR))
        self._juju.settle()
        processes = 2 * self._units
        return f"{self._units} unit(s) active, {processes} processes, one primary"

    def _integrate(self) -> str:
        self._juju.deploy(example_path("greeter"), APP)
        self._juju.integrate(OPERATOR, APP)
        self._juju.wait(jubilant.all_active)
        self._juju.settle()
        self._account = self._credentials()
        return f"{APP} received the account {self._account[0]} in a Juju secret"

    def _use(self) -> str:
        first = self._juju.run(f"{APP}/0", "greet", {"name": "demo"}).results["times"]
        second = self._juju.run(f"{APP}/0", "greet", {"name": "demo"}).results["times"]
        _check((first, second) == ("1", "2"), f"counted {first} and {second}")
        return f"{APP} found the primary through Sentinel and counted to 2"

    def _log_in_everywhere(self) -> str:
        for address in self._addresses():
            for port in (PORT, SENTINEL_PORT):
                with self._connect(address, port) as connection:
                    connection.execute_command("PING")
        with self._primary() as connection:
            confirmed = connection.wait(self._units - 1, 5000)
        _check(confirmed == self._units - 1, f"{confirmed} replicas acknowledged the write")
        for address in self._addresses():
            with self._connect(address, PORT) as connection:
                value = connection.get("application:greeted:demo")
            _check(value == "2", f"{address} returned {value}")
        logins = 2 * self._units
        return f"{logins} of {logins} logins succeeded; every server has the value"

    def _run_outside(self) -> str:
        for command in OUTSIDE:
            task = self._juju.run(f"{APP}/0", "use", {"command": command})
            _check("refused" in task.results, f"{command} was not refused: {task.results}")
        return f"{len(OUTSIDE)} of {len(OUTSIDE)} commands refused"

    def _add_invalid(self) -> str:
        self._juju.deploy(
            example_path("malformed_requirer"), "malformed", config={"prefix": "app:* ~* +@all"}
        )
        self._juju.integrate(OPERATOR, "malformed")
        self._juju.wait(lambda status: jubilant.all_blocked(status, "malformed"))
        status = self._juju.status()
        _check(jubilant.all_active(status, OPERATOR, APP), "another application is not active")
        accounts = self._juju.run(f"{OPERATOR}/leader", "list-clients").results["count"]
        _check(accounts == "1", f"there are {accounts} accounts in place of 1")
        return "its status says why it has no access; the others are active"

    def _failover(self) -> str:
        # A Sentinel can promote only replicas that it knows; it asks for them every 10 s.
        self._juju.wait(lambda _: all(map(self._sees_replicas, self._addresses())))
        old = self._published()
        start = time.monotonic()
        os.kill(self._server_of(old), signal.SIGKILL)
        self._juju.wait(lambda _: self._published() != old)
        seconds = time.monotonic() - start
        self._juju.settle()
        times = self._juju.run(f"{APP}/0", "greet", {"name": "demo"}).results["times"]
        _check(times == "3", f"{APP} counted to {times}")
        return (
            f"endpoints changed from {old} to {self._published()} after {seconds:.1f} s;"
            f" {APP} counted to 3"
        )

    def _switchover(self) -> str:
        old = self._published()
        task = self._juju.run(f"{OPERATOR}/leader", "switchover")
        self._juju.settle()
        _check(self._published() != old, f"endpoints is still {old}")
        times = self._juju.run(f"{APP}/0", "greet", {"name": "demo"}).results["times"]
        _check(times == "4", f"{APP} counted to {times}")
        return f"{task.results['primary']} is the primary; {APP} counted to 4"

    def _tls(self) -> str:
        self._juju.deploy(example_path("certificates"), "certificates")
        self._juju.integrate(OPERATOR, "certificates")
        self._await_tls(lambda secret: secret["tls"] == "true")
        for address in self._addresses():
            for port in (PORT, SENTINEL_PORT):
                with (
                    self._connect(address, port) as connection,
                    contextlib.suppress(valkey.ConnectionError),
                ):
                    connection.execute_command("PING")
                    raise StepError(f"{address}:{port} still accepts connections without TLS")
        self._count("tls", 1)
        old = self._tls_secret()["tls-ca"]
        self._juju.run("certificates/0", "rotate-ca")
        self._await_tls(lambda secret: old not in secret["tls-ca"])
        self._count("tls", 2)
        self._juju.remove_relation(OPERATOR, "certificates")
        self._await_tls(lambda secret: secret["tls"] == "false")
        self._count("tls", 3)
        return f"{APP} followed each change and counted to 3; with TLS on, plain was refused"

    def _await_tls(self, condition: Callable[[dict[str, str]], bool]) -> None:
        self._juju.wait(lambda _: condition(self._tls_secret()))
        self._juju.settle()

    def _count(self, name: str, expected: int) -> None:
        times = self._juju.run(f"{APP}/0", "greet", {"name": name}).results["times"]
        _check(times == str(expected), f"{APP} counted to {times}")

    def _release(self) -> str:
        self._juju.remove_relation(OPERATOR, APP)
        self._juju.settle()
        for address in self._addresses():
            for port in (PORT, SENTINEL_PORT):
                with (
                    self._connect(address, port) as connection,
                    contextlib.suppress(valkey.AuthenticationError),
                ):
                    connection.execute_command("PING")
                    raise StepError(f"the account still works on {address}:{port}")
        secrets = [s for s in self._juju.secrets() if s.label and "valkey-client" in s.label]
        _check(not secrets, f"{len(secrets)} secrets still exist")
        return (
            f"the account is deleted on {2 * self._units} servers and Sentinels, and its secrets"
        )

    # The state of the model and of the servers.

    def _addresses(self) -> list[str]:
        return [self._juju.address(f"{OPERATOR}/{number}") for number in range(self._units)]

    def _published(self) -> str:
        """The primary's address in the relation."""
        relation = self._juju.relation_id(APP, "valkey")
        responses = read_responses(self._juju.databag(relation, OPERATOR)).responses
        return responses[0].topology.endpoints[0].host

    def _sees_replicas(self, address: str) -> bool:
        """Whether a Sentinel knows every replica and can promote each."""
        with self._connect(address, SENTINEL_PORT) as connection:
            replicas: list[dict[str, Any]] = connection.sentinel_slaves(PRIMARY_NAME)
        ready = [r for r in replicas if int(r["slave-priority"]) and not r["is_sdown"]]
        return len(ready) == self._units - 1

    def _server_of(self, address: str) -> int:
        """The id of the server process at an address."""
        with self._connect(address, PORT) as connection:
            return int(connection.info("server")["process_id"])

    def _credentials(self) -> tuple[str, str]:
        for secret in self._juju.secrets():
            if secret.label and secret.label.endswith("user.secret"):
                content = self._juju.show_secret(secret.uri, reveal=True).content
                return content["username"], content["password"]
        raise StepError("the provider created no secret")

    def _tls_secret(self) -> dict[str, str]:
        """The content of the application's TLS secret."""
        for secret in self._juju.secrets():
            if secret.label and secret.label.endswith("tls.secret"):
                return dict(self._juju.show_secret(secret.uri, reveal=True).content)
        raise StepError("the provider created no secret")

    @contextlib.contextmanager
    def _connect(self, address: str, port: int) -> Generator[Any]:
        username, password = self._account
        client = valkey.Valkey(
            address,
            port,
            username=username,
            password=password,
            decode_responses=True,
            socket_timeout=5,
        )
        with client:
            yield client

    @contextlib.contextmanager
    def _primary(self) -> Generator[Any]:
        for address in self._addresses():
            with self._connect(address, PORT) as connection:
                if connection.execute_command("ROLE")[0] == "master":
                    yield connection
                    return
        raise StepError("no server is primary")


def _check(condition: bool, problem: str) -> None:
    if not condition:
        raise StepError(problem)
