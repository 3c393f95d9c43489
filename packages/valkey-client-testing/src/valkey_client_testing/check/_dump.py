"""Check the output of ``juju show-unit``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from .databags import ALIASES, RequestDatabag, ResponseDatabag, json_objects, parse_json
from .harness import CheckError
from .provider import responses
from .requirer import requests
from .results import Result
from .runner import run_check

_RESPONSE_FIELDS = frozenset({"data", "endpoints", "secret-user", "secret-tls", "status"})


@dataclass(frozen=True)
class RemoteDatabag:
    """The databag of a remote application, as a unit sees it.

    Attributes:
        unit: The unit.
        endpoint: The unit's endpoint.
        relation: The id of the relation.
        fields: The content of the databag.
    """

    unit: str
    endpoint: str
    relation: int
    fields: Mapping[str, str]

    @property
    def is_response(self) -> bool:
        """Whether a provider wrote it."""
        listed = json_objects(parse_json(self.fields.get("requests", "")))
        return any(fields.keys() & _RESPONSE_FIELDS for fields in (self.fields, *listed))

    @property
    def is_request(self) -> bool:
        """Whether a requirer wrote it."""
        return not self.is_response and bool(self.fields.keys() & {"requests", *ALIASES})


def load(path: Path) -> list[RemoteDatabag]:
    """Read the databags of a dump.

    Raises:
        CheckError: If it is no output of ``juju show-unit``, or shows no relation of
            ``valkey_client``.
    """
    databags = [d for d in _remote_databags(_load_yaml(path)) if d.is_response or d.is_request]
    if not databags:
        raise CheckError(f"{path} shows no relation of valkey_client; is it from juju show-unit?")
    return databags


def load_secrets(path: Path) -> dict[str, dict[str, str]]:
    """Read the contents of secrets, by the last part of their URI.

    Raises:
        CheckError: If the file contains no mapping.
    """
    contents: dict[str, dict[str, str]] = {}
    for uri, value in _load_yaml(path).items():
        content = _mapping(value)
        content = _mapping(content.get("content", content))
        content = _mapping(content.get("Data", content))
        contents[_secret_id(str(uri))] = {str(k): str(v) for k, v in content.items()}
    return contents


def run(
    databags: list[RemoteDatabag], secrets: Mapping[str, Mapping[str, str]]
) -> Iterator[Result]:
    """Check each databag."""

    def look_up(uri: str) -> Mapping[str, str] | None:
        return secrets.get(_secret_id(uri))

    written = {d.relation: RequestDatabag(d.fields) for d in databags if d.is_request}
    for databag in databags:
        if databag.is_response:
            answer = ResponseDatabag(databag.fields, written.get(databag.relation), look_up)
            results = [run_check(check, answer) for check in responses.CHECKS]
        else:
            request = RequestDatabag(databag.fields)
            results = [run_check(check, request) for check in requests.CHECKS]
        prefix = f"{databag.unit} {databag.endpoint}:{databag.relation}"
        for result in results:
            yield dataclasses.replace(result, name=f"{prefix} {result.name}")


def _remote_databags(document: Mapping[str, Any]) -> Iterator[RemoteDatabag]:
    for unit, value in document.items():
        for relation in json_objects(_mapping(value).get("relation-info")):
            data = _mapping(relation.get("application-data"))
            fields = {str(k): str(v) for k, v in data.items()}
            number = relation.get("relation-id")
            if isinstance(number, int):
                yield RemoteDatabag(str(unit), str(relation.get("endpoint", "")), number, fields)


def _load_yaml(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CheckError(f"{path} cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise CheckError(f"{path} contains no mapping")
    return cast("dict[str, Any]", document)


def _mapping(value: Any) -> dict[Any, Any]:
    return cast("dict[Any, Any]", value) if isinstance(value, dict) else {}


def _secret_id(uri: str) -> str:
    return uri.rpartition("/")[2].rpartition(":")[2]
