"""The checks of a provider."""

from .suite import NAMES, run

__all__ = ["NAMES", "run"]
