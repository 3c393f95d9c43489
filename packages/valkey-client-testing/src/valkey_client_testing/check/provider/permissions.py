"""Checks of the permissions of a provider's accounts, on its real servers."""

from __future__ import annotations

from collections.abc import Callable

from ..harness import Account, ProviderHarness, ReferenceRequirer
from ..harness.connections import can_log_in, log_in, permission_error, primary_by_sentinel
from ..results import Check, Violation, check, require, verify

KEYLESS_COMMANDS = (
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("RANDOMKEY",),
    ("DBSIZE",),
    ("PUBSUB", "CHANNELS"),
    ("CONFIG", "GET", "maxmemory"),
    ("ACL", "LIST"),
    ("CLIENT", "LIST"),
    ("SLOWLOG", "GET", "1"),
    ("FLUSHDB",),
)
"""Commands that name no key, and show or destroy the data of others."""

FOREIGN_KEY = "foreign:thing"

_KEY_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("SET", "text", "1"),
    ("GET", "text"),
    ("INCR", "text"),
    ("EXPIRE", "text", "60"),
    ("HSET", "hash", "field", "1"),
    ("HGET", "hash", "field"),
    ("LPUSH", "list", "1"),
    ("LRANGE", "list", "0", "-1"),
    ("DEL", "text"),
)


def _v1_and_v0(harness: ProviderHarness) -> tuple[ReferenceRequirer, ReferenceRequirer]:
    return harness.v1_requirer, harness.v0_requirer


def _for_both_accounts(harness: ProviderHarness, inspect: Callable[[Account], str]) -> str:
    """Inspect the account of a v1 and of a v0 requirer."""
    return "; ".join(
        f"{requirer.wire}: {inspect(requirer.account())}" for requirer in _v1_and_v0(harness)
    )


@check("secret-grant", "contract", "The secrets are granted before the databag names them.")
def secret_grant(harness: ProviderHarness) -> str:
    """Otherwise the requirer's first relation-changed fails."""
    for requirer in _v1_and_v0(harness):
        require(requirer.secret_reads, "no secret is named")
        errors = [result for result in requirer.secret_reads.values() if result != "ok"]
        verify(not errors, f"{requirer.wire}: {'; '.join(errors)}")
    return "each secret was readable in the hook that named it"


@check("login", "contract", "The account can log in on every server in the response.")
def login(harness: ProviderHarness) -> str:
    """Accounts are not replicated: a server without it refuses the client after a failover."""

    def inspect(account: Account) -> str:
        servers = harness.local_endpoints(account.servers, "endpoints")
        refusing = [str(e) for e in servers if not can_log_in(account, e)]
        verify(not refusing, f"{account.username} is refused by {', '.join(refusing)}")
        return f"{len(servers)} server(s) accept {account.username}"

    return _for_both_accounts(harness, inspect)


@check("sentinel-login", "wire", "The account can log in on every Sentinel in the response.")
def sentinel_login(harness: ProviderHarness) -> str:
    """The contract has one account, and a client needs Sentinel to find the primary."""

    def inspect(account: Account) -> str:
        sentinels = harness.local_endpoints(account.sentinels, "sentinel-endpoints")
        refusing = [str(e) for e in sentinels if not can_log_in(account, e)]
        verify(not refusing, f"{account.username} is refused by {', '.join(refusing)}")
        return f"{len(sentinels)} Sentinel(s) accept {account.username}"

    return _for_both_accounts(harness, inspect)


@check(
    "sentinel-primary",
    "wire",
    "The Sentinels know the primary in endpoints under primary-name, or under primary if that"
    " field is missing.",
)
def sentinel_primary(harness: ProviderHarness) -> str:
    """The specification has no field for the name; existing charms use ``primary``."""
    account = harness.v1_requirer.account()
    sentinels = harness.local_endpoints(account.sentinels, "sentinel-endpoints")
    require(account.primary, "there are no endpoints")
    for endpoint in sentinels:
        actual = primary_by_sentinel(account, endpoint)
        expected = (account.primary[0].host, account.primary[0].port)
        verify(actual == expected, f"{endpoint} says that {account.primary_name} is {actual}")
    return f"{account.primary_name} is {account.primary[0]}"


