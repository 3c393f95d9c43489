"""The grammar of a prefix: the range of keys and channels of a request.

The contract says only that the requirer provides "the range of keys and message channels"
(section *Requirer*, ``prefix``). A server accepts any glob in an account's rule, so unchecked text
could widen the account: an empty prefix or ``[^a]*`` matches every key, and a space begins another
rule wherever rules are written as one line. Therefore this grammar has literal characters and one
final ``*`` only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._errors import PrefixError

MAX_LENGTH = 128
"""The longest prefix, in characters, that is granted."""

# Compiled at first use, by ``re``: compiling would be a large part of the import's time.
_LITERAL = r"[A-Za-z0-9][A-Za-z0-9_.:/|@{}-]*\Z"
_FOREIGN = r"[^A-Za-z0-9_.:/|@{}-]"


@dataclass(frozen=True)
class KeyPrefix:
    """A prefix that obeys the grammar.

    ``application:*`` covers every name that starts with ``application:``; ``application:1``,
    without the star, covers that one name; ``*`` alone covers everything.

    Attributes:
        literal: The characters before the star, or all of them if there is none.
        is_open: Whether the text ends in the star.
    """

    literal: str
    is_open: bool

    @classmethod
    def parse(cls, text: object) -> KeyPrefix:
        """Check a text against the grammar.

        Args:
            text: What a requirer asked for; any object, because it may come from remote JSON.

        Raises:
            PrefixError: With a message for the person who wrote the prefix. It quotes at most
                40 characters of it.
        """
        if not isinstance(text, str):
            raise PrefixError(f"the prefix must be a string, not {type(text).__name__}")
        if not text:
            raise PrefixError("the prefix is empty; name the keys, for example 'application:*'")
        if len(text) > MAX_LENGTH:
            raise PrefixError(
                f"the prefix has {len(text)} characters; {MAX_LENGTH} is the most allowed"
            )
        if text == "*":
            return cls("", is_open=True)
        is_open = text.endswith("*")
        literal = text[:-1] if is_open else text
        if literal.startswith("_"):
            raise PrefixError(
                f"prefix {quote(text)} begins with '_', which is reserved for the server's own"
                " names; begin with a letter or a digit"
            )
        if match := re.search(_FOREIGN, literal):
            raise PrefixError(
                f"prefix {quote(text)} contains {quote(match.group())}; use letters, digits and"
                " _ . : / | @ { } - and one final '*'"
            )
        if not re.match(_LITERAL, literal):
            raise PrefixError(f"prefix {quote(text)} must begin with a letter or a digit")
        return cls(literal, is_open)

    @property
    def is_everything(self) -> bool:
        """Whether this is ``*``: all keys and channels."""
        return self.is_open and not self.literal

    def __str__(self) -> str:
        return self.literal + ("*" if self.is_open else "")

    def covers(self, name: str) -> bool:
        """Whether a key or channel of this name is in the range."""
        return name.startswith(self.literal) if self.is_open else name == self.literal

    def overlaps(self, other: KeyPrefix) -> bool:
        """Whether some name is in both ranges.

        Two prefixes overlap exactly when one begins with the other: ``a:*`` and ``a:b:*`` do,
        ``app*`` and ``app2:*`` do, ``app:*`` and ``app2:*`` do not.
        """
        return (
            (self.is_open and other.literal.startswith(self.literal))
            or (other.is_open and self.literal.startswith(other.literal))
            or self == other
        )


def quote(text: str, limit: int = 40) -> str:
    """Quote remote text for a message: ASCII only, on one line, shortened.

    Args:
        text: Any text.
        limit: How many characters of it to show.
    """
    quoted = ascii(text[:limit])
    return quoted if len(text) <= limit else f"{quoted}..."
