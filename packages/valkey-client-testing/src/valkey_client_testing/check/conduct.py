"""Checks of what a provider does over time."""

from __future__ import annotations

import time

from .grants import ask_sentinel
from .processes import kill_listener
from .provider_bench import Account, Asker, ProviderBench, request, v0, v1
from .results import Check, NotApplicable, Violation, check, demand, need
from .servers import can_log_in, on_primary, refusal

FAILOVER_SECONDS = 120.0
"""How long Sentinels may take to agree on another primary."""

MALFORMED = {
    "not JSON": {"version": "v1", "requests": "[{"},
    "a string": {"version": "v1", "requests": '"x"'},
    "an object": {"version": "v1", "requests": "{}"},
    "a list of null": {"version": "v1", "requests": "[null]"},
    "no resource": v1({"request-id": "1", "salt": "0123456789abcdef"}),
    "a null resource": v1(request("") | {"resource": None}),
    "a number as resource": v1(request("") | {"resource": 5}),
    "no id": v1({"resource": "kit-bad:*", "salt": "0123456789abcdef"}),
    "a number as id": v1(request("kit-bad:*") | {"request-id": 5}),
    "an unknown version": {"version": "v7", "requests": "[]"},
    "v0, not JSON": v0("kit-bad:*") | {"requested-secrets": "{"},
}
"""Databags of a neighbour that must harm nobody."""


def _works(bench: ProviderBench, account: Account) -> None:
    """Demand that an account works, unless another check reports that it never did."""
    (primary, *_) = bench.served(account.primary, "endpoints")
    demand(can_log_in(account, primary), f"{account.username} cannot log in any more")


def _working(bench: ProviderBench, asker: Asker, prefix: str = "") -> Account:
    """An account that works now."""
    account = asker.account(prefix)
    (primary, *_) = bench.served(account.primary, "endpoints")
    need(can_log_in(account, primary), "the account never worked")
    return account


@check("re-delivery", "wire", "An event that comes twice changes nothing.")
def redelivery(bench: ProviderBench) -> str:
    """Juju promises to deliver an event, not to deliver it once."""
    asker = bench.odd
    need(asker.answer.responses, "there is no response")
    before, content = asker.bag, asker.answer.content(asker.answer.responses[0], "secret-user")
    asker.touch()
    after = asker.bag
    changed = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    demand(not changed, f"{', '.join(changed)} changed")
    again = asker.answer.content(asker.answer.responses[0], "secret-user")
    demand(again == content, "there is another password")
    return "databag and password stay as they are"


@check("leader-change", "wire", "A new leader keeps what the old one granted.")
def leader_change(bench: ProviderBench) -> str:
    """The requirer has no part in it, and its clients go on."""
    need(len(bench.units) > 1, "there is one unit only; use --units")
    asker = bench.odd
    need(asker.answer.responses, "there is no response")
    content = asker.answer.content(asker.answer.responses[0], "secret-user")
    old = bench.leader
    bench.juju.set_leader(next(unit for unit in bench.units if unit != old))
    try:
        bench.settle()
        asker.touch()
        need(asker.answer.responses, "the response is gone")
        again = asker.answer.content(asker.answer.responses[0], "secret-user")
        demand(again == content, "there is another account or password")
        return f"{bench.leader} keeps what {old} granted"
    finally:
        bench.juju.set_leader(old)
        bench.settle()


@check("release-request", "contract", "A request that is withdrawn loses its account, no other.")
def release_request(bench: ProviderBench) -> str:
    """Section *Provider*: a user for each request."""
    asker = bench.both
    one, two = asker.asked.requests
    kept, dropped = (_working(bench, asker, request["resource"]) for request in (one, two))
    need(kept.username != dropped.username, "both requests have one account")
    asker.write(v1(one))
    _works(bench, kept)
    still = [str(e) for e in bench.served(dropped.servers, "endpoints") if can_log_in(dropped, e)]
    demand(not still, f"{dropped.username} still works on {', '.join(still)}")
    return f"{dropped.username} is gone, {kept.username} works"


