"""What facts say about units, versions and relations."""

from __future__ import annotations

from dataclasses import replace

from .cluster_model import IPS, VERSION, make_facts, with_server, without_units


def test_a_relation_is_named_by_its_application_and_id() -> None:
    facts = make_facts(related=[3])
    assert facts.name_of(3) == "app3 (relation 3)"
    assert facts.name_of(4) == "relation 4", "it has ended"


def test_an_address_is_named_by_its_unit() -> None:
    facts = make_facts()
    assert facts.unit_at(IPS[1]) == "v/1"
    assert facts.unit_at("10.0.0.9") == "10.0.0.9", "no unit has it"


def test_absent_units_are_those_that_started_and_do_not_answer() -> None:
    facts = without_units(make_facts(), IPS[1], IPS[2])
    assert facts.absent_units == ("v/1", "v/2")
    peers = (*facts.peers[:2], replace(facts.peers[2], generation=0))
    assert replace(facts, peers=peers).absent_units == ("v/1",)


def test_a_unit_that_does_not_answer_has_the_oldest_version_of_the_others() -> None:
    facts = with_server(make_facts(), IPS[0], version=(8, 0, 1))
    assert facts.version_of(IPS[2]) == VERSION
    assert without_units(facts, IPS[2]).version_of(IPS[2]) == (8, 0, 1)
