"""All checks, for people to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import answers, conduct, grants, options, requests, tolerance, transport
from .results import Source


@dataclass(frozen=True)
class Listed:
    """A check as ``--list`` shows it.

    Attributes:
        subjects: What it is run on.
        name: Its name.
        source: Where its statement comes from.
        statement: What must hold.
    """

    subjects: str
    name: str
    source: Source
    statement: str


def listed() -> Iterator[Listed]:
    """Every check."""
    groups = (
        ("provider, dump", answers.CHECKS),
        ("provider", transport.CHECKS),
        ("provider", grants.CHECKS),
        ("provider", options.CHECKS),
        ("provider", conduct.CHECKS),
        ("requirer, dump", requests.CHECKS),
        ("requirer", tolerance.CHECKS),
    )
    for subjects, checks in groups:
        for check in checks:
            yield Listed(subjects, check.name, check.source, check.statement)


def as_text() -> str:
    """For a terminal."""
    return "\n".join(
        f"{item.name}  [{item.subjects}; {item.source}]\n  {item.statement}" for item in listed()
    )


def as_markdown() -> str:
    """The page of the reference."""
    rows = "\n".join(
        f"| `{item.name}` | {item.subjects} | {item.source} | {item.statement} |"
        for item in listed()
    )
    return _PAGE.format(rows=rows)


_PAGE = """# The conformance kit

<!-- Made by: uv run python -m valkey_client_testing.check.registry > docs/reference/checks.md -->

`valkey-client check` holds anybody's charm to the contract of `valkey_client`, on this machine,
beside a reference counterpart and with real servers.

```console
$ uv run valkey-client check --list
$ uv run valkey-client check provider .
$ uv run valkey-client check requirer examples/greeter --action greet
```

- `check provider CHARM` deploys the charm with requirers around it, logs in on its servers and
  Sentinels, tries the fence, takes back, and kills the primary.
- `check requirer CHARM` deploys the charm beside a provider that moves, rotates, refuses, falls
  silent and lies.
- `check dump FILE` checks what `juju show-unit` printed on a real Juju, as YAML or JSON; with
  `--secrets FILE` the secrets too, as `juju show-secret --reveal` prints them.
- `check --list` lists the checks.

`CHARM` is a directory or a `.charm` file; it runs in an environment of its own. `--units` and
`--config NAME=VALUE` say how it is deployed. `--beside CHARM` deploys another charm and relates a
provider to it: with one that gives certificates, such as `examples/certificates`, everything is
checked over TLS. `--action` names an action of a requirer that sends a command to Valkey; without
it nobody can tell whether the charm uses what it was given, unless it does so in its hooks.
`--driver process` runs each hook, and each of its commands, in a process of its own, as Juju does.
`--json` prints an object for programs, `--junit FILE` writes a report for CI.

A check passes, fails, or is not applicable, and says what was seen. What cannot be tried never
passes: a provider that runs no servers on this machine is not applicable wherever one is needed. A
hook of the charm that fails while a check is running fails that check. The exit code is 0 if
nothing failed, 1 if something did, and 2 if the charm could not be run.

`contract` names statements of the interface's text, `wire` what implementations in the field rely
on beyond it, `addition` the optional fields of the
[interface's page](../../interface/v1/README.md): who does not know them is not held to them.

| check | of | from | what must hold |
|---|---|---|---|
{rows}
"""

if __name__ == "__main__":
    print(as_markdown(), end="")  # noqa: T201
