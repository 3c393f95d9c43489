"""Databags as the checks see them: raw, and without the library's forbearance."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from .results import demand, need

ALIASES = ("database", "subject", "topic", "index", "plugin-url", "prefix")
"""The fields that carry the prefix in v0."""

Secrets = Callable[[str], "Mapping[str, str] | None"]
"""Content of a secret by its URI; None if it is not known."""


def parse(text: str) -> Any:
    """JSON as Python objects; None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def objects(value: Any) -> list[dict[str, Any]]:
    """The JSON objects of a JSON list; empty for anything else."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def unknown(_: str) -> None:
    """Knows no secret."""


@dataclass(frozen=True)
class Asked:
    """The application databag of a requirer."""

    bag: Mapping[str, str]

    @property
    def wire(self) -> Literal["v0", "v1"]:
        """The format that it chose."""
        return "v1" if self.bag.get("version") == "v1" else "v0"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The requests; that of v0 as if it were one of v1."""
        if self.wire == "v1":
            return objects(parse(self.bag.get("requests", "")))
        found = next((self.bag[name] for name in ALIASES if self.bag.get(name)), None)
        return [] if found is None else [{"resource": found}]


@dataclass(frozen=True)
class Answer:
    """The application databag of a provider.

    Attributes:
        bag: What it says.
        asked: What it answers, if that is known.
        secrets: Finds the secrets that it names.
    """

    bag: Mapping[str, str]
    asked: Asked | None = None
    secrets: Secrets = field(default=unknown)

    @property
    def wire(self) -> Literal["v0", "v1"]:
        """The format: that of the request if it is known."""
        if self.asked:
            return self.asked.wire
        return "v1" if "requests" in self.bag else "v0"

    @property
    def responses(self) -> list[dict[str, Any]]:
        """The responses that carry anything; that of v0 as if it were one of v1."""
        if self.wire == "v1":
            return objects(parse(self.bag.get("requests", "")))
        keys = ("secret-user", "endpoints", "resource")
        return [dict(self.bag)] if any(key in self.bag for key in keys) else []

    def granted(self) -> list[dict[str, Any]]:
        """The responses.

        Raises:
            NotApplicable: If there are none.
        """
        need(self.responses, f"there is no response ({self.wire})")
        return self.responses

    def texts(self, name: str) -> Iterator[str]:
        """A field of each response.

        Raises:
            Violation: If it is missing or not a string.
        """
        for response in self.granted():
            value = response.get(name)
            demand(isinstance(value, str) and value, f"{name} is {value!r} ({self.wire})")
            yield cast("str", value)

    def content(self, response: Mapping[str, Any], name: str) -> Mapping[str, str]:
        """The secret that a response names in a field.

        Raises:
            NotApplicable: If it names none, or the secret is not known.
        """
        uri = response.get(name)
        need(isinstance(uri, str) and uri, f"{name} is {uri!r}")
        found = self.secrets(cast("str", uri))
        need(found is not None, f"the content of {name} is not known")
        return cast("Mapping[str, str]", found)
