"""What a v1 request may ask for beyond its prefix.

These fields are additions to the contract. A provider that does not know them ignores them; its
response says what was granted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ._errors import PrefixError
from ._prefix import KeyPrefix, quote

MAX_PATTERNS = 32
"""The most channel patterns of one request."""

MAX_PATTERN_LENGTH = 256
"""The longest channel pattern, in characters."""

FIELDS = frozenset({"channel-patterns", "keyspace-events", "scan", "own-database"})
"""The names that these options have in a request."""

_PATTERN = r"[A-Za-z0-9_.:/|@{}*?\[\]^-]+\Z"
_LITERAL_PART = r"[^*?\[\]]*"


@dataclass(frozen=True)
class RequestOptions:
    """What is asked for, or was granted, beyond the keys and channels of the prefix.

    Attributes:
        channel_patterns: Patterns to subscribe to with PSUBSCRIBE, each of them inside the prefix.
            Servers compare a pattern with the account's patterns as text: an account for
            ``app:*`` may subscribe to ``app:*``, but not to ``app:room.*``.
        keyspace_events: Whether to receive changes to the prefix's keys, in the channels
            ``__keyspace@DATABASE__:KEY``.
        scan: Whether SCAN is needed. It returns the names of all applications' keys, so the
            provider's operator must allow it.
        own_database: Whether the application needs its own database, in which SCAN, KEYS, DBSIZE,
            RANDOMKEY and FLUSHDB are allowed (Valkey 9.1.2 or later).
    """

    channel_patterns: tuple[str, ...] = ()
    keyspace_events: bool = False
    scan: bool = False
    own_database: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """The options that are set, with their names and values in a databag."""
        values: dict[str, Any] = {
            "channel-patterns": list(self.channel_patterns),
            "keyspace-events": self.keyspace_events,
            "scan": self.scan,
            "own-database": self.own_database,
        }
        return {name: value for name, value in values.items() if value}

    def for_each(self, prefixes: Sequence[KeyPrefix]) -> dict[KeyPrefix, RequestOptions]:
        """The options of the request for each prefix; each pattern goes with the longest prefix.

        Raises:
            PrefixError: If a pattern is inside none of them.
        """
        patterns: dict[KeyPrefix, list[str]] = {prefix: [] for prefix in prefixes}
        for pattern in self.channel_patterns:
            home = max(
                (p for p in prefixes if pattern.startswith(p.literal)),
                key=lambda prefix: len(prefix.literal),
                default=prefixes[0],
            )
            patterns[home].append(check_pattern(home, pattern))
        return {
            prefix: replace(self, channel_patterns=tuple(sorted(set(texts))))
            for prefix, texts in patterns.items()
        }

    @property
    def digest(self) -> str:
        """A short digest, to notice a change; empty for no options."""
        text = json.dumps(self.fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16] if self.fields else ""


def check_pattern(prefix: KeyPrefix, pattern: object) -> str:
    """Check that a channel pattern matches no name outside a prefix.

    The text before its first metacharacter must begin with the prefix.

    Returns:
        The pattern.

    Raises:
        PrefixError: If it may match another name; the message says what to change.
    """
    if not isinstance(pattern, str):
        raise PrefixError(f"a channel pattern must be a string, not {type(pattern).__name__}")
    if not prefix.is_open:
        raise PrefixError(f"prefix {quote(str(prefix))} is one name; patterns need a final '*'")
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise PrefixError(
            f"pattern {quote(pattern)} has more than {MAX_PATTERN_LENGTH} characters"
        )
    if not re.match(_PATTERN, pattern):
        raise PrefixError(
            f"pattern {quote(pattern)}: use letters, digits and _ . : / | @ {{ }} - * ? [ ] ^"
        )
    literal = re.match(_LITERAL_PART, pattern)
    begin = literal.group() if literal else ""
    if not begin.startswith(prefix.literal) or not begin or not begin[0].isalnum():
        beginning = prefix.literal or "a letter or a digit"
        raise PrefixError(f"pattern {quote(pattern)} must begin with {beginning}")
    return pattern
