"""Tries everything on every server there is, and writes the page of verdicts."""

from __future__ import annotations

import sys

from valkey_client_testing import find_binaries
from valkey_operator.rules.accounts import DATABASE_ACL

from .campaign import wage
from .conftest import OWN_DATABASE, tenant
from .estate import Estate
from .page import PAGE, differing, read, render, series_of
from .sentinel import SentinelEstate


def main() -> int:
    found: dict[str, dict[str, dict[str, str]]] = {"server": {}, "database": {}, "sentinel": {}}
    wrongs: list[str] = []
    for binary in find_binaries():
        print(binary.label, flush=True)
        series = series_of(binary.version)
        with Estate(binary, tenant()) as estate, SentinelEstate(estate) as sentinel:
            campaigns = {"sentinel": wage(sentinel, "sentinel"), "server": wage(estate, "server")}
        for kind, campaign in campaigns.items():
            found[kind][series] = campaign.verdicts
        if binary.version >= DATABASE_ACL:
            with Estate(binary, tenant(database=OWN_DATABASE)) as estate:
                campaigns["database"] = wage(estate, "server", "database")
            plain = campaigns["server"].verdicts
            found["database"][series] = differing(campaigns["database"].verdicts, plain)
        for kind, campaign in campaigns.items():
            wrongs += [f"{binary.label} {kind}: {wrong}" for wrong in campaign.wrongs]
    if PAGE.exists():
        known = read(PAGE.read_text())["server"].keys()
        wrongs += [
            f"no server of {name}; run .ci/servers" for name in known - found["server"].keys()
        ]
    if wrongs:
        print("\n".join(wrongs), file=sys.stderr)
        return 1
    PAGE.write_text(render(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
