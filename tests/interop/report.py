"""Writes docs/reference/interop.md: the conformance kit on charms with dpcharmlibs.

Run it in the project: ``uv run python -m tests.interop.report``. It needs PyPI.
"""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from valkey_client_testing.check import (
    Result,
    check_provider,
    check_requirer,
    provider,
    requirer,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "interop.md"
LIBRARY = "dpcharmlibs-interfaces"
VERSIONS = ("1.0.2", "1.2.2")

HEAD = """# The conformance kit on charms with dpcharmlibs

<!-- Made by: uv run python -m tests.interop.report -->

The results of [`valkey-client check`](checks.md) for two minimal charms, `tests/charms/field_provider` and
`tests/charms/field_requirer`, on two versions of {library} each, on {date}. The provider runs
no servers.
"""


def results(role: str, version: str) -> list[Result]:
    """Check a charm on one version of the library, in an environment of its own."""
    with tempfile.TemporaryDirectory(prefix="interop-") as folder:
        charm = Path(folder) / role
        shutil.copytree(ROOT / "tests" / "charms" / f"field_{role}", charm)
        (charm / "requirements.txt").write_text(f"{LIBRARY}=={version}\nops>=3.9,<4\n")
        if role == "provider":
            return list(check_provider(charm, 2, {}))
        return list(check_requirer(charm, 2, {}, ""))


def table(role: str, names: Iterable[str]) -> str:
    """The outcomes of one role, a column a version."""
    outcomes = {v: {r.name: r.outcome for r in results(role, v)} for v in VERSIONS}
    head = f"| check of a {role} | {' | '.join(VERSIONS)} |\n|---|{'---|' * len(VERSIONS)}\n"
    rows = (f"| `{name}` | {' | '.join(outcomes[v][name] for v in VERSIONS)} |" for name in names)
    return head + "\n".join(rows) + "\n"


def page(date: str) -> str:
    """The page."""
    head = HEAD.format(library=LIBRARY, date=date)
    tables = (table("provider", provider.NAMES), table("requirer", requirer.NAMES))
    return "\n".join((head, *tables))


if __name__ == "__main__":
    PAGE.write_text(page(datetime.datetime.now(datetime.timezone.utc).date().isoformat()))
