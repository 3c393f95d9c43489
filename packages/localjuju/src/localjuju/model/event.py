"""What a unit has to run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One hook or action that a unit has to run.

    Attributes:
        kind: What happened, such as ``relation-changed``.
        hook: The name of the hook, such as ``valkey-relation-changed``; empty for an action.
        relation_id: The relation that it is about.
        remote_app: The application at the other side of the relation.
        remote_unit: The unit that it is about; empty if it is about the application.
        departing_unit: The unit that leaves, in relation-departed.
        secret_id: The secret that it is about.
        secret_revision: The revision of the secret, in secret-expired and secret-remove.
        storage_id: The storage that it is about, such as ``data/0``.
        task_id: The action that it runs.
        command_id: The command line of ``juju-exec`` that it runs.
    """

    kind: str
    hook: str
    relation_id: int | None = None
    remote_app: str = ""
    remote_unit: str = ""
    departing_unit: str = ""
    secret_id: str = ""
    secret_revision: int | None = None
    storage_id: str = ""
    task_id: str = ""
    command_id: str = ""

    def __str__(self) -> str:
        words = [self.hook or self.kind]
        if self.relation_id is not None:
            other = self.remote_unit or self.remote_app
            words.append(f"({self.relation_id}{' ' + other if other else ''})")
        if self.secret_revision is not None:
            words.append(f"(revision {self.secret_revision})")
        return " ".join(words)
