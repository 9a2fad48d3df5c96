# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines of the steps. Folder, service and files have no blanks: 0.7.8 loses quotes."""

from __future__ import annotations

from collections.abc import Iterable

from eyrie.guests.colinux.install.look import EVENTS
from eyrie.guests.colinux.install.model import ACCOUNT, PROGRAM, RECOVERY, Step, Wanted
from eyrie.guests.colinux.preflight.script import DRIVER
from eyrie.guests.colinux_names import DAEMON
from eyrie.windows.quoting import argument

REMEDIES = {
    "install-driver": "64-bit Windows, or PAE with 0.6.1? See colinux_preflight; else restart the desktop",
    "remove-driver": "end every guest of this desktop, then run again",
    "install-service": "a name, folder or configuration with a blank? Run again",
    "remove-folder": "close what holds a file there (a prompt, an antivirus, a guest), then run again",
}
DECODER = (
    'Set e = CreateObject("MSXML2.DOMDocument").createElement("b")',
    'e.dataType = "bin.base64"',
    'e.text = CreateObject("Scripting.FileSystemObject").OpenTextFile(WScript.Arguments(0)).ReadAll()',
    'Set s = CreateObject("ADODB.Stream")',
    "s.Type = 1",
    "s.Open",
    "s.Write e.nodeTypedValue",
    "s.SaveToFile WScript.Arguments(1), 2",
)
"""Decodes base64 where there is no certutil."""


START_WORDS = {"auto": "auto", "demand": "demand", "agent": "demand"}
MOST = 7000
"""Characters of a line; cmd.exe takes 8191."""


def write(path: str, rows: Iterable[str]) -> list[str]:
    """Return lines that write a text file: `echo` needs no program, and no standard input."""
    written = [f"{'>>' if number else '>'}{path} echo {row}" for number, row in enumerate(rows)]
    found = [written[0]]
    for each in written[1:]:
        if len(found[-1]) + len(each) > MOST:
            found.append(each)
        else:
            found[-1] += f"& {each}"
    return found


def start(service: str) -> str:
    """Start it; it says RUNNING before the guest's kernel is opened."""
    return f"net start {argument(service)}"


def stop(service: str) -> str:
    """Have the daemon ask its guest to shut down."""
    return f"sc stop {argument(service)}"


def line(step: Step, wanted: Wanted) -> str:
    """Return a step's line."""
    folder, service = wanted.folder, argument(wanted.service)
    daemon = rf"{folder}\{DAEMON}"
    return {
        "make-folder": f"mkdir {folder}",
        "delete": rf"del /q /f {folder}\{step.name}",
        "install-driver": f"{daemon} --install-driver",
        # By the daemon itself, which refuses while guests run; without one, as Windows does it.
        "remove-driver": f"(if exist {daemon} ({daemon} --remove-driver)"
        f" else (sc stop {DRIVER} & sc delete {DRIVER}))",
        "install-service": f"{daemon} {_config(wanted)} --install-service {service}",
        "remove-service": f"(if exist {daemon} {daemon} --remove-service {service}) & "
        f"(sc query {service} >nul && sc delete {service})",
        # A service that is disabled nobody starts, the agent neither.
        "hold-service": f"sc config {service} start= disabled",
        "configure-service": f"sc config {service} start= {START_WORDS[wanted.start]} obj= {ACCOUNT}",
        "set-recovery": f"sc failure {service} reset= {RECOVERY[0]} actions= {_restarts(wanted)}",
        "set-events": f"reg add {EVENTS} /v EventMessageFile /t REG_EXPAND_SZ /d {daemon} /f & "
        f"reg add {EVENTS} /v TypesSupported /t REG_DWORD /d 7 /f",
        "remove-events": f"reg delete {EVENTS} /f",
        # Our own program last: where it lies, the folder is ours.
        "remove-folder": rf"(for %f in ({folder}\*) do @if /i not %~nxf=={PROGRAM} del /q /f %f) & "
        f"rd /s /q {folder}",
    }[step.verb]


def _restarts(wanted: Wanted) -> str:
    if wanted.start == "agent":
        return '""'
    return "/".join(f"restart/{delay}" for _action, delay in RECOVERY[1])


def _config(wanted: Wanted) -> str:
    path = rf"{wanted.folder}\{wanted.config}"
    return f"-c {path}" if wanted.release.format == "xml" else f"@{path}"
