"""Checks of a provider's databag and of the secrets that it names. They touch no server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from valkey_client import Endpoint

from .databags import ALIASES, Answer, objects, parse
from .results import Check, Violation, check, demand, need

_SERVER_VERSION = re.compile(r"\d+\.\d+(\.\d+)?\Z")


def _endpoints(text: str, name: str) -> str:
    for part in text.split(","):
        demand(Endpoint.parse(part), f"{name} holds {part!r}, which is not host:port")
    return text


def _v1(answer: Answer) -> None:
    need(answer.wire == "v1", "the relation is v0")


@check("v1-version", "wire", "A v1 requirer is answered with version: v1 at the top level.")
def v1_version(answer: Answer) -> str:
    """Anything else there breaks v1 requirers."""
    _v1(answer)
    need(answer.responses, "there is no response")
    found = answer.bag.get("version")
    demand(found == "v1", f"version is {found!r}")
    return "version is v1"


@check("v1-data", "wire", "data is a JSON object with an entry for the id of each response.")
def v1_data(answer: Answer) -> str:
    """Without it a v1 requirer of the field ignores everything, or fails."""
    _v1(answer)
    responses = answer.granted()
    data = parse(answer.bag.get("data", ""))
    demand(isinstance(data, dict), f"data is {answer.bag.get('data')!r}")
    entries = cast("dict[str, Any]", data)
    missing = [str(i) for r in responses if (i := r.get("request-id")) not in entries]
    demand(not missing, f"data has no entry for {', '.join(missing)}")
    return f"{len(responses)} response(s), each with an entry"


@check("v1-echo", "wire", "Each response repeats resource, request-id and salt of its request.")
def v1_echo(answer: Answer) -> str:
    """That is how a requirer finds its own."""
    _v1(answer)
    need(answer.asked, "the request is not known")
    asked = {r.get("request-id"): r for r in answer.asked.requests} if answer.asked else {}
    for response in answer.granted():
        request = asked.get(response.get("request-id"))
        demand(request, f"request-id {response.get('request-id')!r} was never asked for")
        for name in ("resource", "salt"):
            wanted, found = (request or {}).get(name), response.get(name)
            demand(wanted == found, f"{name} was {wanted!r} and is answered as {found!r}")
    return "all three are echoed"


@check("v0-echo", "wire", "A v0 answer repeats the field that carried the prefix, and resource.")
def v0_echo(answer: Answer) -> str:
    """A requirer of the field looks for its own field."""
    need(answer.wire == "v0", "the relation is v1")
    need(answer.asked, "the request is not known")
    bag: Mapping[str, str] = answer.asked.bag if answer.asked else {}
    alias = next((name for name in ALIASES if bag.get(name)), "")
    need(alias and answer.responses, "there is no response")
    for name in (alias, "resource"):
        found = answer.bag.get(name)
        demand(found == bag[alias], f"{name} is {found!r} and not {bag[alias]!r}")
    return f"{alias} and resource are {bag[alias]!r}"


@check("endpoints", "contract", "endpoints lists where to write, as host:port and commas.")
def endpoints(answer: Answer) -> str:
    """Section *Provider*."""
    return "; ".join(_endpoints(text, "endpoints") for text in answer.texts("endpoints"))


@check(
    "read-only-endpoints",
    "contract",
    "read-only-endpoints lists where to read, as host:port and commas.",
)
def read_only_endpoints(answer: Answer) -> str:
    """Section *Provider*; a service without replicas has none."""
    found = [r["read-only-endpoints"] for r in answer.granted() if r.get("read-only-endpoints")]
    need(found, "there are none, as in a service without replicas")
    return "; ".join(_endpoints(_text(text), "read-only-endpoints") for text in found)


@check(
    "sentinel-endpoints",
    "contract",
    "sentinel-endpoints lists the Sentinels, if there are any, as host:port and commas.",
)
def sentinel_endpoints(answer: Answer) -> str:
    """Section *Provider*."""
    names = ("sentinel-endpoints", "sentinel_endpoints")
    found = [_text(r[name]) for r in answer.granted() for name in names if r.get(name)]
    need(found, "there are none")
    return "; ".join(_endpoints(text, "sentinel-endpoints") for text in found)


@check(
    "v0-sentinel-spelling",
    "wire",
    "In v0 the Sentinels stand in sentinel_endpoints, with an underscore.",
)
def v0_sentinel_spelling(answer: Answer) -> str:
    """The contract's own example has it."""
    need(answer.wire == "v0", "the relation is v1")
    names = ("sentinel-endpoints", "sentinel_endpoints")
    need(any(answer.bag.get(name) for name in names), "there are none")
    demand(answer.bag.get("sentinel_endpoints"), "only sentinel-endpoints is there")
    return "sentinel_endpoints is there"


