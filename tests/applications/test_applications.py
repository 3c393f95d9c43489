"""Each library does through its account what the matrix says, no less and no more."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from valkey_client import Access, client

from .conftest import AccessFor
from .matrix import APPLICATIONS, Application, Feature, Grant

pytestmark = pytest.mark.applications

REFUSED = "o permissions to "
PROBES = Path(__file__).parent / "probes"
RUNS = [(application, grant) for application in APPLICATIONS for grant in application.grants]


def probe(
    application: Application, features: tuple[Feature, ...], access: Access
) -> dict[str, str | None]:
    """Use a library with this access; returns each feature with its error, None if it works."""
    # Nothing is named where all is tried, so that a feature that the matrix lacks is noticed.
    names = [feature.name for feature in features if features != application.features]
    process = subprocess.run(
        ["uv", "run", "--quiet", "--locked", "--script", PROBES / application.probe, *names],
        env={**os.environ, **client.environment(access)},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    verdicts = [json.loads(line) for line in process.stdout.splitlines()]
    assert all(verdict["works"] is (verdict["error"] is None) for verdict in verdicts)
    return {verdict["feature"]: verdict["error"] for verdict in verdicts}


@pytest.mark.parametrize(
    ("application", "grant"),
    [
        pytest.param(
            application,
            grant,
            id=f"{application.name}-{grant.name.lower()}",
            # An old server has no own databases: those tests use a deployment of their own.
            marks=pytest.mark.xdist_group(
                f"applications-{'database' if grant is Grant.OWN_DATABASE else 'prefix'}"
            ),
        )
        for application, grant in RUNS
    ],
)
def test_library_features_match_the_matrix(
    access_for: AccessFor, application: Application, grant: Grant
) -> None:
    features = application.features_with(grant)
    errors = probe(application, features, access_for(application, grant))
    works = {feature.name: feature.works_with(grant) for feature in features}
    assert {name: error is None for name, error in errors.items()} == works, errors
    refusals = [error for error in errors.values() if error is not None]
    assert all(REFUSED in error for error in refusals), "it failed for another reason"


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda a: a.name)
def test_every_unsupported_feature_has_a_remedy(application: Application) -> None:
    assert all(feature.why for feature in application.features if feature.needs)
    assert not any(feature.needs and feature.never for feature in application.features)
    needed = {grant for feature in application.features for grant in feature.needs}
    assert (Grant.CHANNEL_PATTERNS in needed) == bool(application.patterns)
    assert (Grant.DEFAULT_PREFIX in needed) == bool(application.default_prefix)
