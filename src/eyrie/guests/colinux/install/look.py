# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a desktop in one round trip of cmd.exe: files, driver, service, event source, processes."""

from __future__ import annotations

import re

from eyrie.errors import EyrieError
from eyrie.guests.colinux.install.model import PROGRAM, Present, Service
from eyrie.guests.colinux.preflight.script import DRIVER
from eyrie.guests.colinux_names import DAEMON
from eyrie.windows.quoting import argument

MARK = "eyrie-part"
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
EVENTS = rf"{SERVICES}\Eventlog\Application\coLinux"
CLOCK = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
_VALUE = re.compile(r"^\s+(\S+)\s+REG_\w+\s+(.*?)\s*$")
_SUM = re.compile(r"eyrie-file (\S+) (\d+) (\S.*?)\s*")
_NAME = re.compile(r"eyrie-name (\S.*?)\s*")


def look_line(folder: str, service: str, helper: str) -> str:
    """Return the line; it changes nothing."""
    program = rf"{folder}\{PROGRAM}"
    processes = " or ".join(f"Name='{name}'" for name in (DAEMON, helper))
    parts = [
        _part("files"),
        f"(if exist {folder} echo eyrie-folder)",
        rf"(for %f in ({folder}\*) do @echo eyrie-name %~nxf)",
        # Half a program says nothing, which is read as files of unknown content.
        f"(if exist {program} {program} sums {folder} 2>nul)",
        _part("driver"),
        *_service(DRIVER),
        _part("service"),
        *_service(service),
        _part("events"),
        f"reg query {EVENTS} /v EventMessageFile 2>nul",
        _part("clock"),
        f"reg query {CLOCK} /v ActiveTimeBias 2>nul",
        _part("processes"),
        f'wmic process where "{processes}" get CommandLine,Name,ProcessId /value <nul 2>nul',
        _part("end"),
    ]
    return " & ".join(parts)


def parse(text: str, host: str, folder: str, helper: str) -> Present:
    """Read what the line printed; EyrieError if it is not whole."""
    parts = _parts(text)
    if "end" not in parts:
        raise EyrieError(
            f"answer of desktop {host}",
            seen=" ".join(text.split())[-200:] or "nothing",
            wanted="all that cmd.exe was asked",
            next_step="run again; is the host in the right group, and its connection one to cmd.exe?",
        )
    rows = parts.get("files", [])
    names = {match[1]: "" for row in rows if (match := _NAME.fullmatch(row))}
    sums = {match[3]: match[1] for row in rows if (match := _SUM.fullmatch(row))}
    processes = _processes(parts.get("processes", []))
    return Present(
        folder="eyrie-folder" in (row.strip() for row in rows),
        files={**names, **{name: _told(digest) for name, digest in sums.items()}},
        driver=read_service(parts.get("driver", [])),
        service=read_service(parts.get("service", [])),
        events=_values(parts.get("events", [])).get("EventMessageFile", ""),
        daemons=sum(folder.lower() + "\\" in line.lower() for name, line in processes if name == DAEMON),
        helpers=sum(name == helper for name, _line in processes),
        bias=_bias(_values(parts.get("clock", [])).get("ActiveTimeBias", "")),
    )


def read_service(rows: list[str]) -> Service | None:
    """Read what `reg query` and `sc query` tell of one; words are localised, numbers are not."""
    numbers = re.findall(r":[ \t]+([0-9a-f]+)[ \t]+[A-Z]", "\n".join(rows))
    values = _values(rows)
    if len(numbers) < 2 and not values:
        return None
    return Service(
        state=int(numbers[1], 16) if len(numbers) > 1 else 0,
        line=re.sub(r"^\\\?\?\\", "", values.get("ImagePath", "")),
        start=int(values.get("Start", "0x0"), 16),
        account=values.get("ObjectName", ""),
        recovery=_recovery(values.get("FailureActions", "")),
    )


def _service(name: str) -> list[str]:
    return [rf"reg query {SERVICES}\{argument(name)} 2>nul", f"sc query {argument(name)}"]


def _part(name: str) -> str:
    return f"echo {MARK} {name}"


def _parts(text: str) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    here: list[str] = []
    # wmic ends lines with two carriage returns.
    for row in re.sub(r"\r+\n?", "\n", text).split("\n"):
        if row.startswith(f"{MARK} "):
            here = parts.setdefault(row.split()[1], [])
        else:
            here.append(row)
    return parts


def _values(rows: list[str]) -> dict[str, str]:
    return {match[1]: match[2] for row in rows if (match := _VALUE.match(row))}


def _bias(number: str) -> int | None:
    """Read a signed number of minutes out of reg's hexadecimal."""
    if not re.fullmatch(r"0x[0-9a-f]{1,8}", number):
        return None
    value = int(number, 16)
    return value - (1 << 32) if value >> 31 else value


def _told(digest: str) -> str:
    return "" if digest == "big" else digest


def _recovery(hexadecimal: str) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Read SERVICE_FAILURE_ACTIONS as the registry keeps it: window, two texts, count, place, then pairs."""
    try:
        words = [
            int.from_bytes(bytes.fromhex(hexadecimal[at : at + 8]), "little")
            for at in range(0, len(hexadecimal), 8)
        ]
    except ValueError:
        return 0, ()
    if len(words) < 5 or len(words) < 5 + 2 * words[3]:
        return 0, ()
    pairs = words[5 : 5 + 2 * words[3]]
    return words[0], tuple(zip(pairs[::2], pairs[1::2], strict=True))


def _processes(rows: list[str]) -> list[tuple[str, str]]:
    """Return name and command line of each process; a record ends with its number."""
    found, line, name = [], "", ""
    for row in rows:
        key, equals, value = row.partition("=")
        if equals and key == "CommandLine":
            line = value.strip()
        elif equals and key == "Name":
            name = value.strip()
        elif equals and key == "ProcessId":
            found.append((name, line))
            line = name = ""
    return found
