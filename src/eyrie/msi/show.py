# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an MSI of ours back: who it is and what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eyrie.artefacts.file_set import digest
from eyrie.errors import EyrieError
from eyrie.msi.identity import UPGRADE_CODE
from eyrie.msi.programs import require, run

_SIGNATURE = "DigitalSignature"


@dataclass(frozen=True)
class Facts:
    """What an MSI says of itself."""

    sha256: str
    size: int
    signed: bool
    package_code: str
    properties: dict[str, str]
    release: str
    files: tuple[tuple[str, int], ...]
    """Name below the release's folder, and size."""


def show(path: Path) -> Facts:
    """Read a package; one of another product is refused."""
    require("msiinfo")
    if not path.is_file():
        raise EyrieError(f"{path}", seen="no such file", wanted="an MSI")
    properties = {row[0]: row[1] for row in rows(_export(path, "Property"))}
    if properties.get("UpgradeCode") != UPGRADE_CODE:
        raise EyrieError(
            f"{path}",
            seen=f"the product {properties.get('ProductName')}",
            wanted="a package of eyrie msi build",
        )
    folders = {row[0]: row[2].rpartition("|")[2] for row in rows(_export(path, "Directory"))}
    places = {row[0]: row[2] for row in rows(_export(path, "Component"))}
    files = []
    for row in rows(_export(path, "File")):
        folder = "python/" if places[row[1]] == "PYTHONDIR" else ""
        files.append((folder + row[2].rpartition("|")[2], int(row[3])))
    streams = run(["msiinfo", "streams", path]).decode(errors="replace")
    return Facts(
        sha256=digest(path),
        size=path.stat().st_size,
        signed=_SIGNATURE in streams,
        package_code=_package_code(run(["msiinfo", "suminfo", path]).decode(errors="replace")),
        properties=dict(sorted(properties.items())),
        release=folders.get("RELEASEDIR", ""),
        files=tuple(sorted(files)),
    )


def rows(idt: bytes) -> list[list[str]]:
    """Return the rows of a table in archive form, without its three lines of head."""
    return [line.split("\t") for line in idt.decode("cp1252").split("\r\n")[3:] if line]


def _export(path: Path, table: str) -> bytes:
    return run(["msiinfo", "export", path, table])


def _package_code(summary: str) -> str:
    found = [line.partition(": ")[2] for line in summary.splitlines() if line.startswith("Revision number")]
    return found[0] if found else ""
