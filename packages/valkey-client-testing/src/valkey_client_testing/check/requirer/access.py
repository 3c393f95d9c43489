"""Checks of how a requirer uses its access and follows changes of it."""

from __future__ import annotations

import contextlib

from ..harness import RequirerHarness
from ..results import Check, Violation, check, require, verify
from .restore import restore_access

CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


@check("empty-databag", "wire", "No hook fails while the provider's databag is empty.")
def empty_databag(harness: RequirerHarness) -> str:
    """Juju runs a requirer's hooks before the provider has answered."""
    failure = harness.first_failure
    with contextlib.suppress(Exception):
        harness.grant_access()
    verify(not failure, failure)
    return "no hook failed"


@check("reads-secret", "contract", "The requirer reads the secret in secret-user.")
def reads_secret(harness: RequirerHarness) -> str:
    """Section *Behavior*: both ends support Juju secrets."""
    harness.grant_access()
    _, read = harness.secret_revisions("user")
    verify(read, "no unit has read it")
    return f"read by {', '.join(sorted(read))}"


@check("uses-access", "contract", "The requirer sends its commands to the primary in endpoints.")
def uses_access(harness: RequirerHarness) -> str:
    """The purpose of the relation. Needs an action that uses Valkey."""
    _, read = harness.secret_revisions("user")
    require(read, "no unit has read the secret")
    primary = str(harness.servers.primary.endpoint)
    count = harness.count_commands()[primary]
    require(count or harness.action, "name an action of the charm that uses Valkey with --action")
    verify(count, f"{harness.action} sent no command to {primary}")
    return f"commands reached {primary}"


@check("requirer-no-password", "contract", "The requirer's databags contain no password.")
def requirer_no_password(harness: RequirerHarness) -> str:
    """Section *Behavior*: sensitive information travels in secrets."""
    for owner in (harness.subject, *harness.units):
        databag = harness.juju.databag(harness.relation, owner)
        verify(harness.password not in str(databag), f"the databag of {owner} has the password")
    return "no password"


@check(
    "stable-request-ids",
    "wire",
    "The ids of the requests do not change after an upgrade or a change of leader.",
)
def stable_request_ids(harness: RequirerHarness) -> str:
    """A new id is a new request: the provider would delete the account that clients use."""
    before = _request_ids(harness)
    events = ["an upgrade"]
    harness.juju.refresh(harness.subject, path=harness.charm)
    harness.settle()
    verify(_request_ids(harness) == before, "an upgrade changed the requests")
    if len(harness.units) > 1:
        old = harness.leader
        new = next(unit for unit in harness.units if unit != old)
        try:
            harness.juju.set_leader(new)
            harness.settle()
            verify(_request_ids(harness) == before, f"{new} changed the requests when elected")
        finally:
            harness.juju.set_leader(old)
            harness.settle()
        verify(_request_ids(harness) == before, f"{old} changed the requests when elected again")
        events.append("two elections")
    return f"the same after {' and '.join(events)}"


def _request_ids(harness: RequirerHarness) -> list[str]:
    requests = harness.request_databag.requests
    require(requests, "there is no request")
    return [f"{r.get('resource')} {r.get('request-id')}" for r in requests]


@check("field-changes", "contract", "No hook fails when a single field changes.")
def field_changes(harness: RequirerHarness) -> str:
    """Section *Provider*: all of these fields may change while the relation lasts."""
    changes = {
        "version": "9.9.9",
        "read-only-endpoints": "",
        "sentinel-endpoints": "10.9.9.9:26379",
    }
    with restore_access(harness):
        for name, value in changes.items():
            harness.publish(harness.responses(**{name: value}))
            try:
                harness.settle()
            except Violation as violation:
                raise Violation(f"{name}: {violation}") from None
    return ", ".join(changes)


@check(
    "follows-endpoints", "contract", "When endpoints changes, the requirer uses the new primary."
)
def follows_endpoints(harness: RequirerHarness) -> str:
    """Section *Provider*. Needs an action that uses Valkey."""
    old = harness.require_use()
    harness.servers.switch_over()
    try:
        harness.grant_access()
        new = str(harness.servers.primary.endpoint)
        count = harness.count_commands()[new]
        verify(count, f"it did not use {new} after {old} became a replica")
    finally:
        harness.servers.switch_over()
        harness.grant_access()
    return f"it switched from {old} to {new}"


@check(
    "password-rotation",
    "contract",
    "When the password changes, every unit that has read the secret reads its new revision.",
)
def password_rotation(harness: RequirerHarness) -> str:
    """Section *Provider*: the secret has the password, and Juju sends an event for each change."""
    _, read = harness.secret_revisions("user")
    require(read, "no unit has read the secret")
    harness.rotate_password()
    harness.settle()
    return _verify_latest_revision(harness, "user")


@check(
    "uses-new-password",
    "contract",
    "The requirer can still use Valkey after a change of the password.",
)
def uses_new_password(harness: RequirerHarness) -> str:
    """The old password stops working at once. Needs an action that uses Valkey."""
    primary = harness.require_use()
    harness.rotate_password()
    harness.settle()
    verify(harness.count_commands()[primary], "it did not use Valkey with the new password")
    return f"commands reached {primary}"


@check(
    "tls-change",
    "contract",
    "When TLS changes, every unit that has read the secret reads its new revision.",
)
def tls_change(harness: RequirerHarness) -> str:
    """Section *Provider*: the secret has the CA."""
    _, read = harness.secret_revisions("tls")
    require(read, "no unit has read the secret")
    with restore_access(harness):
        harness.publish(harness.responses(), tls={"tls": "true", "tls-ca": CA})
        harness.settle()
        return _verify_latest_revision(harness, "tls")


def _verify_latest_revision(harness: RequirerHarness, label: str) -> str:
    latest, read = harness.secret_revisions(label)
    outdated = sorted(unit for unit, revision in read.items() if revision < latest)
    verify(not outdated, f"{', '.join(outdated)} did not read revision {latest}")
    return f"revision {latest} was read by {', '.join(sorted(read))}"


CHECKS: tuple[Check[RequirerHarness], ...] = (
    *(empty_databag, reads_secret, uses_access, requirer_no_password, stable_request_ids),
    *(field_changes, follows_endpoints, password_rotation, uses_new_password, tls_change),
)
"""All checks of this module, in the order of a report."""
