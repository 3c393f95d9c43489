"""Where the charms of this project are."""

from __future__ import annotations

from pathlib import Path


class NoProjectError(RuntimeError):
    """The charms are not where they are in a checkout of the project."""


def charm_path() -> Path:
    """The operator charm.

    Raises:
        NoProjectError: Outside of a checkout.
    """
    for start in (Path.cwd(), Path(__file__)):
        for folder in (start, *start.parents):
            if (folder / "charmcraft.yaml").exists() and (folder / "interface").is_dir():
                return folder
    raise NoProjectError("run this in a checkout of the project, which holds the operator charm")


def example_path(name: str) -> Path:
    """One of the example charms.

    Raises:
        NoProjectError: Outside of a checkout.
    """
    return charm_path() / "examples" / name
