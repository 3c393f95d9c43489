"""A new process for every hook and every hook command, as in production."""

from __future__ import annotations

from ..host import Host
from . import Run


class ProcessDriver:
    """Runs the charm's own ``dispatch``."""

    def __init__(self, host: Host):
        self._host = host

    def run(self, run: Run) -> int:
        """See :class:`Driver`."""
        child = self._host.spawn(
            run.command, run.variables, run.charm_dir, run.log, errors=run.errors
        )
        if not child.ended.wait(run.timeout):
            self._host.kill(child)
            child.ended.wait(10)
            return -9
        return child.exit_code if child.exit_code is not None else -9

    def forget(self, app: str) -> None:
        """There is nothing to drop."""
