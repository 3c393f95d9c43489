"""What a unit remembers of its certificates, and what follows from it and the leader's word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from .peer import Word
from .pem import fingerprint, fingerprints, trust_bundle

if TYPE_CHECKING:
    from .certificate import Identity


@dataclass(frozen=True)
class Kept:
    """A certificate that this unit has files of.

    Attributes:
        anchors: The CA certificates that others have to trust.
        begins: When it begins to be valid, in seconds since 1970.
        ends: When it expires.
    """

    anchors: tuple[str, ...]
    begins: float
    ends: float


class Loaded(NamedTuple):
    """What a server or Sentinel was given.

    Attributes:
        leaf: The certificate, by name; empty if none.
        bundle: The fingerprint of what it trusts.
    """

    leaf: str = ""
    bundle: str = ""


NOTHING = Loaded()


@dataclass(frozen=True)
class State:
    """What a unit remembers.

    Attributes:
        kept: The certificates that it has files of, by name.
        offered: The one that the provider gave last and that can be used, by name.
        server: What its server was given; it may speak plain all the same.
        sentinel: What its Sentinel was started with; empty if it speaks plain.
        problem: Why what the provider gave last cannot be used.
    """

    kept: Mapping[str, Kept] = field(default_factory=dict[str, Kept])
    offered: str = ""
    server: Loaded = NOTHING
    sentinel: Loaded = NOTHING
    problem: str = ""

    @classmethod
    def read(cls, text: str | None) -> State:
        """From its file."""
        said: dict[str, Any] = json.loads(text or "{}")
        kept = {
            name: Kept(tuple(entry["anchors"]), entry["begins"], entry["ends"])
            for name, entry in said.get("kept", {}).items()
        }
        return cls(
            kept,
            said.get("offered", ""),
            Loaded(*said.get("server", ())),
            Loaded(*said.get("sentinel", ())),
            said.get("problem", ""),
        )

    def text(self) -> str:
        """For its file."""
        return json.dumps(asdict(self))

    def offer(self, identity: Identity) -> State:
        """The same with a certificate that was given now."""
        kept = Kept(identity.anchors, identity.begins, identity.ends)
        return replace(
            self, kept={**self.kept, identity.name: kept}, offered=identity.name, problem=""
        )

    def anchors(self, *names: str) -> tuple[str, ...]:
        """The CA certificates of some certificates."""
        found = {pem for name in names if name in self.kept for pem in self.kept[name].anchors}
        return tuple(sorted(found))

    def leaf(self, word: Word) -> str:
        """The certificate to use, by name; empty for none.

        A new one is used when everybody is known to trust its CA, the old one until then. While
        all is plain nobody has to, yet.
        """
        allowed = word.issuers if word.on else fingerprints(word.cas)
        anchors = fingerprints(self.anchors(self.offered))
        if anchors and anchors <= allowed:
            return self.offered
        if self.offered or word.on:
            return self.server.leaf or self.sentinel.leaf
        return ""

    def bundle(self, word: Word) -> str:
        """Whom to trust, as the text of a file; empty without a certificate."""
        leaf = self.leaf(word)
        return trust_bundle(self.anchors(leaf), word.cas, word.client_cas) if leaf else ""

    def wanted(self, word: Word) -> Loaded:
        """What the server shall be given."""
        leaf = self.leaf(word)
        return Loaded(leaf, fingerprint(self.bundle(word))) if leaf else NOTHING

    def sentinel_changes_over(self, word: Word) -> bool:
        """Whether the Sentinel has to be started again at once, from plain to TLS or back."""
        return bool(self.sentinel.leaf) != word.on and bool(self.leaf(word) or not word.on)

    def sentinel_is_late(self, word: Word) -> bool:
        """Whether the Sentinel has other files than it should, and waits for its turn."""
        return bool(self.sentinel.leaf) and word.on and self.sentinel != self.wanted(word)

    def sentinel_has_expired(self, now: float) -> bool:
        """Whether nobody can connect to the Sentinel any more, and it has nothing to wait for."""
        used = self.kept.get(self.sentinel.leaf)
        return used is not None and now >= used.ends

    @property
    def in_use(self) -> frozenset[str]:
        """The certificates whose files are needed."""
        return frozenset({self.offered, self.server.leaf, self.sentinel.leaf} - {""})
