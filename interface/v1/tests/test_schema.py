"""Schemas, vectors and the library say the same."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valkey_client import AccessRequest, Endpoint, KeyPrefix, PrefixError, Topology
from valkey_client.databag import (
    Responses,
    read_requests,
    read_responses,
    v0,
    v1,
    write_responses,
)
from valkey_client.messages import Response

HERE = Path(__file__).parent.parent
VECTORS = {path.stem: json.loads(path.read_text()) for path in (HERE / "vectors").glob("*.json")}


def _schema() -> Any:
    spec = importlib.util.spec_from_file_location("valkey_client_schema", HERE / "schema.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


schema = _schema()


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_vectors_are_what_they_say(name: str) -> None:
    vector = VECTORS[name]
    model = schema.MODELS[vector["model"]]
    if vector["valid"]:
        model.model_validate(vector["content"])
    else:
        with pytest.raises(pydantic.ValidationError):
            model.model_validate(vector["content"])


def test_the_four_examples_of_the_contract_are_among_them() -> None:
    names = {name for name in VECTORS if name.startswith("contract-")}
    assert len(names) == 4
    assert all(VECTORS[name]["valid"] for name in names)


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_json_schemas_accept_every_valid_vector(name: str) -> None:
    vector = VECTORS[name]
    text = (HERE / "schemas" / f"{vector['model']}.json").read_text()
    if vector["valid"]:
        jsonschema.validate(vector["content"], json.loads(text))


def test_json_schemas_are_up_to_date() -> None:
    for name, text in schema.json_schemas().items():
        assert (HERE / "schemas" / name).read_text() == text, "run interface/v1/schema.py"


@pytest.mark.parametrize("name", sorted(n for n in VECTORS if "requirer" in VECTORS[n]["model"]))
def test_the_library_agrees_on_requests(name: str) -> None:
    vector = VECTORS[name]
    found = read_requests(vector["content"])
    understood = bool(found.requests) or vector["content"].get("requests") == "[]"
    assert (understood and not found.problems) == vector["valid"]


@pytest.mark.parametrize("name", ["contract-provider-v1", "contract-provider-v0", "granted-v1"])
def test_the_library_reads_answers(name: str) -> None:
    (response,) = read_responses(VECTORS[name]["content"]).responses
    assert response.topology.endpoints == (Endpoint("valkey-1.valkey-endpoints", 6379),)
    assert len(response.topology.read_only_endpoints) == 2
    assert len(response.topology.sentinel_endpoints) == 3
    assert response.topology.version == "9.0.1"
    assert response.topology.primary_name == "primary"
    assert response.is_granted


@given(st.text(max_size=140))
def test_one_grammar_of_prefixes(text: str) -> None:
    try:
        KeyPrefix.parse(text)
        ours = True
    except PrefixError:
        ours = False
    try:
        schema.RequirerV0.model_validate({"database": text})
        theirs = True
    except pydantic.ValidationError:
        theirs = False
    assert ours == theirs


prefixes = st.from_regex(r"[a-z0-9][a-z0-9:]{0,20}\*?", fullmatch=True).map(KeyPrefix.parse)
endpoints = st.lists(
    st.builds(Endpoint, st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True), st.integers(1, 65535)),
    max_size=4,
    unique=True,
).map(lambda found: tuple(sorted(found)))  # fmt: skip
topologies = st.builds(
    Topology, endpoints, endpoints, endpoints, version=st.sampled_from(["9.0.1", "8.1.4"])
)


@given(st.lists(prefixes, min_size=1, max_size=5, unique=True))
def test_what_the_library_asks_is_valid(asked: list[KeyPrefix]) -> None:
    requests = [AccessRequest(p, request_id=f"{n:x}", salt="s" * 16) for n, p in enumerate(asked)]
    bag = v1.write_requests(requests)
    schema.RequirerV1.model_validate(bag)
    assert [r.prefix for r in read_requests(bag).requests] == asked
    flat = v0.write_requests(requests[0])
    schema.RequirerV0.model_validate(flat)
    assert read_requests(flat).requests[0].prefix == asked[0]


@given(prefixes, topologies, st.integers(0, 100))
def test_what_the_library_answers_is_valid(
    prefix: KeyPrefix, topology: Topology, database: int
) -> None:
    response = Response(
        resource=str(prefix),
        request_id="836763deea236532",
        salt="s" * 16,
        topology=topology,
        secret_user="secret:user",
        secret_tls="secret:tls",
        database=database,
    )
    bag = write_responses("v1", Responses("v1", (response,)), {})
    schema.ProviderV1.model_validate(bag)
    assert read_responses(bag).responses == (response,)
    flat = response._replace(request_id="")
    bag = write_responses("v0", Responses("v0", (flat,)), {})
    schema.ProviderV0.model_validate(bag)
    (read,) = read_responses(bag).responses
    assert (read.topology, read.secret_user, read.database) == (topology, "secret:user", database)
