from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from valkey_operator.rules.accounts import Account
from valkey_operator.rules.overlap import overlapping, sharers

prefixes = st.from_regex(r"[ab][ab:]{0,3}\*?|\*", fullmatch=True)


@given(st.lists(st.tuples(prefixes, st.integers(1, 4)), max_size=12))
def test_it_is_what_comparing_everybody_with_everybody_finds(
    wanted: list[tuple[str, int]],
) -> None:
    accounts = [
        Account(f"relation-{n}", "", p, relation) for n, (p, relation) in enumerate(wanted)
    ]
    assert overlapping(accounts) == {a.name for a in accounts if sharers(a, accounts)}
