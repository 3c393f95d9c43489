"""The account that a response gives, as a client needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valkey_client import Endpoint
from valkey_client.messages import parse_endpoints

from ..databags import ResponseDatabag
from ..results import require


@dataclass(frozen=True)
class Account:
    """An account and where it can be used.

    Attributes:
        prefix: The prefix that it was granted for.
        username: Its name.
        password: Its password.
        primary: Where to write.
        replicas: Where to read.
        sentinels: The Sentinels.
        primary_name: The name under which the Sentinels know the primary.
        tls: Whether TLS is on.
        tls_ca: The CA in PEM if TLS is on, else empty.
    """

    prefix: str
    username: str
    password: str
    primary: tuple[Endpoint, ...]
    replicas: tuple[Endpoint, ...]
    sentinels: tuple[Endpoint, ...]
    primary_name: str
    tls: bool = False
    tls_ca: str = ""

    @classmethod
    def from_response(cls, databag: ResponseDatabag, response: Mapping[str, Any]) -> Account:
        """Read an account from a response and the secrets that it names.

        Raises:
            NotApplicable: If something is missing, which a check of the databag reports.
        """
        user = databag.secret_content(response, "secret-user")
        require(user.get("username") and user.get("password"), "secret-user is incomplete")
        uri = response.get("secret-tls")
        tls = (databag.secrets(uri) if isinstance(uri, str) else None) or {}
        sentinels = response.get("sentinel-endpoints") or response.get("sentinel_endpoints")
        resource = response.get("resource")
        if not resource and databag.request:
            resource = databag.request.requests[0]["resource"]
        return cls(
            prefix=str(resource),
            username=user["username"],
            password=user["password"],
            primary=_parse(response.get("endpoints")),
            replicas=_parse(response.get("read-only-endpoints")),
            sentinels=_parse(sentinels),
            primary_name=str(response.get("primary-name") or "primary"),
            tls=tls.get("tls", "").lower() == "true",
            tls_ca=tls.get("tls-ca", ""),
        )

    @property
    def servers(self) -> tuple[Endpoint, ...]:
        """The primary and the replicas."""
        return (*self.primary, *self.replicas)

    def in_prefix(self, name: str) -> str:
        """A key or channel that begins with the prefix."""
        return self.prefix.removesuffix("*") + name


def _parse(value: object) -> tuple[Endpoint, ...]:
    return parse_endpoints(value) if isinstance(value, str) else ()
