# SPDX-License-Identifier: GPL-3.0-or-later
"""What a desktop tells of itself. Each kind of system reads in a module of its own; the form is the same."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any, Dict, Protocol

import eyrie

Facts = Dict[str, Any]


class System(Protocol):
    """What is asked of a kind of system."""

    def about(self) -> Facts:
        """Return `windows`, `architecture`, `memory_mib`, `processors`, `virtualisation`, `pae`, `dep`."""

    def sessions(self) -> list[dict[str, Any]]:
        """Return who is logged in, and how."""

    def boot_id(self) -> str:
        """Return what changes with each boot, and only then."""

    def reboot_pending(self) -> bool:
        """Return whether the system waits for a restart."""

    def agent_state(self) -> str:
        """Return the state that the running agent tells; `absent` if none answers."""


def this_system() -> System:
    """Return the reader for the system this runs on."""
    if sys.platform == "win32":
        from eyrie.agent.converge.windows_facts import Windows

        return Windows()
    from eyrie.agent.converge.linux_facts import Linux

    return Linux()


def gather(system: System, data: Path, version: str) -> Facts:
    """Read everything; `data` is the agent's own folder."""
    return {
        **system.about(),
        "free_disk_mib": free_mib(data),
        "sessions": system.sessions(),
        "agent": {
            "version": version,
            "state": system.agent_state(),
            "other_releases": other_releases(Path(eyrie.__file__)),
        },
        "boot_id": system.boot_id(),
        "reboot_pending": system.reboot_pending(),
        "token": token_facts(data / "token"),
        "hub": hub_facts(data / "hub.pem"),
    }


def other_releases(own: Path) -> list[str]:
    """Return the releases beside the one that this file is of: what an upgrade that was cut short left."""
    for folder in own.parents:
        if folder.parent.name == "versions":
            return sorted(each.name for each in folder.parent.iterdir() if each != folder and each.is_dir())
    return []


def free_mib(folder: Path) -> int:
    """Return the room on the disk that a folder is, or will be, on."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(str(there)).free >> 20


def token_facts(path: Path) -> dict[str, str]:
    """Return what proves a token to whoever holds the pool's key, and is of no use to anybody else."""
    token = _text(path).strip()
    signed = token.rpartition(".")[0]
    return {"sha256": sha256(token) if token else "", "signed": signed}


def hub_facts(path: Path) -> dict[str, Any]:
    """Return what a desktop proves itself to the hub with, without its key; empty where there is nothing."""
    text = _text(path)
    begin = text.find("-----BEGIN CERTIFICATE-----")
    if not text:
        return {}
    return {"certificate": text[begin:] if begin >= 0 else "", "usable": _belongs_together(path)}


def _belongs_together(path: Path) -> bool:
    """Whether key and certificate can be used."""
    import ssl  # slow to load, and most desktops are in no hub

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(str(path))
    except OSError:  # ssl.SSLError is one
        return False
    return True


def hub_sha256(path: Path) -> str:
    """Return the SHA-256 of key and certificate; empty where there are none."""
    text = _text(path)
    return sha256(text) if text else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def sha256(text: str) -> str:
    """Return a text's SHA-256 in hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
