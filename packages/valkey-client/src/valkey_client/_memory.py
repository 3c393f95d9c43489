"""What a unit of the requirer has seen, kept from hook to hook."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import cast

import ops


class SeenTexts:
    """Texts of one kind by key; a typed view of a dictionary in stored state.

    Args:
        stored: The dictionary. A change to it is saved at the end of the hook.
    """

    def __init__(self, stored: MutableMapping[str, dict[str, str]]):
        self._stored = stored

    def get(self, key: str) -> dict[str, str] | None:
        """A copy of what was seen, or None."""
        texts = self._stored.get(key)
        return None if texts is None else dict(texts)

    def set(self, key: str, texts: dict[str, str]) -> None:
        """Keep what is seen now."""
        self._stored[key] = texts

    def remove(self, key: str) -> None:
        """Forget it, if there is anything."""
        self._stored.pop(key, None)

    def keys_of(self, relation_id: int) -> list[str]:
        """The keys ``RELATION/PREFIX`` of one relation."""
        return [key for key in self._stored if key.startswith(f"{relation_id}/")]


class Memory:
    """The memory of this unit: endpoints, URIs of secrets and CA certificates, never a password.

    It is in local state and not in a databag, because a write to a databag wakes every unit of
    the provider.

    Args:
        stored: The stored state of the requirer. Its names are those of earlier revisions.

    Attributes:
        accesses: What was published for ``RELATION/PREFIX`` when its last event was emitted.
        refusals: Messages of the refusals of a relation, by the id of the relation and by code.
        certificates: Content of ``secret-tls`` for ``RELATION/PREFIX``, with its ``uri``.
    """

    def __init__(self, stored: ops.BoundStoredState):
        stored.set_default(accesses={}, refusals={}, certificates={}, leaving=False)
        self._stored = stored
        self.accesses = _view(stored.accesses)
        self.refusals = _view(stored.refusals)
        self.certificates = _view(stored.certificates)

    @property
    def is_leaving(self) -> bool:
        """Whether this unit is being removed."""
        return bool(self._stored.leaving)

    def note_leaving(self) -> None:
        """This unit is being removed."""
        self._stored.leaving = True


def _view(stored: object) -> SeenTexts:
    return SeenTexts(cast("MutableMapping[str, dict[str, str]]", stored))
