"""Which accounts share keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from valkey_operator.rules.accounts import Account
from valkey_operator.rules.overlap import overlapping, sharers

prefixes = st.from_regex(r"[ab][ab:]{0,3}\*?|\*", fullmatch=True)


@given(st.lists(st.tuples(prefixes, st.integers(1, 4)), max_size=12))
def test_overlapping_names_the_same_accounts_as_comparing_each_with_each(
    prefixes_and_relations: list[tuple[str, int]],
) -> None:
    accounts = [
        Account(f"relation-{n}", "", prefix, relation)
        for n, (prefix, relation) in enumerate(prefixes_and_relations)
    ]
    assert overlapping(accounts) == {a.name for a in accounts if sharers(a, accounts)}
