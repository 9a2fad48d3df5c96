# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as one file that a desktop's own Python runs: same inputs, same bytes, wherever it is built.

Nothing is compressed: compressors differ between systems, and a hash names the agent in a pool.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import eyrie
from eyrie.errors import EyrieError

HUB = ("__init__", "carrier", "frames", "greeting", "tls", "tls_link")  # the rest is the master's
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can say
SHEBANG = b"#!/usr/bin/python3 -SI\n"
MAIN = b"""# SPDX-License-Identifier: GPL-3.0-or-later
import sys

from eyrie.agent.cli import main

sys.exit(main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Bundle:
    """A written bundle."""

    path: Path
    sha256: str
    changed: bool


def write(output: Path) -> Bundle:
    """Write the bundle unless the file already is it."""
    data = pack(dict(contents()))
    digest = hashlib.sha256(data).hexdigest()
    if output.is_file() and output.read_bytes() == data:
        return Bundle(output, digest, changed=False)
    draft = output.with_name(f".{output.name}.new")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
        draft.chmod(0o755)
        draft.replace(output)
    except OSError as error:
        raise EyrieError(f"{output}", seen=error.strerror, wanted="a file that can be written") from error
    return Bundle(output, digest, changed=True)


def pack(files: dict[str, bytes]) -> bytes:
    """Return a runnable zip file of the files; order, times and modes are always the same."""
    stream = io.BytesIO()
    stream.write(SHEBANG)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, also when built elsewhere
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])
    return stream.getvalue()


def contents() -> Iterator[tuple[str, bytes]]:
    """Yield what the agent consists of: its own packages and the one library it needs."""
    root = Path(eyrie.__file__).parent
    yield "__main__.py", MAIN
    for name in ("__init__.py", "errors.py"):
        yield f"eyrie/{name}", (root / name).read_bytes()
    yield from _tree(root / "agent", "eyrie/agent", deep=True)
    yield from _tree(root / "guests", "eyrie/guests", deep=False)  # the image's build is the control side's
    yield from _tree(root / "guests" / "windows", "eyrie/guests/windows", deep=True)
    for name in HUB:
        yield f"eyrie/hub/{name}.py", (root / "hub" / f"{name}.py").read_bytes()
    yield from _library("jeepney")


def _tree(folder: Path, name: str, deep: bool) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*.py") if deep else folder.glob("*.py"):
        yield f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _library(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield an installed library without its tests, with its licence."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise EyrieError(
            f"the library {name}", seen="not installed", wanted=f"{name}", next_step="run ./run setup"
        )
    folder = Path(found.origin).parent
    for path, data in _tree(folder, name, deep=True):
        if "/tests/" not in path:
            yield path, data
    for licence in sorted(folder.parent.glob(f"{name}-*.dist-info/**/LICENSE*")):
        yield f"{name}/{licence.name}", licence.read_bytes()
