"""Passwords and certificates are rotated, and their secrets keep no more than what is read."""

from __future__ import annotations

import pytest

import localjuju

from ..conftest import CHARMS, failed_hooks

ROTATIONS = [10, pytest.param(50, marks=pytest.mark.slow)]

pytestmark = pytest.mark.field


def revisions(juju: localjuju.Juju) -> dict[str, int]:
    """How many revisions each secret has, by its label's last words."""
    counts: dict[str, int] = {}
    for secret in juju.snapshot().secrets:
        shown = juju.show_secret(secret.uri, revisions=True)
        counts[secret.label.split(".")[-2]] = len(shown.revisions or ())
    return counts


@pytest.mark.parametrize("count", ROTATIONS)
def test_rotations_leave_two_revisions_at_the_most(juju: localjuju.Juju, count: int) -> None:
    juju.deploy(CHARMS / "scripted_provider", "provider")
    juju.deploy(CHARMS / "scripted_requirer", "asker", num_units=2)
    juju.integrate("provider", "asker")
    juju.settle()
    for number in range(count):
        juju.config("provider", {"password": f"password-{number}", "ca": f"ca-{number}"})
        juju.settle()
    assert {name: number <= 2 for name, number in revisions(juju).items()} == {
        "user": True,
        "tls": True,
    }
    assert failed_hooks(juju) == []
    events = [
        entry.text for entry in juju.timeline.entries("log") if "removed revision" in entry.text
    ]
    assert events
    assert "password-" not in "".join(events)
