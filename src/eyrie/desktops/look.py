# SPDX-License-Identifier: GPL-3.0-or-later
"""The first look at a desktop: one line for cmd.exe that needs nothing installed, and its parser."""

from __future__ import annotations

import re

from eyrie.desktops.model import Done, Seen
from eyrie.msi.identity import UPGRADE_CODE

MARK = "eyrie:"
INSTALL_FOLDER = "Eyrie-install"
_SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\EyrieAgent"
INSTALLER = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer"
_PENDING = {
    "servicing": r'"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"',
    "update": r'"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"',
    "files": r'"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager" /v PendingFileRenameOperations',
}
_FOLDERS = (r"%ProgramFiles%\Eyrie", r"%ProgramData%\Eyrie", rf"%ProgramFiles%\{INSTALL_FOLDER}")


def packed(guid: str) -> str:
    """Write a GUID as Windows Installer names its keys: each field backwards."""
    a, b, c, d, e = guid.strip("{}").upper().split("-")
    pairs = d + e
    swapped = "".join(pairs[i + 1] + pairs[i] for i in range(0, len(pairs), 2))
    return a[::-1] + b[::-1] + c[::-1] + swapped


def unpacked(name: str) -> str:
    """Return the GUID that Windows Installer's name of a key stands for."""
    text = name.upper()
    tail = "".join(text[i + 1] + text[i] for i in range(16, 32, 2))
    return f"{{{text[7::-1]}-{text[11:7:-1]}-{text[15:11:-1]}-{tail[:4]}-{tail[4:]}}}"


def line() -> str:
    """Return the line. It holds no value of the inventory, so that cmd may expand its variables."""
    parts = [
        "ver",
        f"echo {MARK}arch=%PROCESSOR_ARCHITECTURE%,%PROCESSOR_ARCHITEW6432%",
        f"echo {MARK}programs=%ProgramFiles%",
        r"reg query HKLM\Software\Eyrie\Agent /v Version 2>nul",
        f"reg query {_SERVICE} /v ImagePath 2>nul",
        rf"reg query {INSTALLER}\UpgradeCodes\{packed(UPGRADE_CODE)} 2>nul",
        *(f"(reg query {key} >nul 2>nul && echo {MARK}reboot={name})" for name, key in _PENDING.items()),
        r'dir /b /ad "%ProgramFiles%\Eyrie\versions" 2>nul',
        f'(if exist "%SystemRoot%\\System32\\curl.exe" echo {MARK}curl=yes)',
        *(f'(if exist "{folder}" echo {MARK}left={folder})' for folder in _FOLDERS),
    ]
    # A line must not end with a failure: its exit code is not looked at, but Wine's and Windows' differ.
    return " & ".join([*parts, f"echo {MARK}end=yes"])


def parse(done: Done) -> Seen | None:
    """Read what the line printed; None if it is not whole."""
    told: dict[str, list[str]] = {}
    for each in done.out.splitlines():
        key, equals, value = each.strip().partition("=")
        if key.startswith(MARK) and equals:
            told.setdefault(key[len(MARK) :], []).append(value.strip())
    if "end" not in told:
        return None
    # Where a variable is not set, a command line keeps its name.
    architectures = [name for name in told.get("arch", [""])[0].split(",") if "%" not in name]
    image = _value(done.out, "ImagePath")
    python, agent = _programs(image)
    return Seen(
        windows=_version(done.out),
        architecture=architectures[-1].strip().upper() if architectures else "",
        programs=told.get("programs", [""])[0],
        version=_value(done.out, "Version"),
        releases=tuple(re.findall(r"(?m)^(\d+\.\d+\.\d+-[0-9a-f]{8})\s*$", done.out)),
        python=python,
        agent=agent,
        products=tuple(
            unpacked(match) for match in re.findall(r"(?m)^ {4}([0-9A-Fa-f]{32})\s+REG_SZ", done.out)
        ),
        service=bool(image),
        curl="curl" in told,
        reboot_pending=tuple(told.get("reboot", ())),
        left=tuple(told.get("left", ())),
    )


def _version(text: str) -> str:
    """Take the numbers out of `ver`, whose other words are in the desktop's language."""
    match = re.search(r"(?m)^Microsoft Windows[^\d\r\n]*(\d+\.\d+\.\d+)", text)
    return match[1] if match else ""


def _value(text: str, name: str) -> str:
    match = re.search(rf"(?m)^\s+{name}\s+REG_(?:EXPAND_)?SZ\s+(.*?)\s*$", text)
    return match[1] if match else ""


def _programs(image: str) -> tuple[str, str]:
    """Find the interpreter with a console and the agent in the service's command line."""
    words = re.findall(r'"([^"]+)"', image)
    if len(words) < 2 or not words[0].lower().endswith("\\pythonw.exe") or "%" in image:
        return "", ""
    return words[0][: -len("pythonw.exe")] + "python.exe", words[1]