@check("inside-keys", "contract", "The account can read and write keys in its prefix.")
def inside_keys(harness: ProviderHarness) -> str:
    """Section *Provider*."""

    def inspect(account: Account) -> str:
        (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
        with log_in(account, primary) as client:
            for command, key, *rest in _KEY_COMMANDS:
                error = permission_error(client, command, account.in_prefix(key), *rest)
                verify(not error, f"{command} {account.in_prefix(key)}: {error}")
        return f"{len(_KEY_COMMANDS)} commands on {account.prefix}"

    return _for_both_accounts(harness, inspect)


@check("outside-keys", "contract", "The account can neither read nor write any other key.")
def outside_keys(harness: ProviderHarness) -> str:
    """Section *Provider*: the permissions are those for the prefix."""
    commands = (
        ("GET", FOREIGN_KEY),
        ("SET", FOREIGN_KEY, "1"),
        ("DEL", FOREIGN_KEY),
        ("EXISTS", FOREIGN_KEY),
        ("EVAL", f"return redis.call('EXISTS', '{FOREIGN_KEY}')", "0"),
    )
    return _for_both_accounts(harness, lambda account: _verify_refused(harness, account, commands))


@check(
    "inside-channels",
    "contract",
    "The account can publish and subscribe to channels in its prefix.",
)
def inside_channels(harness: ProviderHarness) -> str:
    """Section *Requirer*: the prefix is the range of keys and of message channels."""

    def inspect(account: Account) -> str:
        (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
        publish = ("PUBLISH", account.in_prefix("news"), "1")
        subscribe = ("SUBSCRIBE", account.in_prefix("n"))
        for command in (publish, subscribe):
            with log_in(account, primary) as client:
                error = permission_error(client, *command)
                verify(not error, f"{' '.join(command)}: {error}")
        return f"published and subscribed in {account.prefix}"

    return _for_both_accounts(harness, inspect)


@check("outside-channels", "contract", "The account can use no other channel.")
def outside_channels(harness: ProviderHarness) -> str:
    """A message in ``__sentinel__:hello`` makes every Sentinel follow another primary."""
    commands = (
        ("PUBLISH", "foreign:news", "1"),
        ("PUBLISH", "__sentinel__:hello", "kit"),
        ("SUBSCRIBE", "foreign:news"),
        ("PSUBSCRIBE", "*"),
    )
    return _for_both_accounts(harness, lambda account: _verify_refused(harness, account, commands))


@check(
    "keyless-commands",
    "contract",
    "The account cannot use commands without keys that show or destroy the data of others.",
)
def keyless_commands(harness: ProviderHarness) -> str:
    """A key pattern does not restrict these."""
    return _for_both_accounts(
        harness, lambda account: _verify_refused(harness, account, KEYLESS_COMMANDS)
    )


def _verify_refused(
    harness: ProviderHarness, account: Account, commands: tuple[tuple[str, ...], ...]
) -> str:
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    for command in commands:
        with log_in(account, primary) as client:
            if not permission_error(client, *command):
                raise Violation(f"{account.username} may run {' '.join(command)}")
    return f"{len(commands)} commands refused"


@check(
    "two-requests",
    "contract",
    "Two requests in one relation get two accounts, each for its own prefix.",
)
def two_requests(harness: ProviderHarness) -> str:
    """Section *Provider*: a user and password for each request."""
    requirer = harness.two_request_requirer
    one, two = (requirer.account(f"kit-{name}:*") for name in ("two", "three"))
    verify(one.username != two.username, f"both are {one.username}")
    for account, other in ((one, two), (two, one)):
        (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
        with log_in(account, primary) as client:
            error = permission_error(client, "GET", account.in_prefix("x"))
            require(not error, f"the account cannot read its own keys: {error}")
            # An account that may read everything is what outside-keys reports.
            reads_other = not permission_error(client, "GET", other.in_prefix("x"))
            verify(
                not reads_other or not permission_error(client, "GET", FOREIGN_KEY),
                f"{account.username} can read {other.prefix}",
            )
    return f"{one.username} and {two.username}"


@check("v0-field", "wire", "In v0, the prefix may be in any of the known fields.")
def v0_field(harness: ProviderHarness) -> str:
    """Existing providers look for ``topic`` and others as well as ``database``."""
    databag = harness.topic_requirer.response_databag
    verify(databag.responses, f"there is no response to topic: {databag.fields}")
    return "topic has a response"


@check("unknown-fields", "wire", "Unknown fields and nulls in a request are ignored.")
def unknown_fields(harness: ProviderHarness) -> str:
    """Existing requirers send a dozen of them."""
    databag = harness.unknown_field_requirer.response_databag
    verify(databag.responses, f"there is no response: {databag.fields}")
    return "the request has a response"


CHECKS: tuple[Check[ProviderHarness], ...] = (
    *(secret_grant, login, sentinel_login, sentinel_primary, inside_keys, outside_keys),
    *(inside_channels, outside_channels, keyless_commands, two_requests, v0_field, unknown_fields),
)
"""All checks of this module, in the order of a report."""
