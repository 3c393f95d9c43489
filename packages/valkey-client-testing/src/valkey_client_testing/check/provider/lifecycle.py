"""Checks of a provider over the life of a relation."""

from __future__ import annotations

import time

from ..harness import Account, ProviderHarness, ReferenceRequirer
from ..harness.connections import can_log_in, log_in, permission_error, primary_by_sentinel
from ..harness.processes import kill_listener
from ..harness.request_databags import v0_databag, v1_databag, v1_request
from ..results import Check, NotApplicable, Violation, check, require, verify

FAILOVER_SECONDS = 120.0
"""How long Sentinels may take to agree on another primary."""

MALFORMED = {
    "not JSON": {"version": "v1", "requests": "[{"},
    "a string": {"version": "v1", "requests": '"x"'},
    "an object": {"version": "v1", "requests": "{}"},
    "a list of null": {"version": "v1", "requests": "[null]"},
    "no resource": v1_databag({"request-id": "1", "salt": "0123456789abcdef"}),
    "a null resource": v1_databag(v1_request("") | {"resource": None}),
    "a number as resource": v1_databag(v1_request("") | {"resource": 5}),
    "no id": v1_databag({"resource": "kit-bad:*", "salt": "0123456789abcdef"}),
    "a number as id": v1_databag(v1_request("kit-bad:*") | {"request-id": 5}),
    "an unknown version": {"version": "v7", "requests": "[]"},
    "v0, not JSON": v0_databag("kit-bad:*") | {"requested-secrets": "{"},
}
"""Malformed databags of a requirer."""


def _verify_works(harness: ProviderHarness, account: Account) -> None:
    """Verify that an account that worked still works."""
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    verify(can_log_in(account, primary), f"{account.username} can no longer log in")


def _working_account(
    harness: ProviderHarness, requirer: ReferenceRequirer, prefix: str = ""
) -> Account:
    """An account that works now."""
    account = requirer.account(prefix)
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    require(can_log_in(account, primary), "the account never worked")
    return account


@check("event-redelivery", "wire", "An event that Juju delivers twice changes nothing.")
def event_redelivery(harness: ProviderHarness) -> str:
    """Juju delivers an event at least once."""
    requirer = harness.unknown_field_requirer
    before = requirer.response_databag
    require(before.responses, "there is no response")
    user = before.secret_content(before.responses[0], "secret-user")
    requirer.redeliver()
    after = requirer.response_databag
    keys = before.fields.keys() | after.fields.keys()
    changed = sorted(k for k in keys if before.fields.get(k) != after.fields.get(k))
    verify(not changed, f"{', '.join(changed)} changed")
    verify(after.secret_content(after.responses[0], "secret-user") == user, "the password changed")
    return "databag and password did not change"


@check("leader-change", "wire", "A new leader keeps the accounts that the old leader granted.")
def leader_change(harness: ProviderHarness) -> str:
    """The requirer takes no part in it, and its clients go on."""
    require(len(harness.units) > 1, "there is only one unit; use --units 2")
    requirer = harness.unknown_field_requirer
    databag = requirer.response_databag
    require(databag.responses, "there is no response")
    user = databag.secret_content(databag.responses[0], "secret-user")
    old = harness.leader
    harness.juju.set_leader(next(unit for unit in harness.units if unit != old))
    try:
        harness.settle()
        requirer.redeliver()
        databag = requirer.response_databag
        require(databag.responses, "the response is gone")
        new_user = databag.secret_content(databag.responses[0], "secret-user")
        verify(new_user == user, "the account or its password changed")
        return f"{harness.leader} keeps the account that {old} granted"
    finally:
        harness.juju.set_leader(old)
        harness.settle()


@check("release-request", "contract", "Only the account of a withdrawn request is deleted.")
def release_request(harness: ProviderHarness) -> str:
    """Section *Provider*: a user for each request."""
    requirer = harness.two_request_requirer
    one, two = requirer.request_databag.requests
    kept, withdrawn = (_working_account(harness, requirer, r["resource"]) for r in (one, two))
    require(kept.username != withdrawn.username, "both requests have one account")
    requirer.write(v1_databag(one))
    _verify_works(harness, kept)
    servers = harness.local_endpoints(withdrawn.servers, "endpoints")
    accepting = [str(e) for e in servers if can_log_in(withdrawn, e)]
    verify(not accepting, f"{withdrawn.username} still works on {', '.join(accepting)}")
    return f"{withdrawn.username} is deleted, {kept.username} works"


