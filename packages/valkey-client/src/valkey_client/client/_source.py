"""Where a client gets its access: once, or again when it may have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .._errors import UnreachableError
from ..messages import Access


class HasAccess(Protocol):
    """Something with the current access, such as a :class:`ValkeyRequirer`."""

    @property
    def access(self) -> Access | None:
        """The access; None while it cannot be used."""
        ...


AccessSource = Access | HasAccess | Callable[[], Access | None]
"""An access, or where to get the current one."""


class Source:
    """The access of a client, and where to get a newer one.

    Args:
        origin: An access, which never changes, or where to get the current one.

    Raises:
        UnreachableError: If there is no access yet.
    """

    def __init__(self, origin: AccessSource):
        self._origin = origin
        first = self._current()
        if first is None:
            raise UnreachableError("no access to Valkey yet; wait for the event ready")
        self.access = first

    def renew(self) -> bool:
        """Get the current access; says whether it is another one."""
        access = self._current()
        if access is None or access == self.access:
            return False
        self.access = access
        return True

    def _current(self) -> Access | None:
        if isinstance(self._origin, Access):
            return self._origin
        if callable(self._origin):
            return self._origin()
        return self._origin.access