@check("server-version", "contract", "version is the number of the Valkey that is installed.")
def server_version(answer: Answer) -> str:
    """Section *Provider*."""
    found = list(answer.texts("version"))
    for text in found:
        demand(_SERVER_VERSION.match(text), f"version is {text!r}")
    return ", ".join(sorted(set(found)))


@check("mode", "contract", "mode is sentinel.")
def mode(answer: Answer) -> str:
    """Section *Provider*; no other mode is known to the contract."""
    for text in answer.texts("mode"):
        demand(text == "sentinel", f"mode is {text!r}")
    return "sentinel"


@check("secret-user-uri", "contract", "secret-user names a Juju secret.")
def secret_user_uri(answer: Answer) -> str:
    """Section *Provider*."""
    for text in answer.texts("secret-user"):
        demand(text.startswith("secret:"), f"secret-user is {text!r}")
    return "a secret's URI"


@check("secret-user", "contract", "The secret that secret-user names holds username and password.")
def secret_user(answer: Answer) -> str:
    """Section *Provider*."""
    for response in answer.granted():
        content = answer.content(response, "secret-user")
        missing = [name for name in ("username", "password") if not content.get(name)]
        demand(not missing, f"it holds no {' and no '.join(missing)}")
    return "username and password are there"


@check("secret-tls-uri", "contract", "secret-tls names a Juju secret.")
def secret_tls_uri(answer: Answer) -> str:
    """Section *Provider*."""
    for text in answer.texts("secret-tls"):
        demand(text.startswith("secret:"), f"secret-tls is {text!r}")
    return "a secret's URI"


@check(
    "secret-tls",
    "contract",
    "The secret that secret-tls names says in tls whether TLS is on (true or false, in lower"
    " case), and has the CA in tls-ca if it is.",
)
def secret_tls(answer: Answer) -> str:
    """Section *Provider*; v1 requirers break on ``True``."""
    seen: set[str] = set()
    for response in answer.granted():
        content = answer.content(response, "secret-tls")
        demand(content.get("tls") in {"true", "false"}, f"tls is {content.get('tls')!r}")
        demand(content["tls"] == "false" or content.get("tls-ca"), "tls is on without a tls-ca")
        seen.add(content["tls"])
    return f"tls is {' and '.join(sorted(seen))}"


@check("no-password", "contract", "No password stands in a databag.")
def no_password(answer: Answer) -> str:
    """Section *Behavior*: sensitive information travels in secrets."""
    text = " ".join(answer.bag.values())
    for response in answer.granted():
        password = answer.content(response, "secret-user").get("password")
        need(password, "there is no password")
        if password and password in text:
            raise Violation("the databag holds the password of secret-user")
    return "none is there"


@check("one-response", "wire", "No request-id is answered twice.")
def one_response(answer: Answer) -> str:
    """Which of two answers counts would be chance."""
    _v1(answer)
    ids = [str(response.get("request-id")) for response in answer.granted()]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    demand(not twice, f"{', '.join(twice)} is answered twice")
    return f"{len(ids)} response(s)"


@check("status", "wire", "status, if there is one, is a JSON list of code, message, resolution.")
def status(answer: Answer) -> str:
    """A v1 requirer of the field raises and resolves statuses from it."""
    need("status" in answer.bag, "there is none")
    value = parse(answer.bag["status"])
    demand(isinstance(value, list), f"status is {answer.bag['status']!r}")
    found = objects(value)
    demand(len(found) == len(cast("list[Any]", value)), "an entry is not a JSON object")
    for item in found:
        code = item.get("code")
        demand(isinstance(code, int), f"code is {code!r}")
        for name in ("message", "resolution"):
            demand(isinstance(item.get(name), str), f"{name} is {item.get(name)!r}")
    return f"{len(found)} status(es)"


def _text(value: object) -> str:
    demand(isinstance(value, str), f"it is {value!r}")
    return cast("str", value)


CHECKS: tuple[Check[Answer], ...] = (
    *(v1_version, v1_data, v1_echo, v0_echo, one_response, endpoints, read_only_endpoints),
    *(sentinel_endpoints, v0_sentinel_spelling, server_version, mode, secret_user_uri),
    *(secret_user, secret_tls_uri, secret_tls, no_password, status),
)
"""All of them, in the order of a report."""
