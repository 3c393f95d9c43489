"""What this package raises."""


class LocalJujuError(Exception):
    """Base of every error that this package raises on purpose."""


class CharmError(LocalJujuError):
    """A path holds no charm that can be deployed here; the message says what is missing."""


class CommandError(LocalJujuError):
    """A ``juju`` command line cannot be carried out; the message is what ``juju`` prints."""


class ToolError(LocalJujuError):
    """A hook command fails; the message is what the hook reads on standard error."""
