"""Writes ``docs/reference/applications.md`` from the matrix and the probes.

``uv run python -m tests.applications.page`` writes it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent

import tomllib

from .matrix import APPLICATIONS, PREFIX, Application, Feature, Grant

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "applications.md"
PROBES = Path(__file__).parent / "probes"

_METADATA = re.compile(r"^# /// script\n((?:#.*\n)+?)# ///$", re.MULTILINE)
_REGION = r"^ *# --8<-- \[start:{}\]\n(.*?)^ *# --8<-- \[end"

_INTRODUCTION = f"""\
# Application libraries

What each library needs so that it works through an account that the operator gave. Tests run all
of this on real servers; a line that is no longer true fails them, in either direction.

The examples are for an application that asked for `{PREFIX}` and has the variables of
[`client.environment(access)`](library.md#clients) in its environment. They connect to the primary
that was published; give the application new variables when `endpoints` changes, or let the library
ask the Sentinels where it can.
"""

_REQUEST = f"""\
## What to ask for

```python
ValkeyRequirer(self, "valkey", "{PREFIX}", channel_patterns=("app:room.*",))
```

| | gives | |
|---|---|---|
| `channel_patterns` | `PSUBSCRIBE` with these very patterns, inside the prefix | |
| `keyspace_events` | the channels `__keyspace@DATABASE__:app:*` | |
| `scan` | `SCAN`, which shows the names of everybody's keys | the operator sets `allow-scan=true` |
| `own_database` | a database in which `SCAN`, `KEYS`, `DBSIZE`, `RANDOMKEY` and `FLUSHDB` are safe | \
Valkey 9.1.2 or later |
"""


def page() -> str:
    """The text of the page."""
    sections = [_INTRODUCTION, _overview(), _REQUEST, *map(_section, APPLICATIONS)]
    return "\n".join(sections)


def _overview() -> str:
    rows = (
        (f"[{a.name}](#{_anchor(a.name)})", _versions(a)[0], a.set, "<br>".join(_requests(a)))
        for a in APPLICATIONS
    )
    return _table(("library", "version", "set", "ask for more, if needed"), rows)


def _requests(application: Application) -> Iterator[str]:
    """Which features each way of asking for more brings."""
    for grant in application.grants[1:]:
        names = [f.name.split(":")[0] for f in application.features if grant in f.needs]
        yield f"{_asked(application, grant)}: {', '.join(names)}"


def _asked(application: Application, grant: Grant) -> str:
    if grant is Grant.DEFAULT_PREFIX:
        return f"prefix `{application.default_prefix}`"
    return grant.value


def _section(application: Application) -> str:
    parts = [f"## {application.name}\n", f"{', '.join(_versions(application))}.\n"]
    parts += _regions(application, "settings")
    if blocks := _regions(application, "sentinel"):
        parts += ["To follow failovers:\n", *blocks]
    if application.notes:
        parts.append(f"{application.notes}\n")
    if application.patterns:
        patterns = ", ".join(f"`{pattern}`" for pattern in application.patterns)
        parts.append(f"`channel_patterns`: {patterns}\n")
    rows = ((f.name, *_verdict(application, f)) for f in application.features)
    parts.append(_table(("", "with the prefix alone", ""), rows))
    return "\n".join(parts)


def _verdict(application: Application, feature: Feature) -> tuple[str, str]:
    if feature.never:
        return "never", feature.never
    if feature.needs:
        ways = " or ".join(_asked(application, grant) for grant in feature.needs)
        return "no", f"ask for {ways}; {feature.why}"
    return "yes", ""


def _versions(application: Application) -> list[str]:
    """The packages that the probe pins, the library first."""
    block = _METADATA.search((PROBES / application.probe).read_text())
    assert block, application.probe
    metadata = tomllib.loads("\n".join(line[2:] for line in block[1].splitlines()))
    return [pin.replace("==", " ") for pin in metadata["dependencies"]]


def _regions(application: Application, name: str) -> list[str]:
    """The marked lines of the probe, as blocks of code."""
    text = (PROBES / application.probe).read_text()
    blocks = re.findall(_REGION.format(name), text, re.MULTILINE | re.DOTALL)
    return ["```python\n" + dedent(region).strip("\n") + "\n```\n" for region in blocks]


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head)]
    lines += [("---",) * len(lines[0]), *map(tuple, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page())
