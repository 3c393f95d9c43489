"""Hooks that run in the whole model from one write of the provider until nothing is left to do."""

from __future__ import annotations

import argparse
from pathlib import Path

import _charms
from _calls import Recorder
from _table import Table, show

SIZES = ((1, 1), (3, 1), (1, 3), (3, 3), (5, 3))
LIBRARIES = {
    _charms.FIELD: (_charms.FIELD_PROVIDER, _charms.FIELD_REQUIRER),
    _charms.OURS: (_charms.PROVIDER, _charms.REQUIRER),
}


def hooks(provider: Path, requirer: Path, requirers: int, providers: int) -> int:
    """Hooks after the one that writes, with so many units on either side.

    Other endpoints are written because an option changes, of which every unit of the provider is
    told first: those hooks are not what the write caused.
    """
    with _charms.model() as juju:
        _charms.deploy(juju, provider, "provider", providers)
        _charms.deploy(juju, requirer, "requirer", requirers)
        juju.integrate("provider", "requirer")
        _charms.settle(juju)
        recorder = Recorder(juju)
        juju.config("provider", {"endpoints": "10.0.0.2:6379"})
        _charms.settle(juju)
        return sum(hook.kind != "config-changed" for hook in recorder.take())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    rows = [[u, p, *(hooks(*charms, u, p) for charms in LIBRARIES.values()), u] for u, p in SIZES]
    columns = ["U", "P", *LIBRARIES, "budget: U"]
    title = "Hooks caused by one write, U requirer units, P provider units"
    show([Table(title, columns, rows)], as_json=options.json)


if __name__ == "__main__":
    main()
