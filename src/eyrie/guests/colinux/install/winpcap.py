# SPDX-License-Identifier: GPL-3.0-or-later
"""WinPcap, of which the bridge is made: what is there is used, and what was there before stays for good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from eyrie.errors import EyrieError
from eyrie.guests.colinux.install.look import read_service
from eyrie.guests.colinux.install.model import RUNNING, Service

UNINSTALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\WinPcapInst"
INSTALLER = "winpcap.exe"
OURS = "installed.txt"
"""Lies in our folder where this role installed WinPcap: only then it goes again."""

Do = Literal["install", "start", "uninstall", "forget"]


@dataclass(frozen=True)
class Seen:
    """What is there."""

    driver: Service | None
    ours: bool
    folder: bool
    uninstaller: str
    npcap: bool


def look_line(folder: str) -> str:
    """Return the line that looks."""
    return (
        rf"echo eyrie-part npf & sc query npf & echo eyrie-part npcap & sc query npcap & echo eyrie-part rest"
        rf" & (if exist {folder}\{OURS} echo eyrie-ours) & (if exist {folder} echo eyrie-folder)"
        rf" & reg query {UNINSTALL} /v UninstallString 2>nul & echo eyrie-part end"
    )


def parse(text: str, host: str) -> Seen:
    """Read what it printed."""
    parts = re.split(r"^eyrie-part (\w+)[ \t]*\r?$", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    if "end" not in told:
        raise EyrieError(
            f"answer of desktop {host}", seen=text[-200:] or "nothing", wanted="all that cmd.exe was asked"
        )
    uninstaller = re.search(r'UninstallString\s+REG_\w+\s+"?([^"\n]+?)"?\s*$', told["rest"], re.MULTILINE)
    return Seen(
        driver=read_service(told["npf"].split("\n")),
        ours="eyrie-ours" in told["rest"],
        folder="eyrie-folder" in told["rest"],
        uninstaller=uninstaller[1] if uninstaller else "",
        npcap=read_service(told["npcap"].split("\n")) is not None,
    )


def present(seen: Seen, *, installer: bool, silent: bool) -> list[Do]:
    """Return what is to do for a driver that runs."""
    if seen.driver is not None:
        return [] if seen.driver.state == RUNNING else ["start"]
    if not installer:
        raise EyrieError(
            "WinPcap on this desktop",
            seen="Npcap, without the service npf" if seen.npcap else "no service npf",
            wanted="WinPcap, which the bridge is made of",
            next_step="install it there by hand (its own installer asks), or give a build that has /S with"
            " winpcap_installer_file, or choose ndis with 0.7.4",
        )
    if not silent:
        raise EyrieError(
            "WinPcap's installer",
            seen="one that asks, with nobody there to answer",
            wanted="a build that takes /S, as the Nmap project's do (winpcap_installer_silent)",
            next_step="run it by hand on this desktop: a few clicks; then run again",
        )
    return ["install"]


def absent(seen: Seen) -> list[Do]:
    """Return what is to do for a desktop as it was before."""
    if seen.ours and seen.driver is not None:
        return ["uninstall", "forget"]
    return ["forget"] if seen.folder else []
