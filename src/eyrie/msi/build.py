# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the MSI: the same inputs give the same bytes, on any machine, in any folder, at any time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import eyrie
from eyrie.agent import bundle
from eyrie.errors import EyrieError
from eyrie.msi.model import Package, compose, identify
from eyrie.msi.programs import require, run
from eyrie.msi.summary import stamp
from eyrie.msi.tables import tables
from eyrie.msi.version import MsiVersion
from eyrie.msi.wxs import render

EPOCH = 315532800  # 1980, the earliest that a cabinet can say
LIMIT_MIB = 15
_MAIN = b"""# SPDX-License-Identifier: GPL-3.0-or-later
import sys

from eyrie.msi.on_desktop.steps import main

sys.exit(main())
"""


@dataclass(frozen=True)
class Built:
    """A package that was written."""

    path: Path
    size: int
    sha256: str
    release: str
    product_code: str


def agent_bundle() -> bytes:
    """Return the agent as one file."""
    return bundle.pack(dict(bundle.contents()))


def installer_bundle() -> bytes:
    """Return the installer's own steps as one file."""
    return bundle.pack({"__main__.py": _MAIN, **dict(_installer_files())})


def _installer_files() -> Iterator[tuple[str, bytes]]:
    root = Path(eyrie.__file__).parent
    for name in ("__init__.py", "msi/__init__.py"):
        yield f"eyrie/{name}", (root / name).read_bytes()
    for path in (root / "msi" / "on_desktop").glob("*.py"):
        yield f"eyrie/msi/on_desktop/{path.name}", path.read_bytes()


def read_python(folder: Path) -> dict[str, bytes]:
    """Read the files of an unpacked embeddable Python."""
    try:
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    except OSError as error:
        raise EyrieError(
            f"{folder}", seen=error.strerror, wanted="a folder with the embeddable Python"
        ) from error
    return files


def package(version: MsiVersion, python: dict[str, bytes], agent: bytes, url: str = "") -> Package:
    """Return the package, whose codes follow from every word of it."""
    bare = compose(version, python, agent, installer_bundle(), url)
    described = [render(bare).decode(), *(table.idt().decode("cp1252") for table in tables(bare))]
    return identify(bare, *described)


def build(wanted: Package, output: Path, epoch: int | None = None) -> Built:
    """Compile the package and write it, whole or not at all."""
    require("wixl", "msibuild", "msiinfo")
    time = source_date_epoch() if epoch is None else epoch
    with tempfile.TemporaryDirectory(prefix="eyrie-msi-") as scratch:
        data = stamp(_compile(wanted, Path(scratch), time), wanted.package_code, time)
    if len(data) > LIMIT_MIB << 20:
        raise EyrieError("the MSI", seen=f"{len(data)} bytes", wanted=f"at most {LIMIT_MIB} MiB")
    draft = output.with_name(f".{output.name}.new")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
        draft.replace(output)
    except OSError as error:
        raise EyrieError(f"{output}", seen=error.strerror, wanted="a file that can be written") from error
    digest = hashlib.sha256(data).hexdigest()
    return Built(output, len(data), digest, wanted.release, wanted.product_code)


def source_date_epoch() -> int:
    """Return the time that files of the package carry, in seconds since 1970."""
    text = os.environ.get("SOURCE_DATE_EPOCH", str(EPOCH))
    if not text.isdigit() or not EPOCH <= int(text) < 1 << 32:
        raise EyrieError("SOURCE_DATE_EPOCH", seen=text, wanted=f"seconds since 1970, at least {EPOCH}")
    return int(text)


def _compile(wanted: Package, scratch: Path, epoch: int) -> bytes:
    """Let wixl make the database, and msibuild put in what wixl cannot."""
    files = scratch / "files"
    files.mkdir()
    for member in wanted.members:
        path = files / member.key
        path.write_bytes(member.data)
        path.chmod(0o644)
        os.utime(path, (epoch, epoch))
    (scratch / "eyrie.wxs").write_bytes(render(wanted))
    run(["wixl", "--arch", "x64", "--output", "eyrie.msi", "eyrie.wxs"], cwd=scratch, quiet=True)
    for table in tables(wanted):
        (scratch / f"{table.name}.idt").write_bytes(table.idt())
        run(["msibuild", "eyrie.msi", "-i", f"{table.name}.idt"], cwd=scratch, quiet=True)
        _prove(table.name, table.idt(), run(["msiinfo", "export", "eyrie.msi", table.name], cwd=scratch))
    return (scratch / "eyrie.msi").read_bytes()


def _prove(name: str, wanted: bytes, seen: bytes) -> None:
    """Read a table back: msibuild says little."""
    if sorted(wanted.splitlines()[3:]) != sorted(seen.splitlines()[3:]):
        raise EyrieError(
            f"the table {name} of the MSI", seen=seen.decode(errors="replace"), wanted=f"{wanted!r}"
        )
