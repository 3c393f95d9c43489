"""The databags and secrets of ``valkey_client/v1`` as Pydantic models.

Both wire formats: v1 has a list of requests and a list of responses, v0 has one request and one
response as flat keys. Values of databags are strings; those with JSON are declared as such.

Run this file to update the JSON Schemas.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Json, StringConstraints, model_validator

Prefix = Annotated[
    str,
    StringConstraints(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9_.:/|@{}-]*\*?)$", max_length=128),
    Field(description="Literal characters and one final star.", examples=["application:*"]),
]
SecretURI = Annotated[
    str,
    StringConstraints(pattern=r"^secret:.+"),
    Field(examples=["secret:d7fmpmvmp25c7618tfb0"]),
]
Endpoints = Annotated[
    str,
    StringConstraints(pattern=r"^([^,\s]+:\d{1,5}(,[^,\s]+:\d{1,5})*)?$"),
    Field(description="Comma-separated host:port.", examples=["10.0.0.1:6379"]),
]
RequestID = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ServerVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+(\.\d+)?$")]


ChannelPatterns = Annotated[
    list[
        Annotated[
            str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/|@{}*?\[\]^-]+$", max_length=256)
        ]
    ],
    Field(
        max_length=32,
        description="Patterns for PSUBSCRIBE; the literal part of each begins with the prefix.",
        examples=[["application:room.*"]],
    ),
]


class _Model(BaseModel):
    """Keys that are not described here are allowed, and may be null."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class _Options(_Model):
    """Additions to the contract: asked for in a request, and in the response if granted."""

    channel_patterns: ChannelPatterns | None = Field(None, alias="channel-patterns")
    keyspace_events: bool | None = Field(None, alias="keyspace-events")
    scan: bool | None = Field(None, description="Returns the names of all applications' keys.")
    own_database: bool | None = Field(None, alias="own-database")


class Request(_Options):
    """One request of a v1 requirer."""

    resource: Prefix
    request_id: RequestID = Field(alias="request-id")
    salt: str | None = None


class Status(_Model):
    """What a provider tells a requirer about the relation or a request."""

    code: int = Field(
        ge=1000, le=5999, description="1xxx informs, 4xxx is transient, 5xxx needs a person."
    )
    message: str
    resolution: str


class Response(_Options):
    """The answer to one request of a v1 requirer."""

    resource: Prefix
    request_id: RequestID = Field(alias="request-id")
    salt: str | None = None
    endpoints: Endpoints | None = None
    read_only_endpoints: Endpoints | None = Field(None, alias="read-only-endpoints")
    sentinel_endpoints: Endpoints | None = Field(None, alias="sentinel-endpoints")
    secret_user: SecretURI | None = Field(None, alias="secret-user")
    secret_tls: SecretURI | None = Field(None, alias="secret-tls")
    version: ServerVersion | None = None
    mode: Literal["sentinel"] | None = None
    primary_name: str | None = Field(None, alias="primary-name")
    database: int | None = Field(None, ge=1)


class RequirerV1(_Model):
    """Application databag of a v1 requirer."""

    version: Literal["v1"]
    requests: Json[list[Request]]
    requested_secrets: Json[list[str]] | None = Field(None, alias="requested-secrets")
    prefix: str | None = None


class ProviderV1(_Model):
    """Application databag of a provider that answers a v1 requirer."""

    version: Literal["v1"]
    requests: Json[list[Response]]
    data: Json[dict[str, Any]] | None = Field(
        None, description="An entry for each response; requirers in the field insist on it."
    )
    status: Json[list[Status]] | None = None

    @model_validator(mode="after")
    def _one_response_an_id(self) -> ProviderV1:
        ids = [response.request_id for response in self.requests]
        if len(set(ids)) < len(ids):
            raise ValueError("a request-id is answered twice")
        if self.data is not None and (missing := set(ids) - self.data.keys()):
            raise ValueError(f"data has no entry for {sorted(missing)}")
        return self


class RequirerV0(_Model):
    """Application databag of a v0 requirer: the prefix under one of several names."""

    database: Prefix | None = None
    subject: Prefix | None = None
    topic: Prefix | None = None
    index: Prefix | None = None
    plugin_url: Prefix | None = Field(None, alias="plugin-url")
    prefix: Prefix | None = None
    requested_secrets: Json[list[str]] | None = Field(None, alias="requested-secrets")
    provided_secrets: Json[list[str]] | None = Field(None, alias="provided-secrets")

    @model_validator(mode="after")
    def _asks_for_something(self) -> RequirerV0:
        names = (self.database, self.subject, self.topic, self.index, self.plugin_url, self.prefix)
        if not any(names):
            raise ValueError("no field carries a prefix")
        return self


class ProviderV0(_Model):
    """Application databag of a provider that answers a v0 requirer."""

    resource: Prefix | None = None
    database: Prefix | None = None
    salt: str | None = None
    endpoints: Endpoints | None = None
    read_only_endpoints: Endpoints | None = Field(None, alias="read-only-endpoints")
    sentinel_endpoints: Endpoints | None = Field(None, description="With an underscore, in v0.")
    sentinel_endpoints_hyphen: Endpoints | None = Field(None, alias="sentinel-endpoints")
    secret_user: SecretURI = Field(alias="secret-user")
    secret_tls: SecretURI | None = Field(None, alias="secret-tls")
    version: ServerVersion | None = None
    mode: Literal["sentinel"] | None = None
    primary_name: str | None = Field(None, alias="primary-name")
    data: Json[Any] | None = None
    status: Json[list[Status]] | None = None


class UserSecret(_Model):
    """Content of the secret that ``secret-user`` names."""

    username: Annotated[str, StringConstraints(min_length=1)]
    password: Annotated[str, StringConstraints(min_length=1)]


class TlsSecret(_Model):
    """Content of the secret that ``secret-tls`` names."""

    tls: Literal["true", "false"] = Field(description="Lowercase, or v1 requirers break.")
    tls_ca: str | None = Field(None, alias="tls-ca", description="PEM, when tls is true.")

    @model_validator(mode="after")
    def _has_a_ca(self) -> TlsSecret:
        if self.tls == "true" and not self.tls_ca:
            raise ValueError("tls is on, but there is no tls-ca")
        return self


class RequirerSchema(BaseModel):
    """Both databags of a requirer, by the name that the interface tester looks for."""

    app: RequirerV1 | RequirerV0
    unit: dict[str, str] = Field(default_factory=dict)


class ProviderSchema(BaseModel):
    """Both databags of a provider, by the name that the interface tester looks for."""

    app: ProviderV1 | ProviderV0
    unit: dict[str, str] = Field(default_factory=dict)


MODELS: dict[str, type[BaseModel]] = {
    "requirer-v1": RequirerV1,
    "provider-v1": ProviderV1,
    "requirer-v0": RequirerV0,
    "provider-v0": ProviderV0,
    "secret-user": UserSecret,
    "secret-tls": TlsSecret,
}
"""The models, by the names of their schemas and vectors."""


def json_schemas() -> dict[str, str]:
    """File name to text of every JSON Schema."""
    return {
        f"{name}.json": json.dumps(model.model_json_schema(mode="validation"), indent=2) + "\n"
        for name, model in MODELS.items()
    }


if __name__ == "__main__":
    target = Path(__file__).with_name("schemas")
    for file_name, text in json_schemas().items():
        (target / file_name).write_text(text)
