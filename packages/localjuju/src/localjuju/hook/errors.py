"""Error texts of hook commands, as Juju writes them."""

DENIED = "ERROR permission denied"
NOT_LEADER = "ERROR cannot write relation settings"
