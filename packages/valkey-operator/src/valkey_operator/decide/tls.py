"""The leader's decisions about TLS: which CAs everybody trusts, and when servers switch.

A CA is trusted everywhere before its first certificate is used, and as long as the last one is.
Servers switch all in one hook, once every unit can; each of the Sentinels follows in a hook of
its own unit, because a Sentinel cannot change while it runs. Clients are told when all have
switched; their connections last all the while.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..model.facts import Facts
from ..model.steps import SwitchTls
from ..model.tls_policy import TlsPolicy
from ..rules.pem import certificate_digests


def decide_policy(facts: Facts) -> TlsPolicy:
    """What the leader tells the units, but for CAs of clients."""
    policy = replace(facts.shared.tls, cas=_trusted_cas(facts))
    if not _is_on(facts, policy):
        return replace(policy, on=False, is_strict=False, issuers=frozenset())
    policy = replace(policy, on=True, issuers=_issuers(facts, policy))
    return replace(policy, is_strict=policy.is_strict or not not_switched(facts, policy))


def tls_switches(facts: Facts, policy: TlsPolicy) -> Iterable[SwitchTls]:
    """The servers that have to switch, the primary last."""
    leaves = {peer.address: peer.tls.leaf for peer in facts.peers}
    for server in facts.cluster.replicas_first:
        if server.tls != policy.on and (leaves.get(server.address) or not policy.on):
            yield SwitchTls(server.address, policy.on)


def not_switched(facts: Facts, policy: TlsPolicy) -> frozenset[str]:
    """The addresses of servers and Sentinels that have not switched yet."""
    nodes = (*facts.cluster.servers.values(), *facts.cluster.sentinels.values())
    return frozenset(node.address for node in nodes if node.tls != policy.on)


def units_not_ready(facts: Facts, policy: TlsPolicy) -> tuple[str, ...]:
    """The units for which the switch to TLS waits."""
    needed = certificate_digests(policy.cas)
    return tuple(
        peer.unit
        for peer in facts.peers
        if not (peer.started and peer.tls.leaf and needed <= peer.tls.trusted_digests)
    )


def tls_progress(facts: Facts, policy: TlsPolicy) -> str:
    """What a person should know of a switch that is not over, empty if there is none."""
    if addresses := not_switched(facts, policy):
        goal = "on" if policy.on else "off"
        units = ", ".join(peer.unit for peer in facts.peers if peer.address in addresses)
        return f"switching TLS {goal}: waiting for {units or 'removed units'}"
    if facts.has_certificates and not policy.on:
        units = ", ".join(units_not_ready(facts, policy))
        return f"TLS is waiting for {units or 'a healthy cluster'}"
    return ""


def _trusted_cas(facts: Facts) -> tuple[str, ...]:
    cas = {pem for peer in facts.peers for pem in peer.tls.anchors}
    # A leader that has just been elected hears of its peers one after the other.
    if len(facts.peers) < facts.planned_units:
        cas |= set(facts.shared.tls.cas)
    return tuple(sorted(cas))


def _issuers(facts: Facts, policy: TlsPolicy) -> frozenset[str]:
    """The CAs that every unit trusts; one that was trusted by all stays so for a new unit."""
    started = [peer.tls.trusted_digests for peer in facts.peers if peer.started]
    return frozenset(
        ca
        for ca in certificate_digests(policy.cas)
        if ca in facts.shared.tls.issuers or all(ca in trusts for trusts in started)
    )


def _is_on(facts: Facts, policy: TlsPolicy) -> bool:
    if facts.shared.tls.on:
        return facts.has_certificates
    if not facts.has_certificates or not policy.cas or units_not_ready(facts, policy):
        return False
    # A hook that died may have switched some of them.
    has_begun = any(server.tls for server in facts.cluster.servers.values())
    is_complete = len(facts.peers) == facts.planned_units and not facts.absent_units
    return has_begun or (is_complete and bool(facts.cluster.primary))
