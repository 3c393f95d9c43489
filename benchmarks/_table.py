"""A result as a table for people or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Some rows under a title.

    Attributes:
        title: What was measured, with its unit.
        columns: The names of the columns.
        rows: One cell a column; None for what was not measured.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def show(tables: Sequence[Table], *, as_json: bool) -> None:
    """Print tables."""
    if as_json:
        print(
            json.dumps(
                [
                    {
                        "title": table.title,
                        "rows": [dict(zip(table.columns, row, strict=True)) for row in table.rows],
                    }
                    for table in tables
                ],
                indent=2,
            )
        )
        return
    console = Console()
    for table in tables:
        drawn = RichTable(title=table.title, title_justify="left")
        for number, column in enumerate(table.columns):
            drawn.add_column(column, justify="right" if number else "left")
        for row in table.rows:
            drawn.add_row(*(_text(cell) for cell in row))
        console.print(drawn)


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.1f}" if isinstance(cell, float) else str(cell)
