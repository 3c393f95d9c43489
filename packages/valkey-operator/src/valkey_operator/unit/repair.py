"""What somebody has changed by hand on this unit's running servers, put right."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..rules.passwords import Passwords
from ..rules.settings import Settings
from ..servers.cluster import Cluster
from ..servers.connection import Connection, NoLoginError, ServerError
from ..servers.drift import restore_settings
from ..workload import Service
from .node import Node

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DropOutcome:
    """What came of accounts that had to go.

    Attributes:
        stopped: Whether a server was stopped because of them; it is to be started again.
        dropped: Whether the leader had left one, so that it has to look at this unit again.
    """

    stopped: bool = False
    dropped: bool = False


@dataclass(frozen=True)
class Repair:
    """Looks at this unit's running servers. What it stops is to be started again.

    Attributes:
        node: The servers.
        cluster: Connections to them.
        passwords: Of the internal accounts.
        settings: The charm's configuration.
    """

    node: Node
    cluster: Cluster
    passwords: Passwords
    settings: Settings

    def undo_changes(self) -> bool:
        """Put right what can be put right on a running server; stop those where it cannot.

        Returns:
            Whether one was stopped.
        """
        return self._stop_locked() or (self._is_as_configured() and self._undo_settings())

    def _stop_locked(self) -> bool:
        locked: list[Service] = [
            name for name, connection in self._services() if connection.refuses_password()
        ]
        for service in locked:
            self.node.stop_service(service, "somebody has changed the charm's account on it")
        return bool(locked)

    def _is_as_configured(self) -> bool:
        """Whether it was started with the present configuration, and does not wait to restart."""
        digest = self.node.config_digest(self.passwords, self.settings)
        return digest == self.node.running_config_digest()

    def _undo_settings(self) -> bool:
        node = self.node
        try:
            settings = node.kept_settings(self.passwords, self.settings)
            for name in restore_settings(self.cluster.server(node.address), settings):
                logger.warning("the server: somebody has changed %s; it is as it was", name)
        except ServerError as error:
            logger.warning("the server's settings cannot be compared: %s", error)
        if altered := node.altered_sentinel_settings(self.passwords, self.settings):
            node.stop_service("sentinel", f"somebody has changed its {', '.join(altered)}")
        return bool(altered)

    def drop_accounts(self, gone: Sequence[str]) -> DropOutcome:
        """See that accounts which the leader has withdrawn are on this unit's servers no more.

        Where clients hold all connections, the leader could not log in to delete them, and this
        unit cannot either: that server is stopped. Nothing is lost: the primary waits for its
        replicas before it ends, and reads its append-only file when it starts again.

        Args:
            gone: The client accounts that must not exist any more.
        """
        stopped = dropped = False
        names = ", ".join(gone)
        for service, connection in self._services():
            try:
                if present := sorted(set(gone) & set(connection.ask("ACL USERS"))):
                    logger.info(
                        "%s of this unit: dropping accounts %s", service, ", ".join(present)
                    )
                    connection.ask("ACL DELUSER", *present)
                    dropped = True
            except NoLoginError as error:
                if error.is_full:
                    reason = f"clients hold all connections, and {names} must go"
                    self.node.stop_service(service, reason)
                    stopped = True
            except ServerError as error:
                logger.warning("%s: the leader has to drop %s: %s", service, names, error)
        return DropOutcome(stopped, dropped)

    def _services(self) -> Iterable[tuple[Service, Connection]]:
        """The services that run, the Sentinel first, with connections."""
        address = self.node.address
        if self.node.workload.is_running("sentinel"):
            yield "sentinel", self.cluster.sentinel(address)
        if self.node.workload.is_running("server"):
            yield "server", self.cluster.server(address)
