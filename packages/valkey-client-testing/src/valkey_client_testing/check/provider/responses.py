"""Checks of a provider's databag and of the secrets that it names. They need no server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from valkey_client import Endpoint

from ..databags import ALIASES, ResponseDatabag, json_objects, parse_json
from ..results import Check, Violation, check, require, verify

_SERVER_VERSION = re.compile(r"\d+\.\d+(\.\d+)?\Z")


def _verify_endpoints(text: str, name: str) -> str:
    for part in text.split(","):
        verify(Endpoint.parse(part), f"{name} contains {part!r}, which is not host:port")
    return text


def _require_v1(databag: ResponseDatabag) -> None:
    require(databag.wire == "v1", "the relation is v0")


def _require_v0(databag: ResponseDatabag) -> None:
    require(databag.wire == "v0", "the relation is v1")


@check("v1-version", "wire", "In v1, the databag's version is v1.")
def v1_version(databag: ResponseDatabag) -> str:
    """Any other value there breaks v1 requirers."""
    _require_v1(databag)
    require(databag.responses, "there is no response")
    version = databag.fields.get("version")
    verify(version == "v1", f"version is {version!r}")
    return "version is v1"


@check("v1-data", "wire", "In v1, data is a JSON object with a key for the id of each response.")
def v1_data(databag: ResponseDatabag) -> str:
    """Without it existing v1 requirers ignore the databag, or fail."""
    _require_v1(databag)
    responses = databag.require_responses()
    data = parse_json(databag.fields.get("data", ""))
    verify(isinstance(data, dict), f"data is {databag.fields.get('data')!r}")
    entries = cast("dict[str, Any]", data)
    missing = [str(i) for r in responses if (i := r.get("request-id")) not in entries]
    verify(not missing, f"data has no key {', '.join(missing)}")
    return f"{len(responses)} response(s), each with a key in data"


@check("v1-echo", "wire", "In v1, a response repeats its request's resource, request-id and salt.")
def v1_echo(databag: ResponseDatabag) -> str:
    """A requirer finds the response to its request by these."""
    _require_v1(databag)
    require(databag.request, "the request is not known")
    listed = databag.request.requests if databag.request else []
    requests = {request.get("request-id"): request for request in listed}
    for response in databag.require_responses():
        request = requests.get(response.get("request-id"))
        verify(request, f"there is no request with request-id {response.get('request-id')!r}")
        for name in ("resource", "salt"):
            expected, actual = (request or {}).get(name), response.get(name)
            verify(expected == actual, f"{name} is {actual!r}, expected {expected!r}")
    return "all three are repeated"


@check("v0-echo", "wire", "In v0, the provider repeats the field with the prefix, and resource.")
def v0_echo(databag: ResponseDatabag) -> str:
    """An existing requirer looks for its own field."""
    _require_v0(databag)
    require(databag.request, "the request is not known")
    request: Mapping[str, str] = databag.request.fields if databag.request else {}
    alias = next((name for name in ALIASES if request.get(name)), "")
    require(alias and databag.responses, "there is no response")
    for name in (alias, "resource"):
        actual = databag.fields.get(name)
        verify(actual == request[alias], f"{name} is {actual!r}, expected {request[alias]!r}")
    return f"{alias} and resource are {request[alias]!r}"


@check("unique-responses", "wire", "No request-id has two responses.")
def unique_responses(databag: ResponseDatabag) -> str:
    """It would be undefined which of the two counts."""
    _require_v1(databag)
    ids = [str(response.get("request-id")) for response in databag.require_responses()]
    duplicates = sorted({i for i in ids if ids.count(i) > 1})
    verify(not duplicates, f"{', '.join(duplicates)} has more than one response")
    return f"{len(ids)} response(s)"


@check("endpoints", "contract", "endpoints lists where to write, as host:port with commas.")
def endpoints(databag: ResponseDatabag) -> str:
    """Section *Provider*."""
    return "; ".join(_verify_endpoints(text, "endpoints") for text in databag.texts("endpoints"))


@check(
    "read-only-endpoints",
    "contract",
    "read-only-endpoints lists where to read, if there are replicas, as host:port with commas.",
)
def read_only_endpoints(databag: ResponseDatabag) -> str:
    """Section *Provider*; a service without replicas has none."""
    name = "read-only-endpoints"
    texts = [_text(r[name]) for r in databag.require_responses() if r.get(name)]
    require(texts, "there are none, as in a service without replicas")
    return "; ".join(_verify_endpoints(text, name) for text in texts)


@check(
    "sentinel-endpoints",
    "contract",
    "sentinel-endpoints lists the Sentinels, if there are any, as host:port with commas.",
)
def sentinel_endpoints(databag: ResponseDatabag) -> str:
    """Section *Provider*."""
    names = ("sentinel-endpoints", "sentinel_endpoints")
    responses = databag.require_responses()
    texts = [_text(r[name]) for r in responses for name in names if r.get(name)]
    require(texts, "there are none")
    return "; ".join(_verify_endpoints(text, "sentinel-endpoints") for text in texts)


@check(
    "v0-sentinel-spelling",
    "wire",
    "In v0, the field with the Sentinels is sentinel_endpoints, with an underscore.",
)
def v0_sentinel_spelling(databag: ResponseDatabag) -> str:
    """The specification's own example has it."""
    _require_v0(databag)
    names = ("sentinel-endpoints", "sentinel_endpoints")
    require(any(databag.fields.get(name) for name in names), "there are none")
    verify(databag.fields.get("sentinel_endpoints"), "there is only sentinel-endpoints")
    return "sentinel_endpoints is there"


