# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the package, as plain values; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from eyrie.errors import EyrieError
from eyrie.msi.identity import fingerprint, guid
from eyrie.msi.version import MsiVersion

PRODUCT = "Eyrie agent"
MANUFACTURER = "Eyrie"
SERVICE = "EyrieAgent"
REGISTRY_KEY = r"Software\Eyrie\Agent"
AGENT = "agent.pyz"
INSTALLER = "installer.pyz"
_NUMBERED_DLL = re.compile(r"python3(\d+)\.dll")
_NEEDED = ("python.exe", "pythonw.exe", "python3.dll", "vcruntime140.dll")


@dataclass(frozen=True)
class Member:
    """One file: its path below the release's folder, with '/', and what it holds."""

    path: str
    data: bytes = field(repr=False)

    @property
    def key(self) -> str:
        """Its identifier in the package's tables."""
        return "file." + re.sub(r"[^A-Za-z0-9_.]", "_", self.path)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Package:
    """A package; `release` names its own folder on the desktop, so that two of them never share a file."""

    version: MsiVersion
    members: tuple[Member, ...]
    windows: int
    """The least VersionNT (601 is Windows 7, 603 is 8.1 and all that came after)."""

    url: str = ""
    """The site's page about the pool, shown among the installed programs."""

    release: str = ""
    product_code: str = ""
    package_code: str = ""

    def member(self, path: str) -> Member:
        (found,) = [member for member in self.members if member.path == path]
        return found


def compose(
    version: MsiVersion, python: Mapping[str, bytes], agent: bytes, installer: bytes, url: str = ""
) -> Package:
    """Put the files of a release together; the identity comes later, from all that the package says."""
    lacking = [name for name in _NEEDED if name not in python]
    minors = [int(match[1]) for name in python if (match := _NUMBERED_DLL.fullmatch(name))]
    if lacking or len(minors) != 1:
        raise EyrieError(
            "the Python for Windows",
            seen=f"without {', '.join(lacking) or 'python3XY.dll'}",
            wanted="the files of the embeddable package",
        )
    (minor,) = minors
    closed = {f"python3{minor}._pth": f"python3{minor}.zip\n.\n".encode()}
    members = [Member(f"python/{name}", data) for name, data in {**python, **closed}.items()]
    members += [Member(AGENT, agent), Member(INSTALLER, installer)]
    package = Package(
        version, tuple(sorted(members, key=lambda each: each.path)), 601 if minor <= 8 else 603, url
    )
    keys = [member.key.lower() for member in package.members]
    if len(set(keys)) != len(keys):
        raise EyrieError("the files of the package", seen="two names that Windows cannot tell apart")
    return package


def identify(package: Package, *described: str) -> Package:
    """Give the package the codes that follow from its version, its files and what `described` says of it."""
    hashes = (f"{member.path} {member.sha256}" for member in package.members)
    whole = fingerprint((str(package.version), *hashes, *described))
    return replace(
        package,
        release=f"{package.version}-{whole[:8]}",
        product_code=guid("product", whole),
        package_code=guid("package", whole),
    )
