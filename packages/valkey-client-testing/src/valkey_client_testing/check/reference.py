"""The page ``docs/reference/checks.md``, which lists all checks."""

from __future__ import annotations

from . import registry


def as_markdown() -> str:
    """The page."""
    rows = "\n".join(
        f"| `{entry.name}` | {entry.subjects} | {entry.source} | {entry.statement} |"
        for entry in registry.entries()
    )
    return _PAGE.format(rows=rows)


_PAGE = """# The conformance kit

<!-- Made by: uv run python -m valkey_client_testing.check.reference > docs/reference/checks.md -->

`valkey-client check` runs a charm on this machine, with a reference counterpart and real servers,
and checks that it keeps the contract of `valkey_client`.

```console
$ uv run valkey-client check --list
$ uv run valkey-client check provider .
$ uv run valkey-client check requirer examples/greeter --action greet
```

- `check provider CHARM` deploys the charm with several requirers. It logs in on its servers and
  Sentinels, runs commands that must be refused, withdraws requests, removes relations and kills
  the primary.
- `check requirer CHARM` deploys the charm with a provider that switches over, changes the
  password, refuses the request, withdraws the access and writes malformed databags.
- `check dump FILE` checks the output of `juju show-unit` on a real Juju, as YAML or JSON. With
  `--secrets FILE`, the output of `juju show-secret --reveal`, it checks the secrets too.
- `check --list` lists the checks.

`CHARM` is a directory or a `.charm` file; it gets its own Python environment.

- `--units`, `--config NAME=VALUE`: how to deploy the charm.
- `--integrate CHARM`: deploy another charm and integrate the provider with it, such as
  `examples/certificates` to check everything over TLS.
- `--action NAME`: an action of the requirer that sends a command to Valkey. Without it, the kit
  cannot see whether the charm uses its access, unless its hooks do.
- `--driver process`: run each hook and each hook command in a process of its own, as Juju does.
- `--json`: print a JSON object. `--junit FILE`: write a JUnit report.

Each check passes, fails or is not applicable, and says what it saw. What cannot be checked never
passes: checks that need a server are not applicable to a provider that runs none on this machine.
A check also fails if a hook of the charm fails meanwhile.

| exit code | meaning |
|---|---|
| 0 | no check failed |
| 1 | a check failed |
| 2 | the charm could not be deployed, or the file could not be read |
| 130 | interrupted |

The source of a statement is the `contract`, which is the interface's specification; the `wire`,
which is what existing implementations rely on beyond it; or an `addition`, which is an optional
field of the [interface's README](../../interface/v1/README.md) that a charm may ignore.

| check | checks | source | statement |
|---|---|---|---|
{rows}
"""

if __name__ == "__main__":
    print(as_markdown(), end="")  # noqa: T201
