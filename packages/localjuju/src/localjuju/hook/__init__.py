"""Hooks: what they may read, what they change, and their commit."""

from .commit import commit
from .context import Hook

__all__ = ["Hook", "commit"]
