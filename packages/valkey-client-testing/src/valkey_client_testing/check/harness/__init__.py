"""The model around a charm under test: reference charms, servers, and what they observe."""

from .account import Account
from .base import CheckError, Harness
from .provider import ProviderHarness
from .reference_requirer import ReferenceRequirer
from .reference_servers import ReferenceServers
from .requirer import RequirerHarness

__all__ = [
    "Account",
    "CheckError",
    "Harness",
    "ProviderHarness",
    "ReferenceRequirer",
    "ReferenceServers",
    "RequirerHarness",
]
