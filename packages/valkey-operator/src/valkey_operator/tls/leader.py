"""What the leader decides about TLS: whom everybody trusts, and when servers change.

A CA is trusted everywhere before the first certificate of it is used, and as long as the last one
is. Servers change all in one hook, once every unit can; each of the Sentinels follows in a hook
of its own unit, for a Sentinel cannot change while it runs. Clients are told when all of it is
done, and are connected all the while.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..facts import Facts
from ..observed import NodeFacts
from ..steps import SwitchTls
from .peer import Word
from .pem import fingerprints


def decide(facts: Facts) -> Word:
    """What the leader tells the units."""
    word = replace(facts.shared.tls, cas=_trusted(facts))
    if not _is_on(facts, word):
        return replace(word, on=False, is_strict=False, issuers=frozenset())
    word = replace(word, on=True, issuers=_issuers(facts, word))
    return replace(word, is_strict=word.is_strict or not is_switching(facts, word))


def switches(facts: Facts, word: Word) -> Iterable[SwitchTls]:
    """The servers that have to change, replicas before the primary."""
    servers = sorted(facts.cluster.servers.values(), key=lambda s: (s.role == "master", s.address))
    leaves = {peer.address: peer.tls.leaf for peer in facts.peers}
    for server in servers:
        if server.tls != word.on and (leaves.get(server.address) or not word.on):
            yield SwitchTls(server.address, word.on)


def is_switching(facts: Facts, word: Word) -> bool:
    """Whether servers and Sentinels are not yet all what they shall be."""
    return bool(late(facts, word))


def late(facts: Facts, word: Word) -> frozenset[str]:
    """The addresses of those that are not yet what they shall be."""
    return frozenset(node.address for node in _nodes(facts) if node.tls != word.on)


def missing(facts: Facts, word: Word) -> tuple[str, ...]:
    """The units for which a change to TLS waits."""
    needed = fingerprints(word.cas)
    return tuple(
        peer.unit
        for peer in facts.peers
        if not (peer.started and peer.tls.leaf and needed <= peer.tls.trusts)
    )


def progress(facts: Facts) -> str:
    """What a person should know of a change that is not over, empty if there is none."""
    word = decide(facts)
    if found := late(facts, word):
        what = "TLS" if word.on else "plain connections"
        waits = ", ".join(peer.unit for peer in facts.peers if peer.address in found)
        return f"changing to {what}: waits for {waits or 'units that are gone'}"
    if facts.certificates and not word.on:
        return f"TLS waits for {', '.join(missing(facts, word)) or 'the cluster to be well'}"
    return ""


def _nodes(facts: Facts) -> Iterable[NodeFacts]:
    yield from facts.cluster.servers.values()
    yield from facts.cluster.sentinels.values()


def _trusted(facts: Facts) -> tuple[str, ...]:
    found = {pem for peer in facts.peers for pem in peer.tls.anchors}
    # A leader that has just been elected meets its peers one after the other.
    if len(facts.peers) < facts.planned:
        found |= set(facts.shared.tls.cas)
    return tuple(sorted(found))


def _issuers(facts: Facts, word: Word) -> frozenset[str]:
    """The CAs that everybody trusts; one that is trusted by all stays so for a new unit."""
    started = [peer.tls.trusts for peer in facts.peers if peer.started]
    return frozenset(
        ca
        for ca in fingerprints(word.cas)
        if ca in facts.shared.tls.issuers or all(ca in trusts for trusts in started)
    )


def _is_on(facts: Facts, word: Word) -> bool:
    if facts.shared.tls.on:
        return facts.certificates
    if not facts.certificates or not word.cas or missing(facts, word):
        return False
    # A hook that died has changed some of them.
    has_begun = any(server.tls for server in facts.cluster.servers.values())
    is_whole = len(facts.peers) == facts.planned and not facts.absent
    return has_begun or (is_whole and bool(facts.cluster.primary))
