"""Units, and how far their agents have come."""

from __future__ import annotations

from dataclasses import dataclass, field

from .event import Event
from .status import Status
from .task import Command, Task


@dataclass
class SeenRelation:
    """What a unit has seen of a relation.

    Attributes:
        created: Whether ``relation-created`` has run.
        broken: Whether ``relation-broken`` has run.
        members: The version of the databag of each unit that has joined; -1 before the first
            ``relation-changed``.
        apps: The version of the databag of each application.
        changed_pending: The unit that has joined and whose ``relation-changed`` comes next.
    """

    created: bool = False
    broken: bool = False
    members: dict[str, int] = field(default_factory=dict[str, int])
    apps: dict[str, int] = field(default_factory=dict[str, int])
    changed_pending: str = ""


@dataclass
class Unit:
    """One unit, and what its agent has done so far.

    Its next hook is the difference between the model and what the agent has seen and done.

    Attributes:
        name: Such as ``valkey/0``.
        address: Its loopback address.
        machine: The number of its machine.
        alive: Whether it is not being removed.
        installed: Whether ``install`` has run, and ``remove`` has not.
        started: Whether ``start`` has run, and ``stop`` has not.
        stopped: Whether it was removed by force and runs nothing more.
        lost: Whether its machine is lost.
        elected: Whether ``leader-elected`` has run since it became the leader.
        config_seen: The version of the configuration of which it was told.
        charm_seen: The version of the charm of which it was told.
        upgraded: Whether ``upgrade-charm`` has run and ``config-changed`` has not followed yet.
        update_status_due: Whether it has to run ``update-status``.
        workload: The status that its charm has set.
        workload_version: The version that its charm has set.
        ports: The ports that its charm has opened.
        seen: What it has seen of each relation.
        secrets_seen: The latest revision of each secret of which it was told.
        removals_seen: Obsolete revisions of which it was told.
        due: Further events that it has to run.
        storages: The directory of each storage, by its id.
        attached: The ids of storage whose ``storage-attached`` has run.
        state: What its charm has stored with ``state-set``.
        tasks: Its actions, those that have finished among them.
        commands: Command lines of ``juju-exec`` that it has to run.
        running: The hook that runs now.
        failed: The hook that failed and is to be run again.
        failures: How often that has failed in a row.
        retry_at: When it is to be run again, on the model's clock.
    """

    name: str
    address: str
    machine: str
    alive: bool = True
    installed: bool = False
    started: bool = False
    stopped: bool = False
    elected: bool = False
    config_seen: int = -1
    charm_seen: int = 0
    upgraded: bool = False
    update_status_due: bool = False
    workload: Status = field(default_factory=lambda: Status("waiting", "installing agent"))
    workload_version: str = ""
    ports: set[str] = field(default_factory=set[str])
    seen: dict[int, SeenRelation] = field(default_factory=dict[int, SeenRelation])
    secrets_seen: dict[str, int] = field(default_factory=dict[str, int])
    removals_seen: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    due: list[Event] = field(default_factory=list[Event])
    storages: dict[str, str] = field(default_factory=dict[str, str])
    attached: set[str] = field(default_factory=set[str])
    state: dict[str, str] = field(default_factory=dict[str, str])
    tasks: list[Task] = field(default_factory=list[Task])
    commands: list[Command] = field(default_factory=list[Command])
    lost: bool = False
    failed: Event | None = None
    failures: int = 0
    retry_at: float = 0.0
    running: Event | None = None

    @property
    def app(self) -> str:
        """The name of its application."""
        return self.name.partition("/")[0]

    @property
    def number(self) -> int:
        """The number behind the slash."""
        return int(self.name.partition("/")[2])