@check("release-relation", "contract", "The accounts of a removed relation are deleted.")
def release_relation(harness: ProviderHarness) -> str:
    """Section *Provider*."""
    usernames: list[str] = []
    for requirer in (harness.two_request_requirer, harness.topic_requirer):
        account = _working_account(harness, requirer)
        requirer.remove_relation()
        sentinels = (e for e in account.sentinels if e.host in harness.addresses)
        accepting = [str(e) for e in (*account.servers, *sentinels) if can_log_in(account, e)]
        verify(not accepting, f"{account.username} still works on {', '.join(accepting)}")
        usernames.append(account.username)
    return f"{' and '.join(usernames)} are deleted"


@check(
    "similar-relation-ids",
    "contract",
    "Removing a relation does not affect relations with a similar id, such as 1 and 10.",
)
def similar_relation_ids(harness: ProviderHarness) -> str:
    """An account is often named after its relation: ``relation-1``, ``relation-10``."""
    one = harness.unknown_field_requirer
    harness.juju.set_next_relation_id(one.relation * 10)
    databags = (v1_databag(v1_request("kit-ten:*")), v0_databag("kit-eleven:*"))
    others = [harness.add_requirer(databag) for databag in databags]
    accounts = [_working_account(harness, other) for other in others]
    one.remove_relation()
    for other, account in zip(others, accounts, strict=True):
        _verify_works(harness, account)
        verify(other.response_databag.responses, f"relation {other.relation} lost its response")
    ids = " and ".join(str(other.relation) for other in others)
    return f"relation {one.relation} was removed, {ids} still work"


@check(
    "malformed-request",
    "wire",
    "A malformed databag of a requirer fails no hook and changes nothing for other requirers.",
)
def malformed_request(harness: ProviderHarness) -> str:
    """One requirer's mistake must not stop the updates of all others."""
    requirer = harness.malformed_requirer
    before = harness.v1_requirer.response_databag.fields
    try:
        for name, databag in MALFORMED.items():
            try:
                requirer.write(databag)
            except Violation as violation:
                raise Violation(f"{name}: {violation}") from None
            after = harness.v1_requirer.response_databag.fields
            verify(after == before, f"{name}: the databag for another requirer changed")
        return f"{len(MALFORMED)} databags: no hook failed, no other databag changed"
    finally:
        requirer.reset()


@check(
    "acl-injection", "contract", "A prefix that contains ACL rules gives no further permission."
)
def acl_injection(harness: ProviderHarness) -> str:
    """A rule is often a line of text, in which a blank ends a pattern and starts another rule."""
    requirer = harness.malformed_requirer
    requirer.write(v1_databag(v1_request("kit-evil:* ~* +@all", "evil")))
    try:
        account = requirer.account()
    except NotApplicable:
        return "the request was not granted"
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    require(can_log_in(account, primary), "the account cannot log in")
    with log_in(account, primary) as client:
        error = permission_error(client, "GET", "foreign:thing")
        verify(error, f"{account.username} can read every key")
    return "the account was granted without the additional rules"


@check("failover", "contract", "After a failover, endpoints is the new primary.")
def failover(harness: ProviderHarness) -> str:
    """Section *Provider*: ``endpoints`` is where to write, for as long as the relation lasts."""
    account = harness.v1_requirer.account()
    (old, *_) = harness.local_endpoints(account.primary, "endpoints")
    require(account.replicas, "there is no replica to promote; use --units 3")
    local = harness.local_endpoints(account.sentinels, "sentinel-endpoints")
    sentinel = next((e for e in local if e.host != old.host), local[0])
    before = primary_by_sentinel(account, sentinel)
    require(before == (old.host, old.port), f"Sentinel knows {before}, which is not in endpoints")
    kill_listener(old, harness.juju.directory)
    deadline = time.monotonic() + FAILOVER_SECONDS
    while (new := primary_by_sentinel(account, sentinel)) == before:
        require(time.monotonic() < deadline, "no Sentinel promoted a replica")
        time.sleep(0.1)
    for unit in harness.units:
        harness.juju.update_status(unit)
    harness.settle()
    for requirer in (harness.v1_requirer, harness.v0_requirer):
        endpoints = [(e.host, e.port) for e in requirer.account().primary]
        verify(
            endpoints == [new], f"{requirer.wire}: endpoints is {endpoints}, the primary is {new}"
        )
    return f"{old} was killed, endpoints is {new and new[0]}:{new and new[1]}"


CHECKS: tuple[Check[ProviderHarness], ...] = (
    *(event_redelivery, leader_change, release_request, release_relation, similar_relation_ids),
    *(malformed_request, acl_injection, failover),
)
"""All checks of this module; those that disturb the servers come last."""
