"""The checks of a requirer."""

from .suite import NAMES, run

__all__ = ["NAMES", "run"]
