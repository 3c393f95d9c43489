"""The hook commands for a unit's address and ports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ToolError
from ..hook import Hook
from ..subnet import host_network
from .arguments import RELATION, Arguments, Parser, Tool


def _network_get(hook: Hook, a: Arguments, _: str) -> Any:
    endpoint = a.rest[0] if a.rest else ""
    charm = hook.model.applications[hook.unit.app].charm
    extra: dict[str, Any] = charm.metadata.get("extra-bindings") or {}
    if endpoint not in charm.endpoints and endpoint not in extra:
        raise ToolError(f'ERROR no network config found for binding "{endpoint}"')
    address = hook.unit.address
    network = host_network(address)
    answer: dict[str, Any] = {
        "bind-addresses": [
            {
                "mac-address": "",
                "interface-name": "lo",
                "addresses": [{"hostname": "", "value": address, "cidr": network}],
            }
        ],
        "egress-subnets": [network],
        "ingress-addresses": [address],
    }
    for name in ("bind-address", "ingress-address", "egress-subnets"):
        if a.flag(name.replace("-", "_")):
            return {"egress-subnets": network}.get(name, address)
    return answer


def _unit_get(hook: Hook, _a: Arguments, _: str) -> Any:
    return hook.unit.address


def _open_port(hook: Hook, a: Arguments, _: str) -> None:
    hook.ports = (hook.unit.ports if hook.ports is None else hook.ports) | {_port(a.rest)}


def _close_port(hook: Hook, a: Arguments, _: str) -> None:
    hook.ports = (hook.unit.ports if hook.ports is None else hook.ports) - {_port(a.rest)}


def _port(rest: Sequence[str]) -> str:
    text = rest[0] if rest else ""
    return text if "/" in text or text == "icmp" else f"{text}/tcp"


def _opened_ports(hook: Hook, _a: Arguments, _: str) -> Any:
    return sorted(hook.unit.ports if hook.ports is None else hook.ports)


TOOLS: dict[str, tuple[Parser, Tool]] = {
    "close-port": (Parser("close-port", "--endpoints"), _close_port),
    "network-get": (
        Parser(
            "network-get",
            RELATION,
            flags=["--bind-address", "--ingress-address", "--egress-subnets"],
        ),
        _network_get,
    ),
    "open-port": (Parser("open-port", "--endpoints"), _open_port),
    "opened-ports": (Parser("opened-ports", flags=["--endpoints"]), _opened_ports),
    "unit-get": (Parser("unit-get"), _unit_get),
}
