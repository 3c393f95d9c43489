"""Where a client learns what it is allowed: once, or anew when what it knows has gone stale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .._errors import UnreachableError
from ..messages import Access


class HasAccess(Protocol):
    """Something that knows the access of now, such as a :class:`ValkeyRequirer`."""

    @property
    def access(self) -> Access | None:
        """The access, or None as long as it cannot be used."""
        ...


AccessSource = Access | HasAccess | Callable[[], Access | None]
"""An access, or who can be asked for the one of now."""


class Source:
    """What was said last, and who to ask when it does not hold any more.

    Args:
        given: An access, which never changes, or who can be asked for it.

    Raises:
        UnreachableError: If there is no access yet.
    """

    def __init__(self, given: AccessSource):
        self._given = given
        first = self._ask()
        if first is None:
            raise UnreachableError("there is no access to Valkey yet")
        self.access = first

    def renew(self) -> bool:
        """Ask again; says whether the answer is another one."""
        found = self._ask()
        if found is None or found == self.access:
            return False
        self.access = found
        return True

    def _ask(self) -> Access | None:
        if isinstance(self._given, Access):
            return self._given
        if callable(self._given):
            return self._given()
        return self._given.access
