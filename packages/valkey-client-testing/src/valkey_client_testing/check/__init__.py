"""The conformance kit: the contract as checks of a charm, a databag or a dump of one."""

from .command import check_provider, check_requirer
from .databags import RequestDatabag, ResponseDatabag
from .harness import CheckError, ProviderHarness, ReferenceServers, RequirerHarness
from .results import Check, NotApplicable, Result, Violation
from .runner import require_no_failure, run_check

__all__ = [
    "Check",
    "CheckError",
    "NotApplicable",
    "ProviderHarness",
    "ReferenceServers",
    "RequestDatabag",
    "RequirerHarness",
    "ResponseDatabag",
    "Result",
    "Violation",
    "check_provider",
    "check_requirer",
    "require_no_failure",
    "run_check",
]
