"""Results as text, as JSON and as JUnit XML."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.text import Text

from .results import Result

_MARKS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "not applicable": ("-", "dim")}


def print_result(console: Console, result: Result) -> None:
    """Print one result for people."""
    mark, colour = _MARKS[result.outcome]
    line = Text.assemble((mark, colour), f" {result.name}  ", (result.statement, "dim"))
    console.print(line, soft_wrap=True)
    console.print(Text(f"  {result.seen}", style="red" if colour == "red" else ""), soft_wrap=True)


def summary(results: Sequence[Result]) -> str:
    """The number of results of each outcome, in one line."""
    counts = {outcome: sum(r.outcome == outcome for r in results) for outcome in _MARKS}
    return ", ".join(f"{number} {outcome}" for outcome, number in counts.items())


def as_json(subject: str, results: Sequence[Result]) -> str:
    """The results as a JSON object."""
    ok = not any(result.outcome == "fail" for result in results)
    checks = [dataclasses.asdict(result) for result in results]
    return json.dumps({"subject": subject, "ok": ok, "checks": checks}, indent=2)


def as_junit(subject: str, results: Iterable[Result]) -> str:
    """The results as JUnit XML."""
    listed = list(results)
    suite = ET.Element(
        "testsuite",
        name=f"valkey_client: {subject}",
        tests=str(len(listed)),
        failures=str(sum(result.outcome == "fail" for result in listed)),
        skipped=str(sum(result.outcome == "not applicable" for result in listed)),
        time=f"{sum(result.seconds for result in listed):.3f}",
    )
    for result in listed:
        case = ET.SubElement(
            suite,
            "testcase",
            classname="valkey_client",
            name=result.name,
            time=f"{result.seconds:.3f}",
        )
        if result.outcome == "fail":
            ET.SubElement(case, "failure", message=result.seen).text = result.statement
        elif result.outcome == "not applicable":
            ET.SubElement(case, "skipped", message=result.seen)
        else:
            ET.SubElement(case, "system-out").text = result.seen
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
