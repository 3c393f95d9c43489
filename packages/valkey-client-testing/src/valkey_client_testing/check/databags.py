"""Databags as the checks read them: raw, without the tolerance of the library's codecs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from .results import require, verify

ALIASES = ("database", "subject", "topic", "index", "plugin-url", "prefix")
"""The fields that carry the prefix in v0."""

SecretLookup = Callable[[str], "Mapping[str, str] | None"]
"""The content of a secret by its URI; None if it is not known."""


def parse_json(text: str) -> Any:
    """JSON as Python objects; None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def json_objects(value: Any) -> list[dict[str, Any]]:
    """The JSON objects of a JSON list; empty for anything else."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def no_secrets(_: str) -> None:
    """A lookup that knows no secret."""


@dataclass(frozen=True)
class RequestDatabag:
    """The application databag of a requirer.

    Attributes:
        fields: Its content.
    """

    fields: Mapping[str, str]

    @property
    def wire(self) -> Literal["v0", "v1"]:
        """Its format."""
        return "v1" if self.fields.get("version") == "v1" else "v0"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The requests; that of v0 in the form of v1."""
        if self.wire == "v1":
            return json_objects(parse_json(self.fields.get("requests", "")))
        prefix = next((self.fields[name] for name in ALIASES if self.fields.get(name)), None)
        return [] if prefix is None else [{"resource": prefix}]


@dataclass(frozen=True)
class ResponseDatabag:
    """The application databag of a provider.

    Attributes:
        fields: Its content.
        request: The databag that it answers, if it is known.
        secrets: Looks up the secrets that it names.
    """

    fields: Mapping[str, str]
    request: RequestDatabag | None = None
    secrets: SecretLookup = field(default=no_secrets)

    @property
    def wire(self) -> Literal["v0", "v1"]:
        """Its format: that of the request if it is known."""
        if self.request:
            return self.request.wire
        return "v1" if "requests" in self.fields else "v0"

    @property
    def responses(self) -> list[dict[str, Any]]:
        """The responses that are not empty; that of v0 in the form of v1."""
        if self.wire == "v1":
            return json_objects(parse_json(self.fields.get("requests", "")))
        keys = ("secret-user", "endpoints", "resource")
        return [dict(self.fields)] if any(key in self.fields for key in keys) else []

    def require_responses(self) -> list[dict[str, Any]]:
        """The responses.

        Raises:
            NotApplicable: If there are none.
        """
        require(self.responses, f"there is no response ({self.wire})")
        return self.responses

    def texts(self, name: str) -> Iterator[str]:
        """A field of each response.

        Raises:
            Violation: If it is missing or not a string.
            NotApplicable: If there is no response.
        """
        for response in self.require_responses():
            value = response.get(name)
            verify(isinstance(value, str) and value, f"{name} is {value!r} ({self.wire})")
            yield cast("str", value)

    def secret_content(self, response: Mapping[str, Any], name: str) -> Mapping[str, str]:
        """The content of the secret that a field of a response names.

        Raises:
            NotApplicable: If it names none, or the secret is not known.
        """
        uri = response.get(name)
        require(isinstance(uri, str) and uri, f"{name} is {uri!r}")
        content = self.secrets(cast("str", uri))
        require(content is not None, f"the content of {name} is not known")
        return cast("Mapping[str, str]", content)
