"""The charms in this package.

``operator`` is a copy of the operator charm in the project's root. ``requirer`` and ``provider``
are the reference charms of the conformance kit: they write the databags that a file contains.
"""

from __future__ import annotations

from pathlib import Path

OPERATOR = Path(__file__).parent / "operator"
REQUIRER = Path(__file__).parent / "requirer"
PROVIDER = Path(__file__).parent / "provider"
