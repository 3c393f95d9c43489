"""A server with a Sentinel, changed from plain to TLS and back as the operator does it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import valkey

from valkey_client import Access, Endpoint, Topology
from valkey_client.messages import PRIMARY_NAME
from valkey_client_testing import Binary
from valkey_client_testing.cluster import free_port, wait_for

from .pki import Pair

_REFUSAL = "certificate verify failed"
"""What a replica logs of a server whose certificate it does not accept."""

_RULES = "+@all ~* &*"


class Node:
    """One server and one Sentinel on loopback ports that stay the same.

    Attributes:
        access: What a provider would say; :meth:`change` does not touch it.
    """

    def __init__(self, binary: Binary, folder: Path, host: str = "127.0.0.1"):
        self._binary = binary
        self._folder = folder
        self.port, self.sentinel_port = free_port(), free_port()
        topology = Topology(
            endpoints=(Endpoint(host, self.port),),
            sentinel_endpoints=(Endpoint(host, self.sentinel_port),),
        )
        self.access = Access("*", "app", "secret", topology)
        self._tls: tuple[Pair, str] | None = None
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self._start_server()
        self._start_sentinel()
        return self

    def __exit__(self, *_: object) -> None:
        for port in list(self._processes):
            self._stop(port)

    def access_with(self, *cas: Pair) -> Access:
        """The access with TLS and these CAs, or without any, plain."""
        tls_ca = "".join(ca.certificate for ca in cas)
        topology = replace(self.access.topology, tls=bool(cas), tls_ca=tls_ca)
        return replace(self.access, topology=topology)

    def change(self, leaf: Pair | None, *trusted: Pair, hang_up: bool = True) -> None:
        """Give both another certificate, or change to TLS, or with None from it."""
        with self.admin() as admin:
            self._tls = (leaf, "".join(ca.certificate for ca in trusted)) if leaf else None
            settings = {"tls-port": 0, "port": self.port}
            if leaf:
                settings = {**self._files(), "port": 0, "tls-port": self.port}
            admin.config_set(*(part for pair in settings.items() for part in pair))
            if hang_up:
                admin.execute_command("CLIENT", "KILL", "USER", "app")
        self._stop(self.sentinel_port)
        self._start_sentinel()

    @contextlib.contextmanager
    def replica(self, leaf: Pair, *trusted: Pair) -> Generator[bool]:
        """Start a replica that trusts these CAs; gives whether it accepts the server."""
        port, own = free_port(), self._tls
        self._tls = (leaf, "".join(ca.certificate for ca in trusted))
        folder = self._folder / str(port)
        folder.mkdir()
        self._start(
            port,
            f"dir {folder}",
            f"replicaof 127.0.0.1 {self.port}",
            "masteruser admin",
            "masterauth admin",
        )
        self._tls = own
        secured: dict[str, Any] = {"ssl": True, "ssl_cert_reqs": "none"}
        try:
            with valkey.Valkey(
                port=port, username="admin", password="admin", **secured
            ) as replica:
                log = self._folder / f"{port}.log"
                wait_for(lambda: _is_up(replica) or _REFUSAL in log.read_text())
                yield _is_up(replica)
        finally:
            self._stop(port)

    def admin(self) -> Any:
        """A connection to the server without a restriction."""
        secured: dict[str, Any] = {}
        if self._tls:
            secured = {"ssl": True, "ssl_cert_reqs": "none"}
        return valkey.Valkey(port=self.port, username="admin", password="admin", **secured)

    def _files(self) -> dict[str, Any]:
        if not self._tls:
            return {}
        leaf, trusted = self._tls
        texts = {"cert": leaf.certificate, "key": leaf.key, "ca-cert": trusted}
        number = len(list(self._folder.iterdir()))
        settings: dict[str, Any] = {"tls-auth-clients": "optional"}
        for name, text in texts.items():
            path = self._folder / f"{number}-{name}.pem"
            path.write_text(text)
            settings[f"tls-{name}-file"] = str(path)
        return settings

    def _ports(self, port: int) -> list[str]:
        if not self._tls:
            return [f"port {port}"]
        files = [f"{name} {value}" for name, value in self._files().items()]
        return [*files, "port 0", f"tls-port {port}", "tls-replication yes"]

    def _start_server(self) -> None:
        self._start(self.port, 'save ""', "repl-diskless-sync-delay 0")

    def _start_sentinel(self) -> None:
        name = PRIMARY_NAME
        self._start(
            self.sentinel_port,
            f"sentinel monitor {name} 127.0.0.1 {self.port} 1",
            f"sentinel down-after-milliseconds {name} 60000",
            f"sentinel auth-user {name} admin",
            f"sentinel auth-pass {name} admin",
        )

    def _start(self, port: int, *lines: str) -> None:
        conf = self._folder / f"{port}.conf"
        users = [f"user {n} on >{p} {_RULES}" for n, p in (("admin", "admin"), ("app", "secret"))]
        text = [*self._ports(port), "bind 127.0.0.1", f"dir {self._folder}", *users, *lines]
        text += [f"logfile {self._folder}/{port}.log", "user default off"]
        conf.write_text("\n".join(text) + "\n")
        kind = ["--sentinel"] if port == self.sentinel_port else []
        command = [str(self._binary.path), str(conf), *kind]
        self._processes[port] = subprocess.Popen(command)
        wait_for(lambda: _listens(port))

    def _stop(self, port: int) -> None:
        process = self._processes.pop(port)
        process.kill()
        process.wait()


def _is_up(replica: Any) -> bool:
    return replica.info("replication")["master_link_status"] == "up"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
