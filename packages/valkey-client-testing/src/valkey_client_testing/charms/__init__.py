"""Charms that come with this package.

``operator`` is the operator, as in the project's root, on the ``valkey_operator`` package.
``requirer`` and ``provider`` are the counterparts of a charm under test: they hold no opinion and
write what a file says.
"""

from __future__ import annotations

from pathlib import Path

OPERATOR = Path(__file__).parent / "operator"
REQUIRER = Path(__file__).parent / "requirer"
PROVIDER = Path(__file__).parent / "provider"
