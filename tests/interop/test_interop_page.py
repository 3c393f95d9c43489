"""The page about the field's library says what the kit says today."""

from __future__ import annotations

import re

import pytest

from .report import PAGE, page


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_interop_page_is_up_to_date() -> None:
    text = PAGE.read_text()
    dates = re.findall(r"on (\d{4}-\d{2}-\d{2})\.", text)
    assert len(dates) == 1
    assert text == page(dates[0]), "run: uv run python -m tests.interop.report"
