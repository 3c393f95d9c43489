"""What a hook changes; it becomes part of the model when the hook has succeeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class SecretChange:
    """What a hook changes of one secret.

    Attributes:
        content: The content of the next revision, if there is to be one.
        fields: New values of the label, description and the like.
        grant: Who may read it from now on, and the relation of each.
        revoke: Who may not.
        remove: Whether it is removed.
        remove_revisions: The revisions that are removed.
    """

    content: dict[str, str] | None = None
    fields: dict[str, str] = field(default_factory=dict[str, str])
    grant: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    revoke: set[str] = field(default_factory=set[str])
    remove: bool = False
    remove_revisions: set[int] = field(default_factory=set[int])


def merge(stored: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """A databag or a unit's state after some changes; an empty value removes its key."""
    return {key: value for key, value in {**stored, **changes}.items() if value != ""}
