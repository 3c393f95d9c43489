"""The page about application libraries says what the tests compare with."""

from __future__ import annotations

from .matrix import APPLICATIONS
from .page import PAGE, page


def test_applications_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.applications.page"


def test_applications_page_lists_every_feature() -> None:
    text = PAGE.read_text()
    for application in APPLICATIONS:
        section = text.split(f"\n## {application.name}\n")[1].split("\n## ")[0]
        assert all(f"| {feature.name} |" in section for feature in application.features)
