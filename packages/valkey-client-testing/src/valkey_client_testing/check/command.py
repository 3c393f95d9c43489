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

from ..binaries import NoBinaryError, find_binary
from . import dump, provider, registry, report, requirer
from .bench import UnfitError
from .counterpart import Counterpart
from .provider_bench import ProviderBench
from .requirer_bench import RequirerBench
from .results import Result, Violation


def run(parsed: argparse.Namespace) -> int:
    """Check what the command line names.

    Returns:
        The exit code: 0 if nothing failed, 1 if something did, 2 if nothing could be checked, 130
        if interrupted.
    """
    console = Console(highlight=False)
    if parsed.list:
        console.print(registry.as_text(), markup=False, soft_wrap=True)
        return 0
    errors = Console(stderr=True, highlight=False)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _report(parsed, console)
    except (UnfitError, NoBinaryError) as error:
        errors.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        errors.print("interrupted; everything that was started has been ended")
        return 130


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _report(parsed: argparse.Namespace, console: Console) -> int:
    results: list[Result] = []
    for result in _results(parsed):
        results.append(result)
        if not parsed.json:
            report.print_result(console, result)
    name = str(getattr(parsed, "charm", None) or parsed.file)
    if parsed.json:
        console.print(report.as_json(name, results), markup=False, soft_wrap=True)
    else:
        console.print(f"\n{report.summary(results)}")
    if parsed.junit:
        parsed.junit.write_text(report.as_junit(name, results))
    return int(any(result.outcome == "fail" for result in results))


def _results(parsed: argparse.Namespace) -> Iterator[Result]:
    match parsed.subject:
        case "provider":
            return check_provider(
                parsed.charm,
                parsed.units,
                dict(parsed.config),
                beside=parsed.beside,
                driver=parsed.driver,
            )
        case "requirer":
            config = dict(parsed.config)
            return check_requirer(
                parsed.charm, parsed.units, config, parsed.action, driver=parsed.driver
            )
        case "dump":
            secrets = dump.load_secrets(parsed.secrets) if parsed.secrets else {}
            return dump.run(dump.load(parsed.file), secrets)
        case _:
            raise UnfitError("name what to check: provider, requirer or dump; or use --list")


def check_provider(
    charm: Path,
    units: int,
    config: dict[str, str],
    *,
    beside: Sequence[Path] = (),
    driver: DriverName = "warm",
) -> Generator[Result]:
    """Check the charm of a provider in a model of its own, with the charms that it needs.

    Raises:
        UnfitError: If the charm cannot be run.
    """
    environment = find_binary().environment()
    with localjuju.Juju("check", environment=environment, driver=driver) as juju:
        try:
            bench = ProviderBench(juju, charm, units=units, config=config, beside=beside)
        except Violation as failed:
            raise UnfitError(f"{charm} fails before any relation: {failed}") from None
        yield from provider.run(bench)


def check_requirer(
    charm: Path,
    units: int,
    config: dict[str, str],
    action: str,
    *,
    driver: DriverName = "warm",
) -> Generator[Result]:
    """Check the charm of a requirer in a model of its own.

    Raises:
        UnfitError: If the charm cannot be run.
    """
    binary = find_binary()
    with (
        tempfile.TemporaryDirectory(prefix="valkey-check-") as folder,
        Counterpart(binary, Path(folder)) as servers,
        localjuju.Juju("check", environment=binary.environment(), driver=driver) as juju,
    ):
        try:
            bench = RequirerBench(juju, charm, servers, units=units, config=config, action=action)
        except Violation as failed:
            raise UnfitError(f"{charm} fails before any relation: {failed}") from None
        yield from requirer.run(bench)
