"""The charms in a checkout of this project."""

from __future__ import annotations

from pathlib import Path


class NoProjectError(RuntimeError):
    """There is no checkout of the project here."""


def charm_path() -> Path:
    """The directory of the operator charm.

    Raises:
        NoProjectError: Outside of a checkout.
    """
    for start in (Path.cwd(), Path(__file__)):
        for folder in (start, *start.parents):
            if (folder / "charmcraft.yaml").exists() and (folder / "interface").is_dir():
                return folder
    raise NoProjectError(
        "run this in a checkout of the project, which contains the operator charm"
    )


def example_path(name: str) -> Path:
    """The directory of an example charm.

    Raises:
        NoProjectError: Outside of a checkout.
    """
    return charm_path() / "examples" / name
