"""The databags that reference requirers write."""

from __future__ import annotations

import json
import secrets
from typing import Any

from valkey_client.messages import request_id as derive_request_id


def v1_request(resource: str, request_id: str = "", **fields: Any) -> dict[str, Any]:
    """A v1 request; its id is derived as the library does if it is empty."""
    salt = secrets.token_hex(8)
    return {
        "resource": resource,
        "request-id": request_id or derive_request_id(resource, salt),
        "salt": salt,
        **fields,
    }


def v1_databag(*requests: Any) -> dict[str, str]:
    """The databag of a v1 requirer."""
    return {"version": "v1", "requests": json.dumps(list(requests))}


def v0_databag(prefix: str, alias: str = "database") -> dict[str, str]:
    """The databag of a v0 requirer, with the prefix in the field ``alias``."""
    secret_keys = json.dumps(["username", "password", "tls", "tls-ca"])
    return {alias: prefix, "requested-secrets": secret_keys}
