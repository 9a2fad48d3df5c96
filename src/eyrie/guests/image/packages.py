# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch Debian packages, and know what they are and need, without installing anything on this machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eyrie.errors import EyrieError

SUITE = "trixie"
ARCHITECTURE = "amd64"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_FIELDS = ("Package", "Version", "Depends", "Pre-Depends", "Provides")


@dataclass(frozen=True)
class Package:
    """One fetched package."""

    name: str
    version: str
    file: Path
    needs: tuple[tuple[str, ...], ...] = ()  # alternatives, each a name
    provides: frozenset[str] = frozenset()


def fetch(names: Iterable[str], mirror: str, cache: Path) -> dict[str, Package]:
    """Download `names` and all they depend on (no recommendations) and return them by name.

    apt itself resolves and verifies, on an empty system of its own under `cache`, which keeps the archives.
    """
    apt = _Apt(cache / "apt", mirror)
    apt.run("update", "-q")
    planned = parse_plan(apt.run("install", "--simulate", *names))
    apt.run("install", "--download-only", *names)
    return {package.name: package for package in (read_package(apt.archives / file) for file in planned)}


def parse_plan(text: str) -> list[str]:
    """Return the files of `Inst NAME (VERSION RELEASE [ARCHITECTURE])`, the lines of a simulation."""
    plan = re.findall(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", text, re.MULTILINE)
    return sorted(f"{name}_{version.replace(':', '%3a')}_{machine}.deb" for name, version, machine in plan)


def read_package(file: Path) -> Package:
    """Read a package's own description."""
    output = _run(["dpkg-deb", "--field", str(file), *_FIELDS])
    return parse_control(output, file)


def parse_control(text: str, file: Path) -> Package:
    """Parse the fields of one package, as dpkg-deb prints them."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields[key] = value.strip()
    needs = f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}"
    return Package(
        fields["Package"],
        fields["Version"],
        file,
        tuple(tuple(_names(group, "|")) for group in needs.split(",") if group.strip()),
        frozenset(_names(fields.get("Provides", ""), ",")),
    )


def closure(
    names: Iterable[str], packages: Mapping[str, Package], without: frozenset[str] = frozenset()
) -> set[str]:
    """Return `names` and every fetched package they depend on, unless only through one of `without`."""
    providers: dict[str, list[str]] = {}
    for package in packages.values():
        for virtual in package.provides:
            providers.setdefault(virtual, []).append(package.name)
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        for real in [name] if name in packages else providers.get(name, []):
            if real not in found and real not in without:
                found.add(real)
                todo += [choice for group in packages[real].needs for choice in group]
    return found


def _names(text: str, separator: str) -> list[str]:
    """Split a relation into bare package names: no versions, no architecture qualifiers."""
    return [re.split(r"[\s(:\[]", part.strip())[0] for part in text.split(separator) if part.strip()]


class _Apt:
    """apt-get on a system of its own; only the host's proxy and credentials are taken over."""

    def __init__(self, root: Path, mirror: str) -> None:
        self.archives = root / "archives"
        (self.archives / "partial").mkdir(parents=True, exist_ok=True)
        (root / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (root / "status").write_text("")
        trusted = f" [signed-by={_KEYRING}]" if _KEYRING.exists() else ""
        (root / "sources.list").write_text(f"deb{trusted} {mirror} {SUITE} main\n")
        settings = {
            "Dir::State": root,
            "Dir::State::lists": root / "lists",
            "Dir::State::status": root / "status",
            "Dir::Cache": root,
            "Dir::Cache::archives": self.archives,
            "Dir::Etc::sourcelist": root / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferences": "-",
            "Dir::Etc::preferencesparts": "-",
            "APT::Architecture": ARCHITECTURE,
            "APT::Architectures": ARCHITECTURE,
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",
            "APT::Keep-Downloaded-Packages": "true",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        self._options = [f"-o{key}={value}" for key, value in settings.items()]

    def run(self, *arguments: str) -> str:
        """Run one apt-get command and return what it printed."""
        return _run(["apt-get", "-y", "-q", *self._options, *arguments])


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise EyrieError(
            "program",
            seen="not installed",
            wanted=command[0],
            next_step=f"install Debian's package of {command[0]}",
        ) from error
    if done.returncode != 0:
        lines = [
            line for line in done.stderr.splitlines() if line.startswith("E:")
        ] or done.stderr.splitlines()
        raise EyrieError(
            "fetching packages for the guest image",
            seen="; ".join(lines[-4:]),
            wanted=f"{command[0]} to succeed",
            next_step="check the package names and the mirror (--mirror)",
        )
    return done.stdout
