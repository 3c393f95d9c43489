from __future__ import annotations

import inspect
import pkgutil
import typing
from pathlib import Path

import valkey_client

PACKAGE = Path(valkey_client.__file__).parent
DOCS = Path(__file__).parents[3] / "docs"


def test_public_modules_are_those_in_the_reference() -> None:
    modules = {m.name for m in pkgutil.iter_modules([str(PACKAGE)]) if not m.name.startswith("_")}
    assert modules == {"client", "databag", "messages", "options", "statuses"}
    reference = (DOCS / "reference" / "library.md").read_text()
    assert all(f"`valkey_client.{name}`" in reference for name in modules)


def test_types_in_public_signatures_can_be_imported() -> None:
    """What a method takes or returns has a name in ``valkey_client``."""
    missing: set[str] = set()
    for end in (valkey_client.ValkeyProvider, valkey_client.ValkeyRequirer):
        for name, member in inspect.getmembers(end):
            function = member.fget if isinstance(member, property) else member
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            if function.__module__.startswith("valkey_client"):
                for hint in typing.get_type_hints(function).values():
                    missing |= {
                        kind.__name__
                        for kind in (hint, *typing.get_args(hint))
                        if getattr(kind, "__module__", "").startswith("valkey_client")
                        and not hasattr(valkey_client, kind.__name__)
                    }
    assert missing == set()
