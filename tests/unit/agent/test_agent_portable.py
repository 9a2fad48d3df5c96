# SPDX-License-Identifier: GPL-3.0-or-later
"""What a desktop's own Python must be able to read: syntax of 3.8, nothing Unix-only on Windows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import eyrie
from eyrie.agent.bundle import contents

ROOT = Path(eyrie.__file__).parents[1]
MODULES = sorted(name for name, _ in contents() if name.endswith(".py") and name.startswith("eyrie/"))
# What Windows' Python does not have.
MISSING = ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog")
WINDOWS = ("start", "watcher", "purge", "verbs", "client", "control")


@pytest.mark.parametrize("name", MODULES)
def test_python_3_8_can_read_it(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"), name, feature_version=(3, 8))
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    plain = not any(isinstance(node, (ast.AnnAssign, ast.FunctionDef, ast.ClassDef)) for node in tree.body)
    assert plain or any(alias.name == "annotations" for node in future for alias in node.names), (
        "annotations would be evaluated, and `X | None` is none to Python 3.8"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", WINDOWS)
def test_what_windows_imports_needs_nothing_it_lacks(name: str) -> None:
    script = (
        "import sys\n"
        f"for missing in {MISSING!r}: sys.modules[missing] = None\n"
        "import os, select, socket\n"
        "del select.poll, socket.AF_UNIX\n"
        f"import eyrie.agent.windows.{name}\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_linux_agent_loads_nothing_of_windows() -> None:
    script = (
        "import sys\n"
        "from eyrie.agent import start, cli, idle\n"
        "from eyrie.agent.edges import linux\n"
        "linux()\n"
        "print([name for name in sys.modules if '.windows' in name or name == 'ctypes'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
