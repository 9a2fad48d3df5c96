# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub as one file that a master's own Python runs: same inputs, same bytes, as the agent's is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import eyrie
from eyrie.agent.bundle import pack

MAIN = b"""# SPDX-License-Identifier: GPL-3.0-or-later
import sys

from eyrie.hub.main import main

sys.exit(main())
"""


def program() -> bytes:
    """Return the bundle."""
    return pack(dict(contents()))


def contents() -> Iterator[tuple[str, bytes]]:
    """Yield what the hub consists of: its own package, and the strict reader of configurations."""
    root = Path(eyrie.__file__).parent
    yield "__main__.py", MAIN
    for name in ("__init__.py", "errors.py", "agent/__init__.py", "agent/fields.py"):
        yield f"eyrie/{name}", (root / name).read_bytes()
    for path in (root / "hub").glob("*.py"):
        if path.name != "bundle.py":
            yield f"eyrie/hub/{path.name}", path.read_bytes()
