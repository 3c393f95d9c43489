"""Which primary is the latest, and when that is certain."""

from __future__ import annotations

import pytest

from valkey_operator.rules.epochs import PrimaryClaim, agreed_primary, is_certain, latest_primary

A, B = "10.0.0.1", "10.0.0.2"


@pytest.mark.parametrize(
    ("claims", "address"),
    [
        pytest.param([], "", id="no claim"),
        pytest.param([PrimaryClaim()], "", id="nobody named"),
        pytest.param([PrimaryClaim(A)], A, id="one claim"),
        pytest.param(
            [PrimaryClaim(A, 1), PrimaryClaim(A, 1), PrimaryClaim(B, 2)],
            B,
            id="two missed the last failover",
        ),
        pytest.param([PrimaryClaim(A), PrimaryClaim(B), PrimaryClaim(B)], B, id="most votes"),
        pytest.param([PrimaryClaim("", 7), PrimaryClaim(A, 1)], A, id="nobody named, high epoch"),
    ],
)
def test_the_latest_primary_is_that_of_the_highest_epoch(
    claims: list[PrimaryClaim], address: str
) -> None:
    assert latest_primary(claims) == address


@pytest.mark.parametrize(
    ("claims", "address"),
    [
        pytest.param([], "", id="no claim"),
        pytest.param([PrimaryClaim(A), PrimaryClaim(B)], "", id="a tie"),
        pytest.param([PrimaryClaim(A), PrimaryClaim(B), PrimaryClaim(B)], B, id="a majority"),
        pytest.param(
            [PrimaryClaim(A), PrimaryClaim(A), PrimaryClaim(B, 1)],
            B,
            id="two missed the last failover",
        ),
    ],
)
def test_the_agreed_primary_needs_a_majority_of_the_highest_epoch(
    claims: list[PrimaryClaim], address: str
) -> None:
    assert agreed_primary(claims) == address


def test_a_claim_with_an_older_epoch_for_another_address_is_outdated() -> None:
    assert PrimaryClaim(A, 1).is_before(B, 2)
    assert not PrimaryClaim(B, 0).is_before(B, 2), "it does not know the epoch yet"
    assert not PrimaryClaim(A, 3).is_before(B, 2), "the databag is late"
    assert not PrimaryClaim().is_before(B, 2)


@pytest.mark.parametrize(
    ("units", "enough"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (7, 4), (9, 5)]
)
def test_half_of_the_sentinels_is_enough_to_know_the_latest_failover(
    units: int, enough: int
) -> None:
    """With one less, the others are a majority that could have agreed on another."""
    assert is_certain(enough, units)
    assert not is_certain(enough - 1, units)
