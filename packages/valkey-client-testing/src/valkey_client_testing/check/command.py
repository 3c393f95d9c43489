"""``valkey-client check``."""

from __future__ import annotations

import argparse
import signal
import tempfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from rich.console import Console

import localjuju
from localjuju.drivers import DriverName

from .._binaries import NoBinaryError, find_binary
from . import _dump, _report, provider, registry, requirer
from .harness import CheckError, ProviderHarness, ReferenceServers, RequirerHarness
from .results import Result, Violation


def run(arguments: argparse.Namespace) -> int:
    """Check the subject that the command line names.

    Returns:
        The exit code: 0 if nothing failed, 1 if something did, 2 if nothing could be checked, 130
        if interrupted.
    """
    console = Console(highlight=False)
    if arguments.list:
        console.print(registry.as_text(), markup=False, soft_wrap=True)
        return 0
    errors = Console(stderr=True, highlight=False)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _report_results(arguments, console)
    except (CheckError, NoBinaryError) as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        errors.print("interrupted; all processes and files of the model were removed")
        return 130


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _report_results(arguments: argparse.Namespace, console: Console) -> int:
    results: list[Result] = []
    for result in _results(arguments):
        results.append(result)
        if not arguments.json:
            _report.print_result(console, result)
    subject = str(getattr(arguments, "charm", None) or arguments.file)
    if arguments.json:
        console.print(_report.as_json(subject, results), markup=False, soft_wrap=True)
    else:
        console.print(f"\n{_report.summary(results)}")
    if arguments.junit:
        arguments.junit.write_text(_report.as_junit(subject, results))
    return int(any(result.outcome == "fail" for result in results))


def _results(arguments: argparse.Namespace) -> Iterator[Result]:
    match arguments.subject:
        case "provider":
            return check_provider(
                arguments.charm,
                arguments.units,
                dict(arguments.config),
                integrate_with=arguments.integrate,
                driver=arguments.driver,
            )
        case "requirer":
            config = dict(arguments.config)
            return check_requirer(
                arguments.charm,
                arguments.units,
                config,
                arguments.action,
                driver=arguments.driver,
            )
        case "dump":
            secrets = _dump.load_secrets(arguments.secrets) if arguments.secrets else {}
            return _dump.run(_dump.load(arguments.file), secrets)
        case _:
            raise CheckError("name what to check: provider, requirer or dump; or use --list")


def check_provider(
    charm: Path,
    units: int,
    config: dict[str, str],
    *,
    integrate_with: Sequence[Path] = (),
    driver: DriverName = "warm",
) -> Generator[Result]:
    """Check the charm of a provider in a new model.

    Args:
        charm: A directory or a ``.charm`` file.
        units: How many units to deploy.
        config: The charm's configuration.
        integrate_with: Other charms to deploy and integrate with it.
        driver: How hooks are run.

    Raises:
        CheckError: If the charm cannot be deployed.
        NoBinaryError: If there is no Valkey on this machine.
    """
    environment = find_binary().environment()
    with localjuju.Juju("check", environment=environment, driver=driver) as juju:
        try:
            harness = ProviderHarness(
                juju, charm, units=units, config=config, integrate_with=integrate_with
            )
        except Violation as violation:
            raise CheckError(f"{charm} fails before any relation: {violation}") from None
        yield from provider.run(harness)


def check_requirer(
    charm: Path,
    units: int,
    config: dict[str, str],
    action: str,
    *,
    driver: DriverName = "warm",
) -> Generator[Result]:
    """Check the charm of a requirer in a new model.

    Args:
        charm: A directory or a ``.charm`` file.
        units: How many units to deploy.
        config: The charm's configuration.
        action: An action of the charm that uses Valkey; empty if there is none.
        driver: How hooks are run.

    Raises:
        CheckError: If the charm cannot be deployed.
        NoBinaryError: If there is no Valkey on this machine.
    """
    binary = find_binary()
    with (
        tempfile.TemporaryDirectory(prefix="valkey-check-") as folder,
        ReferenceServers(binary, Path(folder)) as servers,
        localjuju.Juju("check", environment=binary.environment(), driver=driver) as juju,
    ):
        try:
            harness = RequirerHarness(
                juju, charm, servers, units=units, config=config, action=action
            )
        except Violation as violation:
            raise CheckError(f"{charm} fails before any relation: {violation}") from None
        yield from requirer.run(harness)
