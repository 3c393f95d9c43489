"""A provider under test, with reference requirers."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localjuju import Juju
from valkey_client import Endpoint

from ..results import require
from .base import Harness
from .reference_requirer import ReferenceRequirer
from .request_databags import v0_databag, v1_databag, v1_request
from .requested_options import REQUESTED


class ProviderHarness(Harness):
    """See :class:`Harness`. The requirers that checks share are deployed on first use."""

    def __init__(
        self,
        juju: Juju,
        charm: Path,
        *,
        units: int,
        config: Mapping[str, str],
        integrate_with: Sequence[Path] = (),
    ):
        super().__init__(
            juju,
            charm,
            role="provides",
            units=units,
            config=config,
            integrate_with=integrate_with,
        )
        self._requirers = 0
        self.settle()

    def add_requirer(self, databag: Mapping[str, str]) -> ReferenceRequirer:
        """Deploy one more reference requirer and integrate it."""
        self._requirers += 1
        return ReferenceRequirer(self, f"requirer{self._requirers}", databag)

    @functools.cached_property
    def v1_requirer(self) -> ReferenceRequirer:
        """A v1 requirer; its relation stays."""
        return self.add_requirer(v1_databag(v1_request("kit-one:*")))

    @functools.cached_property
    def v0_requirer(self) -> ReferenceRequirer:
        """A v0 requirer; its relation stays."""
        return self.add_requirer(v0_databag("kit-zero:*"))

    @functools.cached_property
    def two_request_requirer(self) -> ReferenceRequirer:
        """A v1 requirer with two requests; checks withdraw one, then remove the relation."""
        requests = (v1_request("kit-two:*"), v1_request("kit-three:*"))
        return self.add_requirer(v1_databag(*requests))

    @functools.cached_property
    def options_requirer(self) -> ReferenceRequirer:
        """A v1 requirer whose requests have options."""
        requests = (v1_request(prefix, **options) for prefix, options in REQUESTED.items())
        return self.add_requirer(v1_databag(*requests))

    @functools.cached_property
    def topic_requirer(self) -> ReferenceRequirer:
        """A v0 requirer with the prefix in ``topic``; a check removes its relation."""
        return self.add_requirer(v0_databag("kit-topic:*", "topic"))

    @functools.cached_property
    def unknown_field_requirer(self) -> ReferenceRequirer:
        """A v1 requirer with unknown fields in its request; a check removes its relation."""
        fields: dict[str, Any] = {"entity-type": None, "secret-mtls": None, "colour": [1]}
        return self.add_requirer(v1_databag(v1_request("kit-odd:*", **fields)))

    @functools.cached_property
    def malformed_requirer(self) -> ReferenceRequirer:
        """A requirer that writes malformed databags."""
        return self.add_requirer(v1_databag())

    @property
    def addresses(self) -> set[str]:
        """The addresses of the provider's units."""
        return {self.juju.address(unit) for unit in self.units}

    def local_endpoints(self, endpoints: tuple[Endpoint, ...], field: str) -> tuple[Endpoint, ...]:
        """Those of the endpoints that are on a unit of the provider.

        Args:
            endpoints: The endpoints.
            field: The field of the response that lists them, for messages.

        Raises:
            NotApplicable: If there are none: then the provider runs no servers here.
        """
        require(endpoints, f"{field} is empty")
        local = tuple(endpoint for endpoint in endpoints if endpoint.host in self.addresses)
        text = ", ".join(map(str, endpoints))
        require(local, f"{field} is {text}: the provider runs no such server on this machine")
        return local
