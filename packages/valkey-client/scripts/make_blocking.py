"""Makes the blocking client out of the asyncio client: ``uv run scripts/make_blocking.py``.

It removes ``async`` and ``await`` and replaces some names, line by line. A test sees that the file
is up to date.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

CLIENT = Path(__file__).parent.parent / "src" / "valkey_client" / "client"
SOURCE = CLIENT / "_asyncio.py"
RESULT = CLIENT / "_blocking.py"

HEADER = (
    '"""valkey-py\'s blocking client, made to follow the primary; made from ``_asyncio.py``."""\n'
)

RULES = (
    (r'\A""".*?"""\n', HEADER),
    (r"\basync def\b", "def"),
    (r"\bawait ", ""),
    (r"\bAwaitable\[Any\]", "Any"),
    (r"\bAwaitable, ", ""),
    (r"\baclose\b", "close"),
    (r"\(nowait=True\)", "()"),
    (r"\b_asyncio_base\b", "_blocking_base"),
    (r"\bvalkey\.asyncio\b", "valkey"),
)


def make(source: str) -> str:
    """The blocking client's source, not formatted."""
    for pattern, replacement in RULES:
        source = re.sub(pattern, replacement, source, flags=re.DOTALL)
    return source


def main() -> None:
    """Write the blocking client."""
    RESULT.write_text(make(SOURCE.read_text()))
    subprocess.run(["ruff", "format", "--quiet", str(RESULT)], check=True)  # noqa: S607


if __name__ == "__main__":
    main()
