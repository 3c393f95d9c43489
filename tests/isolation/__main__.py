"""Tries everything on every server there is, and writes the page of verdicts."""

from __future__ import annotations

import sys

from valkey_client_testing import find_binaries
from valkey_operator.rules.accounts import DATABASE_ACL

from .conftest import OWN_DATABASE, tenant
from .page import PAGE, differing, read, render, series_of
from .run_attacks import run_attacks
from .sentinel_testbed import SentinelTestbed
from .testbed import TenantTestbed


def main() -> int:
    verdicts: dict[str, dict[str, dict[str, str]]] = {"server": {}, "database": {}, "sentinel": {}}
    violations: list[str] = []
    for binary in find_binaries():
        print(binary.label, flush=True)
        series = series_of(binary.version)
        with TenantTestbed(binary, tenant()) as testbed, SentinelTestbed(testbed) as sentinel:
            results_by_kind = {
                "sentinel": run_attacks(sentinel, "sentinel"),
                "server": run_attacks(testbed, "server"),
            }
        for kind, results in results_by_kind.items():
            verdicts[kind][series] = results.verdicts
        if binary.version >= DATABASE_ACL:
            with TenantTestbed(binary, tenant(database=OWN_DATABASE)) as testbed:
                results_by_kind["database"] = run_attacks(testbed, "server", "database")
            plain = results_by_kind["server"].verdicts
            verdicts["database"][series] = differing(results_by_kind["database"].verdicts, plain)
        for kind, results in results_by_kind.items():
            violations += [
                f"{binary.label} {kind}: {violation}" for violation in results.violations
            ]
    if PAGE.exists():
        known = read(PAGE.read_text())["server"].keys()
        violations += [
            f"no server of {name}; run .ci/servers" for name in known - verdicts["server"].keys()
        ]
    if violations:
        print("\n".join(violations), file=sys.stderr)
        return 1
    PAGE.write_text(render(verdicts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
