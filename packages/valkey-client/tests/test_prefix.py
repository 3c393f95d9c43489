from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valkey_client import KeyPrefix, PrefixError


@pytest.mark.parametrize(
    "text",
    ["application:*", "*", "a*", "123", "true", "rq:*", "app/1:*", "a{tag}*", "A.b-c_d|e@f:*"],
)  # fmt: skip
def test_accepted(text: str) -> None:
    assert str(KeyPrefix.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        (None, "NoneType"),
        (5, "int"),
        ("a" * 129, "129"),
        ("_a:*", "reserved"),
        ("__sentinel__:hello", "reserved"),
        ("**", "'*'"),
        ("a*b", "'*'"),
        ("app:* ~* +@all", "'*'"),
        ("app: *", "' '"),
        ("a\nb*", "'\\n'"),
        ("[^a]*", "'['"),
        ("?*", "'?'"),
        ("a\\*", "'\\\\'"),
        ("(a*", "'('"),
        ("schlüssel:*", "'\\xfc'"),
        (":a*", "begin"),
        ("a\x00*", "'\\x00'"),
    ],
)
def test_refused_with_the_reason(text: object, word: str) -> None:
    with pytest.raises(PrefixError) as caught:
        KeyPrefix.parse(text)
    assert word in str(caught.value)
    assert len(str(caught.value)) < 250
    assert str(caught.value).isascii()


names = st.text(alphabet="ab:", max_size=5)
prefixes = st.builds(KeyPrefix, names.filter(bool), st.booleans())


@given(prefixes, names)
def test_covers_is_what_a_glob_would_match(prefix: KeyPrefix, name: str) -> None:
    expected = name[: len(prefix.literal)] == prefix.literal
    if not prefix.is_open:
        expected = expected and len(name) == len(prefix.literal)
    assert prefix.covers(name) == expected


@given(prefixes, prefixes)
def test_overlap_means_that_a_name_lies_in_both(one: KeyPrefix, other: KeyPrefix) -> None:
    # If any name lies in both, then the longer of the two literals does.
    longest = max(one.literal, other.literal, key=len)
    assert one.overlaps(other) == (one.covers(longest) and other.covers(longest))
    assert one.overlaps(other) == other.overlaps(one)


def test_overlap_by_example() -> None:
    def overlap(one: str, other: str) -> bool:
        return KeyPrefix.parse(one).overlaps(KeyPrefix.parse(other))

    assert overlap("a:*", "a:b:*")
    assert overlap("app*", "app2:*")
    assert not overlap("app:*", "app2:*")
    assert overlap("*", "x")
    assert not overlap("app", "app:*")
    assert overlap("app", "app")
