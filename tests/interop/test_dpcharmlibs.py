"""Our ends against those of the library that the field uses, each charm in its own environment."""

from __future__ import annotations

import json

import localjuju

from ..conftest import CHARMS, failed_hooks, logged_events

FIELD, OURS = "field-requirer", "scripted-requirer"


def test_dpcharmlibs_requirer_receives_every_change_from_our_provider(
    juju: localjuju.Juju,
) -> None:
    juju.deploy(CHARMS / "scripted_provider", "provider")
    juju.deploy(CHARMS / "field_requirer", FIELD)
    juju.integrate("provider", FIELD)
    juju.settle()
    relation = juju.relation_id("provider", "valkey-client")
    request_id = json.loads(juju.databag(relation, FIELD)["requests"])[0]["request-id"]
    events = logged_events(juju, f"{FIELD}/0")
    assert events[-1] == {
        "event": "resource_created",
        "endpoints": "10.0.0.1:6379",
        "read-only-endpoints": "10.0.0.2:6379",
        "username": f"relation-{relation}-{request_id}",
        "password": "first",
        "tls": False,
        "tls_ca": None,
    }

    juju.config("provider", {"endpoints": "10.0.0.2:6379", "read-only-endpoints": "10.0.0.1:6379"})
    juju.settle()
    assert logged_events(juju, f"{FIELD}/0")[-1]["event"] == "endpoints_changed"
    assert logged_events(juju, f"{FIELD}/0")[-1]["endpoints"] == "10.0.0.2:6379"

    juju.config("provider", {"password": "second"})
    juju.settle()
    assert logged_events(juju, f"{FIELD}/0")[-1]["event"] == "authentication_updated"

    juju.config("provider", {"ca": "-----BEGIN CERTIFICATE-----"})
    juju.settle()
    assert logged_events(juju, f"{FIELD}/0")[-1]["event"] == "authentication_updated"
    tls = next(s for s in juju.secrets() if s.label and s.label.endswith("tls.secret"))
    content = juju.show_secret(tls.uri, reveal=True).content
    assert content == {"tls": "true", "tls-ca": "-----BEGIN CERTIFICATE-----"}

    juju.remove_relation("provider", FIELD)
    juju.settle()
    assert logged_events(juju, f"{FIELD}/0")[-1]["event"] == "valkey_relation_broken"
    assert juju.secrets() == []
    assert failed_hooks(juju) == []


def test_dpcharmlibs_requirer_survives_a_rejection_after_access(juju: localjuju.Juju) -> None:
    juju.deploy(CHARMS / "scripted_provider", "provider")
    juju.deploy(CHARMS / "field_requirer", FIELD)
    juju.integrate("provider", FIELD)
    juju.settle()
    juju.config("provider", {"reject": "no more"})
    juju.settle()
    assert juju.secrets() == []
    juju.config("provider", reset="reject")
    juju.settle()
    assert [t["event"] for t in logged_events(juju, f"{FIELD}/0")][0] == "resource_created"
    assert failed_hooks(juju) == []


def test_our_requirer_receives_every_change_from_a_dpcharmlibs_provider(
    juju: localjuju.Juju,
) -> None:
    juju.deploy(CHARMS / "field_provider", "provider")
    juju.deploy(CHARMS / "scripted_requirer", OURS)
    juju.integrate("provider", OURS)
    juju.settle()
    events = logged_events(juju, f"{OURS}/0")
    relation = juju.relation_id("provider", "valkey-client")
    assert [t["event"] for t in events] == ["ready"]
    assert events[0]["endpoints"] == "10.0.0.1:6379"
    assert events[0]["username"].startswith(f"relation-{relation}-")
    assert events[0]["password"] == "first"
    assert events[0]["tls"] is False
    assert juju.status().apps[OURS].units[f"{OURS}/0"].is_active

    juju.config("provider", {"endpoints": "10.0.0.9:6379"})
    juju.settle()
    assert logged_events(juju, f"{OURS}/0")[-1]["fields"] == ["endpoints"]
    assert logged_events(juju, f"{OURS}/0")[-1]["endpoints"] == "10.0.0.9:6379"

    juju.config("provider", {"password": "second"})
    juju.settle()
    assert logged_events(juju, f"{OURS}/0")[-1]["fields"] == ["password"]
    assert logged_events(juju, f"{OURS}/0")[-1]["password"] == "second"

    juju.config("provider", {"ca": "-----BEGIN CERTIFICATE-----"})
    juju.settle()
    assert logged_events(juju, f"{OURS}/0")[-1]["fields"] == ["tls", "tls-ca"]
    assert logged_events(juju, f"{OURS}/0")[-1]["tls"] is True
    assert logged_events(juju, f"{OURS}/0")[-1]["tls-ca"] == "-----BEGIN CERTIFICATE-----"

    juju.remove_relation("provider", OURS)
    juju.settle()
    assert logged_events(juju, f"{OURS}/0")[-1]["event"] == "gone"
    assert failed_hooks(juju) == []


FIRST, SECOND = (
    f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"
    for text in ("AAAA", "BBBB")
)


def test_our_requirer_sends_its_client_certificate_to_a_dpcharmlibs_provider(
    juju: localjuju.Juju,
) -> None:
    juju.deploy(CHARMS / "field_provider", "provider")
    juju.deploy(CHARMS / "scripted_requirer", OURS, config={"client-certificate": FIRST})
    juju.integrate("provider", OURS)
    juju.settle()
    assert logged_events(juju, "provider/0")[-1] == {"mtls-cert": FIRST}
    juju.config(OURS, {"client-certificate": SECOND})
    juju.settle()
    assert logged_events(juju, "provider/0")[-1] == {"mtls-cert": SECOND}
    assert failed_hooks(juju) == []


def test_dpcharmlibs_requirer_sends_its_client_certificate_to_our_provider(
    juju: localjuju.Juju,
) -> None:
    juju.deploy(CHARMS / "scripted_provider", "provider")
    juju.deploy(CHARMS / "field_requirer", FIELD, config={"client-certificate": FIRST})
    juju.integrate("provider", FIELD)
    juju.settle()
    assert logged_events(juju, "provider/0")[-1] == {"mtls-cert": FIRST, "problem": ""}
    assert failed_hooks(juju) == []
