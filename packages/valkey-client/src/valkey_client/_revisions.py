"""Removes the revisions of secrets that nobody reads any more.

Juju tells the owner of each (``secret-remove``) and never removes one itself. What became obsolete
while no unit led, or while the agent restarted, is not told.
"""

from __future__ import annotations

import logging

import ops

logger = logging.getLogger(__name__)


def remove_revision(event: ops.SecretRemoveEvent, endpoint: str) -> bool:
    """Remove the revision of an event, if the secret is one of those on an endpoint.

    Safe beside a charm that removes it as well.

    Args:
        event: The event.
        endpoint: The name of the endpoint, with which the labels of its secrets begin.

    Returns:
        Whether the secret is one of those.
    """
    label = event.secret.label or ""
    if not label.startswith(f"{endpoint}."):
        return False
    try:
        event.remove_revision()
    except ops.SecretNotFoundError:
        logger.debug("secret %s is gone with all of its revisions", label)
    else:
        logger.info("secret %s: removed revision %d, which nobody reads", label, event.revision)
    return True