@check("release-relation", "contract", "When the relation is removed, its accounts are deleted.")
def release_relation(bench: ProviderBench) -> str:
    """Section *Provider*."""
    seen: list[str] = []
    for asker in (bench.both, bench.topic):
        account = _working(bench, asker)
        asker.leave()
        places = (*account.servers, *(e for e in account.sentinels if e.host in bench.addresses))
        still = [str(e) for e in places if can_log_in(account, e)]
        demand(not still, f"{account.username} still works on {', '.join(still)}")
        seen.append(account.username)
    return f"{' and '.join(seen)} are gone"


@check(
    "one-and-ten", "contract", "Removing one relation leaves those with a similar number alone."
)
def one_and_ten(bench: ProviderBench) -> str:
    """An account is often named after its relation, and ``relation-1`` begins ``relation-10``."""
    one = bench.odd
    bench.juju.set_next_relation_id(one.relation * 10)
    tens = [bench.ask(bag) for bag in (v1(request("kit-ten:*")), v0("kit-eleven:*"))]
    accounts = [_working(bench, ten) for ten in tens]
    one.leave()
    for ten, account in zip(tens, accounts, strict=True):
        _works(bench, account)
        demand(ten.answer.responses, f"relation {ten.relation} has no response any more")
    others = " and ".join(str(ten.relation) for ten in tens)
    return f"relation {one.relation} was removed, {others} go on"


@check("malformed", "wire", "A databag that makes no sense harms neither hook nor neighbour.")
def malformed(bench: ProviderBench) -> str:
    """A requirer's mistake must not stop every other application's updates."""
    neighbour, asker = bench.v1.bag, bench.bad
    try:
        for name, bag in MALFORMED.items():
            try:
                asker.write(bag)
            except Violation as error:
                raise Violation(f"{name}: {error}") from None
            demand(bench.v1.bag == neighbour, f"{name}: the neighbour's databag changed")
        return f"{len(MALFORMED)} databags: no hook failed, no neighbour noticed"
    finally:
        asker.calm()


@check("injection", "contract", "A prefix that hides further rules widens no account.")
def injection(bench: ProviderBench) -> str:
    """A rule is often a line of text, in which a blank ends a pattern and begins another rule."""
    bench.bad.write(v1(request("kit-evil:* ~* +@all", "evil")))
    try:
        account = bench.bad.account()
    except NotApplicable:
        return "the request was not granted"
    (primary, *_) = bench.served(account.primary, "endpoints")
    need(can_log_in(account, primary), "the account cannot log in")
    with on_primary(account, primary) as client:
        demand(refusal(client, "GET", "foreign:thing"), f"{account.username} reads every key")
    return "the account was granted without the further rules"


@check("failover", "contract", "After a failover the answer names the new primary.")
def failover(bench: ProviderBench) -> str:
    """Section *Provider*: ``endpoints`` are where to write, for as long as the relation lasts."""
    account = bench.v1.account()
    (old, *_) = bench.served(account.primary, "endpoints")
    need(account.replicas, "there is no replica to promote; use --units 3")
    sentinels = [
        e for e in bench.served(account.sentinels, "sentinel-endpoints") if e.host != old.host
    ] or list(bench.served(account.sentinels, "sentinel-endpoints"))
    before = ask_sentinel(account, sentinels[0])
    need(before == (old.host, old.port), f"Sentinel knows {before} and not the endpoint")
    kill_listener(old, bench.juju.directory)
    deadline = time.monotonic() + FAILOVER_SECONDS
    while (now := ask_sentinel(account, sentinels[0])) == before:
        need(time.monotonic() < deadline, "no Sentinel promoted a replica")
        time.sleep(0.1)
    for unit in bench.units:
        bench.juju.update_status(unit)
    bench.settle()
    for asker in (bench.v1, bench.v0):
        found = asker.account().primary
        shown = [(e.host, e.port) for e in found]
        demand(shown == [now], f"{asker.asked.wire}: endpoints is {shown}, the primary is {now}")
    return f"{old} was killed, endpoints names {now and now[0]}:{now and now[1]}"


CHECKS: tuple[Check[ProviderBench], ...] = (
    *(redelivery, leader_change, release_request, release_relation, one_and_ten),
    *(malformed, injection, failover),
)
"""All of them; what disturbs the servers comes last."""
