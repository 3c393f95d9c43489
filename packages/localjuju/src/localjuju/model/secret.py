"""Secrets, their revisions and those who read them."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field

from .status import now

_XID = string.digits + string.ascii_lowercase[:22]


@dataclass
class SecretRevision:
    """One revision of a secret."""

    content: dict[str, str]
    created: str = field(default_factory=now)


@dataclass
class SecretConsumer:
    """A unit that has read a secret."""

    tracked: int
    label: str = ""


@dataclass
class Secret:
    """A secret, its owner and those who have read it.

    Attributes:
        id: The last part of its URI.
        owner: The unit or application that owns it; ``<model>`` if the model's user does.
        label: The owner's label.
        description: The owner's description.
        rotate: The rotation policy, such as ``daily``.
        expire: When it expires.
        name: The name that the model's user gave it.
        created: When it was created.
        revisions: Those that have not been removed, by their number.
        latest: The number of the latest revision.
        grants: The relation that each reader, a unit or application, has it from; None for a
            grant of the model's user.
        consumers: The units that have read it.
    """

    id: str
    owner: str
    label: str = ""
    description: str = ""
    rotate: str = ""
    expire: str = ""
    name: str = ""
    created: str = field(default_factory=now)
    revisions: dict[int, SecretRevision] = field(default_factory=dict[int, SecretRevision])
    latest: int = 0
    grants: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    consumers: dict[str, SecretConsumer] = field(default_factory=dict[str, SecretConsumer])

    @property
    def uri(self) -> str:
        """How charms name it."""
        return f"secret:{self.id}"

    @property
    def owner_app(self) -> str:
        """The application that owns it, itself or through a unit."""
        return self.owner.partition("/")[0]

    def obsolete(self) -> list[int]:
        """Revisions that nobody tracks and that are not the latest."""
        tracked = {consumer.tracked for consumer in self.consumers.values()}
        return [r for r in sorted(self.revisions) if r != self.latest and r not in tracked]


def secret_id(uri: str) -> str:
    """``secret:ID`` and ``secret://MODEL/ID`` alike name ID."""
    return uri.rpartition("/")[2].rpartition(":")[2]


def new_secret_id() -> str:
    """Twenty characters, as in Juju."""
    return "".join(secrets.choice(_XID) for _ in range(20))