@check("server-version", "contract", "version is the version of the Valkey server.")
def server_version(databag: ResponseDatabag) -> str:
    """Section *Provider*."""
    versions = list(databag.texts("version"))
    for version in versions:
        verify(_SERVER_VERSION.match(version), f"version is {version!r}")
    return ", ".join(sorted(set(versions)))


@check("mode", "contract", "mode is sentinel.")
def mode(databag: ResponseDatabag) -> str:
    """Section *Provider*; the specification knows no other mode."""
    for text in databag.texts("mode"):
        verify(text == "sentinel", f"mode is {text!r}")
    return "sentinel"


@check("secret-user-uri", "contract", "secret-user is the URI of a Juju secret.")
def secret_user_uri(databag: ResponseDatabag) -> str:
    """Section *Provider*."""
    for text in databag.texts("secret-user"):
        verify(text.startswith("secret:"), f"secret-user is {text!r}")
    return "a secret's URI"


@check("secret-user", "contract", "The secret in secret-user contains username and password.")
def secret_user(databag: ResponseDatabag) -> str:
    """Section *Provider*."""
    for response in databag.require_responses():
        content = databag.secret_content(response, "secret-user")
        missing = [name for name in ("username", "password") if not content.get(name)]
        verify(not missing, f"it has no {' and no '.join(missing)}")
    return "username and password are there"


@check("secret-tls-uri", "contract", "secret-tls is the URI of a Juju secret.")
def secret_tls_uri(databag: ResponseDatabag) -> str:
    """Section *Provider*."""
    for text in databag.texts("secret-tls"):
        verify(text.startswith("secret:"), f"secret-tls is {text!r}")
    return "a secret's URI"


@check(
    "secret-tls",
    "contract",
    "The secret in secret-tls contains tls, which is true or false in lower case, and tls-ca if"
    " it is true.",
)
def secret_tls(databag: ResponseDatabag) -> str:
    """Section *Provider*; v1 requirers break on ``True``."""
    values: set[str] = set()
    for response in databag.require_responses():
        content = databag.secret_content(response, "secret-tls")
        verify(content.get("tls") in {"true", "false"}, f"tls is {content.get('tls')!r}")
        verify(content["tls"] == "false" or content.get("tls-ca"), "tls is true without a tls-ca")
        values.add(content["tls"])
    return f"tls is {' and '.join(sorted(values))}"


@check("no-password", "contract", "The provider's databag contains no password.")
def no_password(databag: ResponseDatabag) -> str:
    """Section *Behavior*: sensitive information travels in secrets."""
    text = " ".join(databag.fields.values())
    for response in databag.require_responses():
        password = databag.secret_content(response, "secret-user").get("password")
        require(password, "there is no password")
        if password and password in text:
            raise Violation("the databag contains the password of secret-user")
    return "no password"


@check(
    "status",
    "wire",
    "status, if it is there, is a JSON list of objects with code, message and resolution.",
)
def status(databag: ResponseDatabag) -> str:
    """Existing v1 requirers raise and resolve statuses from it."""
    require("status" in databag.fields, "there is none")
    value = parse_json(databag.fields["status"])
    verify(isinstance(value, list), f"status is {databag.fields['status']!r}")
    statuses = json_objects(value)
    verify(len(statuses) == len(cast("list[Any]", value)), "an entry is not a JSON object")
    for item in statuses:
        code = item.get("code")
        verify(isinstance(code, int), f"code is {code!r}")
        for name in ("message", "resolution"):
            verify(isinstance(item.get(name), str), f"{name} is {item.get(name)!r}")
    return f"{len(statuses)} status(es)"


def _text(value: object) -> str:
    verify(isinstance(value, str), f"it is {value!r}")
    return cast("str", value)


CHECKS: tuple[Check[ResponseDatabag], ...] = (
    *(v1_version, v1_data, v1_echo, v0_echo, unique_responses, endpoints, read_only_endpoints),
    *(sentinel_endpoints, v0_sentinel_spelling, server_version, mode, secret_user_uri),
    *(secret_user, secret_tls_uri, secret_tls, no_password, status),
)
"""All checks of this module, in the order of a report."""
