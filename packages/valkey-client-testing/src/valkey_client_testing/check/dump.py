"""Checking what ``juju show-unit`` printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from . import answers, requests
from .bench import UnfitError
from .databags import ALIASES, Answer, Asked, objects, parse
from .results import Result
from .run import judge

_ANSWERS = frozenset({"data", "endpoints", "secret-user", "secret-tls", "status"})


@dataclass(frozen=True)
class Seen:
    """The databag of a remote application, as a unit sees it."""

    unit: str
    endpoint: str
    relation: int
    bag: Mapping[str, str]

    @property
    def is_answer(self) -> bool:
        """Whether a provider wrote it."""
        listed = objects(parse(self.bag.get("requests", "")))
        return bool(self.bag.keys() & _ANSWERS or any(i.keys() & _ANSWERS for i in listed))

    @property
    def is_request(self) -> bool:
        """Whether a requirer wrote it."""
        return not self.is_answer and bool(self.bag.keys() & {"requests", *ALIASES})


def load(path: Path) -> list[Seen]:
    """Read the databags of a dump.

    Raises:
        UnfitError: If it is no output of ``juju show-unit``, or holds no such relation.
    """
    found = [seen for seen in _read(_yaml(path)) if seen.is_answer or seen.is_request]
    if not found:
        raise UnfitError(f"{path} shows no relation of valkey_client; is it from juju show-unit?")
    return found


def load_secrets(path: Path) -> dict[str, dict[str, str]]:
    """Read the contents of secrets, by the last part of their URI.

    Raises:
        UnfitError: If the file holds no mapping.
    """
    found: dict[str, dict[str, str]] = {}
    for uri, value in _yaml(path).items():
        content = _mapping(value)
        content = _mapping(content.get("content", content))
        content = _mapping(content.get("Data", content))
        found[_tail(str(uri))] = {str(k): str(v) for k, v in content.items()}
    return found


def run(seen: list[Seen], secrets: Mapping[str, Mapping[str, str]]) -> Iterator[Result]:
    """Check each databag."""

    def find(uri: str) -> Mapping[str, str] | None:
        return secrets.get(_tail(uri))

    asked = {s.relation: Asked(s.bag) for s in seen if s.is_request}
    for one in seen:
        if one.is_answer:
            answer = Answer(one.bag, asked.get(one.relation), find)
            results = [judge(check, answer) for check in answers.CHECKS]
        else:
            results = [judge(check, Asked(one.bag)) for check in requests.CHECKS]
        where = f"{one.unit} {one.endpoint}:{one.relation}"
        for result in results:
            yield dataclasses.replace(result, name=f"{where} {result.name}")


def _read(document: Mapping[str, Any]) -> Iterator[Seen]:
    for unit, shown in document.items():
        for relation in objects(_mapping(shown).get("relation-info")):
            bag = {str(k): str(v) for k, v in _mapping(relation.get("application-data")).items()}
            number = relation.get("relation-id")
            if isinstance(number, int):
                yield Seen(str(unit), str(relation.get("endpoint", "")), number, bag)


def _yaml(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnfitError(f"{path} cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise UnfitError(f"{path} holds no mapping")
    return cast("dict[str, Any]", document)


def _mapping(value: Any) -> dict[Any, Any]:
    return cast("dict[Any, Any]", value) if isinstance(value, dict) else {}


def _tail(uri: str) -> str:
    return uri.rpartition("/")[2].rpartition(":")[2]
