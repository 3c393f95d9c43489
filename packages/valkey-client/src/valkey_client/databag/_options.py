"""The options of a request or response in a databag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import statuses
from .._errors import PrefixError
from .._prefix import KeyPrefix
from ..messages import RelationStatus
from ..options import MAX_PATTERNS, RequestOptions, check_pattern
from ._common import as_list


def read_options(
    prefix: KeyPrefix, entry: Mapping[str, Any]
) -> tuple[RequestOptions, list[RelationStatus]]:
    """Read the options of a request, or of a response.

    A malformed field is ignored with a status; the rest of the request is served.
    """
    problems: list[RelationStatus] = []
    flags: dict[str, bool] = {}
    for name in ("keyspace-events", "scan", "own-database"):
        value = entry.get(name)
        if value is not None and not isinstance(value, bool):
            problems.append(statuses.ignored_field(name, "it must be true or false"))
        flags[name] = value is True
    options = RequestOptions(
        channel_patterns=_read_patterns(prefix, entry.get("channel-patterns"), problems),
        keyspace_events=flags["keyspace-events"],
        scan=flags["scan"],
        own_database=flags["own-database"],
    )
    return options, problems


def _read_patterns(
    prefix: KeyPrefix, value: Any, problems: list[RelationStatus]
) -> tuple[str, ...]:
    if value is None:
        return ()
    items = as_list(value)
    if items is None:
        problems.append(statuses.ignored_field("channel-patterns", "it must be a list"))
        return ()
    if len(items) > MAX_PATTERNS:
        reason = f"only the first {MAX_PATTERNS} of {len(items)} are used"
        problems.append(statuses.ignored_field("the rest of channel-patterns", reason))
    patterns: set[str] = set()
    for item in items[:MAX_PATTERNS]:
        try:
            patterns.add(check_pattern(prefix, item))
        except PrefixError as error:
            problems.append(statuses.ignored_field("a channel pattern", str(error)))
    return tuple(sorted(patterns))
