"""A requirer of valkey_client, run by pytest-interface-tester on top of the conformance kit.

Every function here is a test to the tester, so modules are imported and no function is.
"""

import interface_tester
from ops import testing

from valkey_client_testing.check import databags, requests, run, tolerance


def test_it_asks_when_the_relation_is_made():
    tester = interface_tester.Tester()
    out = tester.run("valkey-relation-created")
    (found,) = [r for r in out.relations if r.interface == "valkey_client"]
    run.hold(requests.CHECKS, databags.Asked(found.local_app_data))
    tester.assert_schema_valid()


def test_it_waits_for_a_provider_that_has_said_nothing():
    tester = interface_tester.Tester()
    tester.run("valkey-relation-changed")
    tester.assert_schema_valid()


def test_it_bears_an_answer_that_is_not_json():
    relation = testing.Relation(
        "valkey",
        interface="valkey_client",
        remote_app_data={"version": "v1", "requests": "[{", "data": "{"},
    )
    tester = interface_tester.Tester(testing.State(leader=True, relations=[relation]))
    tester.run("valkey-relation-changed")
    tester.assert_schema_valid()


def test_it_bears_a_secret_that_is_not_there():
    relation = testing.Relation(
        "valkey",
        interface="valkey_client",
        remote_app_data={
            "endpoints": "10.0.0.1:6379",
            "resource": "application:*",
            "secret-user": tolerance.NOWHERE,
            "secret-tls": tolerance.NOWHERE,
        },
    )
    tester = interface_tester.Tester(testing.State(leader=True, relations=[relation]))
    tester.run("valkey-relation-changed")
    tester.assert_schema_valid()


def test_it_bears_the_end_of_the_relation():
    tester = interface_tester.Tester()
    tester.run("valkey-relation-broken")
    tester.skip_schema_validation()
