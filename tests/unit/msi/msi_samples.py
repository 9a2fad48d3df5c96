# SPDX-License-Identifier: GPL-3.0-or-later
"""A package with files that are none: small, of no use on a desktop."""

from __future__ import annotations

from eyrie.msi.build import package
from eyrie.msi.model import Package
from eyrie.msi.version import parse

PYTHON = {
    name: f"not really {name}".encode()
    for name in (
        *("python.exe", "pythonw.exe", "python3.dll", "python312.dll", "vcruntime140.dll"),
        *("python312.zip", "python312._pth", "libcrypto-3.dll", "_ssl.pyd"),
    )
}


def sample(version: str = "1.2.3", agent: bytes = b"not really an agent", url: str = "") -> Package:
    return package(parse(version), PYTHON, agent, url)
