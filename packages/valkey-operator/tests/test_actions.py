"""The charm's actions, however many clients there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ops import testing

from valkey_operator.charm import PEERS, ValkeyOperatorCharm

MAX_ARGUMENT = 128 * 1024
"""Bytes of an argument of a command, in Linux; ``action-set`` takes each result as one."""

CHARM = yaml.safe_load((Path(__file__).parents[3] / "charmcraft.yaml").read_text())
META = {name: CHARM[name] for name in ("name", "peers", "provides", "requires", "storage")}


def list_clients(accounts: int, offset: int) -> dict[str, Any]:
    context = testing.Context(
        ValkeyOperatorCharm, meta=META, actions=CHARM["actions"], config=CHARM["config"]
    )
    accounts_bag = {
        f"relation-{n}-f5551d6e7f1a5e1e": {"prefix": f"app{n}:*", "relation_id": n, "sha256": "0"}
        for n in range(accounts)
    }
    peers = testing.PeerRelation(PEERS, local_app_data={"accounts": json.dumps(accounts_bag)})
    state = testing.State(leader=True, relations=[peers])
    context.run(context.on.action("list-clients", params={"offset": offset}), state)
    return dict(context.action_results or {})


@pytest.mark.parametrize("accounts", [0, 1, 400, 1500])
def test_pages_of_list_clients_hold_every_client_once_and_fit_a_command_line(
    accounts: int,
) -> None:
    listed: set[str] = set()
    offset: int | None = 0
    while offset is not None:
        results = list_clients(accounts, offset)
        assert results["count"] == accounts
        assert len(f"clients={results['clients']}") < MAX_ARGUMENT
        page = {client["account"] for client in json.loads(results["clients"])}
        assert page or not accounts
        assert not page & listed
        listed |= page
        offset = results.get("next-offset")
    assert len(listed) == accounts
