"""Checks of what a provider's account may do, on its real servers."""

from __future__ import annotations

from collections.abc import Callable

import valkey
import valkey.exceptions

from valkey_client import Endpoint

from .provider_bench import Account, Asker, ProviderBench
from .results import Check, NotApplicable, Violation, check, demand, need
from .servers import can_log_in, on_primary, refusal

KEYLESS = (
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
"""Commands that name no key, and show or destroy what belongs to others."""

FOREIGN = "foreign:thing"

_INSIDE: tuple[tuple[str, ...], ...] = (
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


def _askers(bench: ProviderBench) -> tuple[Asker, Asker]:
    return bench.v1, bench.v0


def _on_both(bench: ProviderBench, look: Callable[[Account], str]) -> str:
    """Look at the account of a v1 and of a v0 requirer."""
    return "; ".join(f"{asker.asked.wire}: {look(asker.account())}" for asker in _askers(bench))


@check("login", "contract", "The account works on every server that the answer lists.")
def login(bench: ProviderBench) -> str:
    """Accounts are not replicated: a server without it refuses the client after a failover."""

    def look(account: Account) -> str:
        served = bench.served(account.servers, "endpoints")
        without = [str(e) for e in served if not can_log_in(account, e)]
        demand(not without, f"{account.username} is refused by {', '.join(without)}")
        return f"{len(served)} server(s) know {account.username}"

    return _on_both(bench, look)


@check("sentinel-login", "wire", "The account works on every Sentinel that the answer lists.")
def sentinel_login(bench: ProviderBench) -> str:
    """The contract gives one account, and a client needs Sentinel to find the primary."""

    def look(account: Account) -> str:
        served = bench.served(account.sentinels, "sentinel-endpoints")
        without = [str(e) for e in served if not can_log_in(account, e)]
        demand(not without, f"{account.username} is refused by {', '.join(without)}")
        return f"{len(served)} Sentinel(s) know {account.username}"

    return _on_both(bench, look)


@check(
    "sentinel-primary",
    "wire",
    "A Sentinel that is asked for primary-name, or for primary if there is none, names the"
    " endpoint.",
)
def sentinel_primary(bench: ProviderBench) -> str:
    """The contract publishes the name nowhere; the field calls it primary."""
    account = bench.v1.account()
    served = bench.served(account.sentinels, "sentinel-endpoints")
    need(account.primary, "there are no endpoints")
    for endpoint in served:
        found = ask_sentinel(account, endpoint)
        wanted = (account.primary[0].host, account.primary[0].port)
        demand(found == wanted, f"{endpoint} says that {account.primary_name} is {found}")
    return f"{account.primary_name} is {account.primary[0]}"


def ask_sentinel(account: Account, endpoint: Endpoint) -> tuple[str, int] | None:
    """Whom a Sentinel takes for the primary; None if it does not know the name.

    Raises:
        NotApplicable: If the account cannot log in or may not ask.
    """
    command = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", account.primary_name)
    with on_primary(account, endpoint) as client:
        try:
            found = client.execute_command(*command)
        except valkey.exceptions.NoPermissionError:
            raise NotApplicable(f"the account may not ask {endpoint}") from None
    return (str(found[0]), int(found[1])) if found else None


@check("inside-keys", "contract", "The account may read and write the keys of its prefix.")
def inside_keys(bench: ProviderBench) -> str:
    """Section *Provider*."""

    def look(account: Account) -> str:
        (primary, *_) = bench.served(account.primary, "endpoints")
        with on_primary(account, primary) as client:
            for command, key, *rest in _INSIDE:
                said = refusal(client, command, account.name(key), *rest)
                demand(not said, f"{command} {account.name(key)}: {said}")
        return f"{len(_INSIDE)} commands on {account.prefix}"

    return _on_both(bench, look)


@check("outside-keys", "contract", "The account may neither read nor write any other key.")
def outside_keys(bench: ProviderBench) -> str:
    """Section *Provider*: the permissions are those for the prefix."""
    commands = (
        ("GET", FOREIGN),
        ("SET", FOREIGN, "1"),
        ("DEL", FOREIGN),
        ("EXISTS", FOREIGN),
        ("EVAL", f"return redis.call('EXISTS', '{FOREIGN}')", "0"),
    )
    return _on_both(bench, lambda account: _refused(bench, account, commands))


@check(
    "inside-channels", "contract", "The account may publish and subscribe inside of its prefix."
)
def inside_channels(bench: ProviderBench) -> str:
    """Section *Requirer*: the prefix is the range of keys and of message channels."""

    def look(account: Account) -> str:
        (primary, *_) = bench.served(account.primary, "endpoints")
        for command in (("PUBLISH", account.name("news"), "1"), ("SUBSCRIBE", account.name("n"))):
            with on_primary(account, primary) as client:
                said = refusal(client, *command)
                demand(not said, f"{' '.join(command)}: {said}")
        return f"published and subscribed in {account.prefix}"

    return _on_both(bench, look)


@check("outside-channels", "contract", "The account may use no other channel.")
def outside_channels(bench: ProviderBench) -> str:
    """A message in ``__sentinel__:hello`` makes every Sentinel follow another primary."""
    commands = (
        ("PUBLISH", "foreign:news", "1"),
        ("PUBLISH", "__sentinel__:hello", "kit"),
        ("SUBSCRIBE", "foreign:news"),
        ("PSUBSCRIBE", "*"),
    )
    return _on_both(bench, lambda account: _refused(bench, account, commands))


@check(
    "keyless",
    "contract",
    "The account may use no command that shows or destroys what is not in its prefix.",
)
def keyless(bench: ProviderBench) -> str:
    """These commands name no key, so that no key pattern fences them."""
    return _on_both(bench, lambda account: _refused(bench, account, KEYLESS))


def _refused(bench: ProviderBench, account: Account, commands: tuple[tuple[str, ...], ...]) -> str:
    (primary, *_) = bench.served(account.primary, "endpoints")
    for command in commands:
        with on_primary(account, primary) as client:
            if not refusal(client, *command):
                raise Violation(f"{account.username} may {' '.join(command)}")
    return f"{len(commands)} commands refused"


@check(
    "two-requests",
    "contract",
    "Two requests of one relation get two accounts, each for its own prefix.",
)
def two_requests(bench: ProviderBench) -> str:
    """Section *Provider*: a user and password for each request."""
    one, two = (bench.both.account(f"kit-{name}:*") for name in ("two", "three"))
    demand(one.username != two.username, f"both are {one.username}")
    for mine, other in ((one, two), (two, one)):
        (primary, *_) = bench.served(mine.primary, "endpoints")
        with on_primary(mine, primary) as client:
            said = refusal(client, "GET", mine.name("x"))
            need(not said, f"the account may not read its own keys: {said}")
            # An account that may read everything is what outside-keys reports.
            demand(
                refusal(client, "GET", other.name("x")) or refusal(client, "GET", FOREIGN) == "",
                f"{mine.username} reads {other.prefix}",
            )
    return f"{one.username} and {two.username}"


@check("secret-grant", "contract", "A requirer can read the secrets as soon as they are named.")
def secret_grant(bench: ProviderBench) -> str:
    """They are granted through the relation before the databag shows their URIs."""
    for asker in _askers(bench):
        need(asker.reads, "no secret is named")
        denied = [what for what in asker.reads.values() if what != "ok"]
        demand(not denied, f"{asker.asked.wire}: {'; '.join(denied)}")
    return "each was read in the hook that named it"


@check("v0-field", "wire", "In v0 the prefix may stand in any of the known fields.")
def v0_field(bench: ProviderBench) -> str:
    """Providers of the field look for ``topic`` and others as well as ``database``."""
    demand(bench.topic.answer.responses, f"topic was not answered: {bench.topic.bag}")
    return "topic was answered"


@check("unknown-fields", "wire", "Fields that are not known, and nulls, are passed over.")
def unknown_fields(bench: ProviderBench) -> str:
    """Requirers of the field send a dozen of them."""
    demand(bench.odd.answer.responses, f"the request was not answered: {bench.odd.bag}")
    return "the request was answered"


CHECKS: tuple[Check[ProviderBench], ...] = (
    *(secret_grant, login, sentinel_login, sentinel_primary, inside_keys, outside_keys),
    *(inside_channels, outside_channels, keyless, two_requests, v0_field, unknown_fields),
)
"""All of them, in the order of a report."""
