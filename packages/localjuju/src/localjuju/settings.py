"""What may be set for a model while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Settings:
    """The settings of a model.

    Attributes:
        hook_timeout: Seconds after which a hook is killed and counts as failed.
        automatically_retry_hooks: Whether a hook that fails from now on is retried, as in the
            model configuration of the same name.
    """

    hook_timeout: float = 300.0
    automatically_retry_hooks: bool = True
