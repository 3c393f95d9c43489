"""A provider of valkey_client, run by pytest-interface-tester on top of the conformance kit.

Every function here is a test to the tester, so modules are imported and no function is.
"""

import interface_tester
from ops import testing

from valkey_client_testing import fixtures
from valkey_client_testing.check import answers, conduct, databags, run


def test_a_v1_request_is_answered_as_the_contract_says():
    relation = fixtures.relation_for_provider("valkey-client", "asked", wire="v1").relation
    tester = interface_tester.Tester(testing.State(leader=True, relations=[relation]))
    out = tester.run("valkey-client-relation-changed")
    (found,) = [r for r in out.relations if r.interface == "valkey_client"]
    answer = databags.Answer(
        found.local_app_data,
        databags.Asked(found.remote_app_data),
        lambda uri: next((s.latest_content for s in out.secrets if s.id == uri), None),
    )
    assert answer.granted()
    run.hold(answers.CHECKS, answer)
    tester.assert_schema_valid()


def test_a_v0_request_is_answered_as_the_contract_says():
    relation = fixtures.relation_for_provider("valkey-client", "asked", wire="v0").relation
    tester = interface_tester.Tester(testing.State(leader=True, relations=[relation]))
    out = tester.run("valkey-client-relation-changed")
    (found,) = [r for r in out.relations if r.interface == "valkey_client"]
    answer = databags.Answer(
        found.local_app_data,
        databags.Asked(found.remote_app_data),
        lambda uri: next((s.latest_content for s in out.secrets if s.id == uri), None),
    )
    assert answer.granted()
    run.hold(answers.CHECKS, answer)
    tester.assert_schema_valid()


def test_nothing_is_published_before_something_is_asked_for():
    tester = interface_tester.Tester()
    tester.run("valkey-client-relation-created")
    tester.assert_relation_data_empty()


def test_a_request_that_is_not_json_is_borne():
    relation = testing.Relation(
        "valkey-client",
        interface="valkey_client",
        remote_app_data=conduct.MALFORMED["not JSON"],
    )
    tester = interface_tester.Tester(testing.State(leader=True, relations=[relation]))
    out = tester.run("valkey-client-relation-changed")
    assert not list(out.secrets)
    tester.skip_schema_validation()


def test_a_list_of_null_is_borne():
    relation = testing.Relation(
        "valkey-client",
        interface="valkey_client",
        remote_app_data=conduct.MALFORMED["a list of null"],
    )
    tester = interface_tester.Tester(testing.State(leader=True, relations=[relation]))
    out = tester.run("valkey-client-relation-changed")
    assert not list(out.secrets)
    tester.skip_schema_validation()
