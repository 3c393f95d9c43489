"""A requirer of valkey_client, run by pytest-interface-tester on top of the conformance kit.

Every function here is a test to the tester, so modules are imported and no function is.
"""

import interface_tester
from ops import testing

from valkey_client_testing.check import databags, runner
from valkey_client_testing.check.requirer import requests, robustness


def test_it_sends_a_request_when_the_relation_is_created():
    tester = interface_tester.Tester()
    out = tester.run("valkey-relation-created")
    (result,) = [r for r in out.relations if r.interface == "valkey_client"]
    runner.require_no_failure(requests.CHECKS, databags.RequestDatabag(result.local_app_data))
    tester.assert_schema_valid()


def test_an_empty_databag_fails_no_hook():
    tester = interface_tester.Tester()
    tester.run("valkey-relation-changed")
    tester.assert_schema_valid()


def test_a_response_that_is_not_json_fails_no_hook():
    relation = testing.Relation(
        "valkey",
        interface="valkey_client",
        remote_app_data={"version": "v1", "requests": "[{", "data": "{"},
    )
    tester = interface_tester.Tester(testing.State(leader=True, relations=[relation]))
    tester.run("valkey-relation-changed")
    tester.assert_schema_valid()


def test_a_missing_secret_fails_no_hook():
    relation = testing.Relation(
        "valkey",
        interface="valkey_client",
        remote_app_data={
            "endpoints": "10.0.0.1:6379",
            "resource": "application:*",
            "secret-user": robustness.MISSING_SECRET,
            "secret-tls": robustness.MISSING_SECRET,
        },
    )
    tester = interface_tester.Tester(testing.State(leader=True, relations=[relation]))
    tester.run("valkey-relation-changed")
    tester.assert_schema_valid()


def test_the_removal_of_the_relation_fails_no_hook():
    tester = interface_tester.Tester()
    tester.run("valkey-relation-broken")
    tester.skip_schema_validation()
