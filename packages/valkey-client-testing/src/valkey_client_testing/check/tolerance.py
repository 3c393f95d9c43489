"""Checks of what a requirer does, and bears, over time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping

from .requirer_bench import RequirerBench
from .results import Check, Violation, check, demand, need

CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
NOWHERE = "secret:9m4e2mr0ui3e8a215n4g"
"""A URI that names nothing."""


@contextlib.contextmanager
def _afterwards_good(bench: RequirerBench) -> Generator[None]:
    """Whatever happens, the requirer is given what it asked for in the end."""
    try:
        yield
    finally:
        bench.grant()


def _bears(bench: RequirerBench, bags: Mapping[str, Mapping[str, str]]) -> str:
    """Publish one databag after the other; no hook may fail."""
    with _afterwards_good(bench):
        for name, bag in bags.items():
            bench.write(bag, withheld="{withheld}" in str(bag))
            try:
                bench.settle()
            except Violation as failed:
                raise Violation(f"{name}: {failed}") from None
    return f"{len(bags)} databags: no hook failed"


@check("empty-provider", "wire", "A provider that has said nothing yet fails no hook.")
def empty_provider(bench: RequirerBench) -> str:
    """A provider answers when it can, and Juju wakes a requirer before that."""
    failed = bench.first_failure
    with contextlib.suppress(Exception):
        bench.grant()
    demand(not failed, failed)
    return "it waited"


@check("reads-secret", "contract", "The requirer reads the secret that secret-user names.")
def reads_secret(bench: RequirerBench) -> str:
    """Section *Behavior*: both ends support Juju secrets."""
    bench.grant()
    _, read = bench.revisions("user")
    demand(read, "no unit has read it")
    return f"read by {', '.join(sorted(read))}"


@check("uses-access", "contract", "What it does reaches the primary that endpoints names.")
def uses_access(bench: RequirerBench) -> str:
    """That is what the relation is for. Needs an action that uses Valkey."""
    _, read = bench.revisions("user")
    need(read, "no unit has read the secret")
    primary = str(bench.counterpart.primary.endpoint)
    used = bench.use()[primary]
    need(used or bench.action, "name an action of the charm that uses Valkey with --action")
    demand(used, f"{bench.action} sent no command to {primary}")
    return f"commands reached {primary}"


@check("own-no-password", "contract", "The requirer writes no password into a databag.")
def own_no_password(bench: RequirerBench) -> str:
    """Section *Behavior*: sensitive information travels in secrets."""
    for owner in (bench.subject, *bench.units):
        bag = bench.juju.databag(bench.relation, owner)
        demand(bench.password not in str(bag), f"the databag of {owner} holds the password")
    return "none is there"


@check("stable-id", "wire", "The ids of its requests stay, whoever leads and after an upgrade.")
def stable_id(bench: RequirerBench) -> str:
    """Another id is another request: the account would be deleted under its clients."""
    before = _ids(bench)
    seen = ["an upgrade"]
    bench.juju.refresh(bench.subject, path=bench.charm)
    bench.settle()
    demand(_ids(bench) == before, "an upgrade made other requests")
    if len(bench.units) > 1:
        old = bench.leader
        new = next(unit for unit in bench.units if unit != old)
        try:
            bench.juju.set_leader(new)
            bench.settle()
            demand(_ids(bench) == before, f"{new} asked otherwise when it was elected")
        finally:
            bench.juju.set_leader(old)
            bench.settle()
        demand(_ids(bench) == before, f"{old} asked otherwise when it was elected again")
        seen.append("two elections")
    return f"the same after {' and '.join(seen)}"


def _ids(bench: RequirerBench) -> list[str]:
    asked = bench.asked.requests
    need(asked, "there is no request")
    return [f"{r.get('resource')} {r.get('request-id')}" for r in asked]


@check("any-change", "contract", "A change of any single field fails no hook.")
def any_change(bench: RequirerBench) -> str:
    """Section *Provider*: all of these fields may change while the relation lasts."""
    changes = {
        "version": "9.9.9",
        "read-only-endpoints": "",
        "sentinel-endpoints": "10.9.9.9:26379",
    }
    with _afterwards_good(bench):
        for name, value in changes.items():
            bench.publish(bench.response(**{name: value}))
            try:
                bench.settle()
            except Violation as failed:
                raise Violation(f"{name}: {failed}") from None
    return ", ".join(changes)


@check("follows-endpoints", "contract", "When endpoints changes, it uses the new primary.")
def follows_endpoints(bench: RequirerBench) -> str:
    """Section *Provider*. Needs an action that uses Valkey."""
    old = bench.uses()
    bench.counterpart.move()
    try:
        bench.grant()
        new = str(bench.counterpart.primary.endpoint)
        demand(bench.use()[new], f"it did not use {new} after {old} became a replica")
    finally:
        bench.counterpart.move()
        bench.grant()
    return f"it went from {old} to {new}"


@check("rotation", "contract", "When the password changes, every unit that has it reads it anew.")
def rotation(bench: RequirerBench) -> str:
    """Section *Provider*: the secret has the password, and Juju tells each change of it."""
    _, read = bench.revisions("user")
    need(read, "no unit has read the secret")
    bench.rotate()
    bench.settle()
    return _all_latest(bench, "user")


@check("tls-change", "contract", "When TLS changes, every unit that knows reads it anew.")
def tls_change(bench: RequirerBench) -> str:
    """Section *Provider*: the secret has the CA."""
    _, read = bench.revisions("tls")
    need(read, "no unit has read the secret")
    with _afterwards_good(bench):
        bench.publish(bench.response(), tls={"tls": "true", "tls-ca": CA})
        bench.settle()
        return _all_latest(bench, "tls")


def _all_latest(bench: RequirerBench, label: str) -> str:
    latest, read = bench.revisions(label)
    behind = sorted(unit for unit, revision in read.items() if revision < latest)
    demand(not behind, f"{', '.join(behind)} did not read revision {latest}")
    return f"revision {latest} was read by {', '.join(sorted(read))}"


@check("uses-new-password", "contract", "After a change of the password it goes on.")
def uses_new_password(bench: RequirerBench) -> str:
    """The old password is refused at once here. Needs an action that uses Valkey."""
    primary = bench.uses()
    bench.rotate()
    bench.settle()
    demand(bench.use()[primary], "it did not use Valkey with the new password")
    return f"commands reached {primary}"


@check("withdrawn", "wire", "Access that is taken back while the relation lasts fails no hook.")
def withdrawn(bench: RequirerBench) -> str:
    """A provider withdraws what it no longer serves."""
    empty = {"version": "v1", "requests": "[]", "data": "{}"} if _is_v1(bench) else {}
    return _bears(bench, {"taken back": empty})


@check("refused", "wire", "A status in place of a response fails no hook.")
def refused(bench: RequirerBench) -> str:
    """5xxx says that a person must change something."""
    said = [{"code": 5002, "message": "the prefix is refused", "resolution": "Ask for another."}]
    bag = {"status": json.dumps(said), "data": "{}"}
    if _is_v1(bench):
        bag |= {"version": "v1", "requests": "[]"}
    return _bears(bench, {"refused": bag})


@check("hostile-text", "wire", "Text that is not the JSON that it should be fails no hook.")
def hostile_text(bench: RequirerBench) -> str:
    """Remote data is remote."""
    need(_is_v1(bench), "a v0 requirer reads no JSON")
    texts = ("[{", '"x"', "7", "null", "[null]", "{}")
    return _bears(
        bench, {f"requests is {t}": {"version": "v1", "requests": t, "data": "{}"} for t in texts}
    )


@check(
    "hostile-secret", "wire", "A URI of a secret that is not there or not granted fails no hook."
)
def hostile_secret(bench: RequirerBench) -> str:
    """A provider may name a secret before it is granted, or after it is removed."""
    bags = {
        what: bench.bag(bench.response(**{"secret-user": uri, "secret-tls": uri}))
        for what, uri in {"not there": NOWHERE, "not granted": "{withheld}"}.items()
    }
    return _bears(bench, bags)


@check("hostile-response", "wire", "A response to a request that was never made fails no hook.")
def hostile_response(bench: RequirerBench) -> str:
    """It may be the answer to a request of an earlier revision of the charm."""
    need(_is_v1(bench), "a v0 relation has one request")
    (good, *_) = bench.response()
    other = good | {"request-id": "0123456789abcdef", "resource": "foreign:*"}
    return _bears(bench, {"foreign": bench.bag([other, good])})


@check("hostile-endpoints", "wire", "Endpoints that are none fail no hook.")
def hostile_endpoints(bench: RequirerBench) -> str:
    """Nor do fields that are missing."""
    bags = {
        text: bench.bag(bench.response(endpoints=text)) for text in ("", ",", "here", "a:b,:1")
    }
    return _bears(bench, bags)


@check("removal", "contract", "The end of the relation fails no hook.")
def removal(bench: RequirerBench) -> str:
    """Section *Provider*: the account is deleted then."""
    bench.juju.remove_relation(f"{bench.subject}:{bench.endpoint}", f"{bench.provider}:clients")
    try:
        bench.settle()
    except Violation:
        bench.skip_failed()
        raise
    bench.has_let_go = True
    return "it let go"


@check("gives-up", "contract", "After the end of the relation it no longer uses the access.")
def gives_up(bench: RequirerBench) -> str:
    """Needs an action that uses Valkey."""
    bench.uses()
    need(bench.has_let_go, "it could not notice the end of the relation")
    used = bench.use()
    demand(not any(used.values()), f"it still sent {sum(used.values())} command(s)")
    return "no command reached a server"


def _is_v1(bench: RequirerBench) -> bool:
    return bench.asked.wire == "v1"


CHECKS: tuple[Check[RequirerBench], ...] = (
    *(empty_provider, reads_secret, uses_access, own_no_password, stable_id, any_change),
    *(follows_endpoints, rotation, uses_new_password, tls_change, withdrawn, refused),
    *(hostile_text, hostile_secret, hostile_response, hostile_endpoints, removal, gives_up),
)
"""All of them; the relation ends with the last."""
