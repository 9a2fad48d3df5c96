# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what the line printed: words are localised, so names and numbers alone count."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from eyrie.errors import EyrieError
from eyrie.guests.colinux.preflight.model import Adapter, Seen, Volume
from eyrie.guests.colinux.preflight.script import MARK

VERSION = re.compile(r"^(?:Microsoft )?Windows\b.*?(\d+)\.(\d+)(?:\.\d+)*\s*\]?\s*$", re.MULTILINE)
_STATE = re.compile(r":[ \t]+([0-9a-f]+)[ \t]+[A-Z][A-Z0-9_ ]*(?:\(.*\))?[ \t]*$", re.MULTILINE)
_KEY = re.compile(r"\\(\d{4})\s*$")
_VALUE = r"^\s+{}\s+REG_\w+\s+(.*?)\s*$"
_TAPS = ("tapdev", "tap0801co")


def parse(text: str, host: str) -> Seen:
    """Read an answer; EyrieError if it is not whole."""
    # wmic ends lines with two carriage returns, and reg of XP parts columns by tabs.
    lines = re.sub(r"\r+\n?", "\n", text).split("\n")
    told, parts = _parts(lines)
    if "end" not in told:
        raise EyrieError(
            f"answer of desktop {host}",
            seen=" ".join(text.split())[-200:] or "nothing",
            wanted="all that cmd.exe was asked",
            next_step="run again; is the host in the right group, and its connection one to cmd.exe?",
        )
    system = dict(_pairs(parts.get("system", [])))
    registry = "\n".join(parts.get("registry", []))
    version = VERSION.search("\n".join(lines))
    taps = tuple(_taps(parts.get("classes", [])))
    return Seen(
        windows=(int(version[1]), int(version[2])) if version else None,
        architecture=_architecture(told.get("arch", "")),
        administrator="administrator" in told,
        wmi=bool(system),
        product=_number(system, "ProductType"),
        ram=_number(system, "TotalPhysicalMemory"),
        free_ram=_times(_number(system, "FreePhysicalMemory"), 1024),
        pae=_truth(system, "PAEEnabled"),
        dep_processor=_truth(system, "DataExecutionPrevention_Available"),
        dep_policy=_number(system, "DataExecutionPrevention_SupportPolicy"),
        start_options=_value(registry, "SystemStartOptions"),
        services=_services(parts),
        driver_image=_value(registry, "ImagePath"),
        daemons=tuple(
            each.get("CommandLine", "") for each in _records(parts.get("daemons", []), "ProcessId")
        ),
        adapters=tuple(_adapters(parts, dict(taps))),
        taps=taps,
        openvpn="openvpn" in told,
        signing=_signing(registry),
        volumes=tuple(_volumes(parts.get("volumes", []))),
        reboot_pending="reboot" in told,
    )


def _parts(lines: list[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return marked values, and the lines below each mark of a part."""
    told: dict[str, str] = {}
    parts: dict[str, list[str]] = {}
    here: list[str] = []
    for each in lines:
        key, equals, value = each.strip().partition("=")
        if not (key.startswith(MARK) and equals):
            here.append(each)
            continue
        name = key.removeprefix(MARK)
        if name in ("part", "service"):
            here = parts.setdefault(value.strip() if name == "part" else f"service {value.strip()}", [])
        else:
            told[name] = value.strip()
    return told, parts


def _architecture(value: str) -> str:
    # Where a variable is not set, a command line keeps its name. The second is set where a cmd.exe of 32
    # bits runs on a Windows of 64.
    known = [name.strip() for name in value.split(",") if name.strip() and "%" not in name]
    return known[-1].upper() if known else ""


def _services(parts: dict[str, list[str]]) -> dict[str, int]:
    found = {}
    for name, lines in parts.items():
        if not name.startswith("service "):
            continue
        numbers = _STATE.findall("\n".join(lines))
        if len(numbers) >= 2:  # its type comes first; one that is not there has an error's number alone
            found[name.removeprefix("service ").lower()] = int(numbers[1], 16)
    return found


def _adapters(parts: dict[str, list[str]], components: dict[int, str]) -> Iterator[Adapter]:
    media = {
        each.get("InstanceName", "").lower(): _number(each, "NdisPhysicalMediumType")
        for each in _records(parts.get("media", []), "InstanceName")
    }
    for each in _records(parts.get("adapters", []), "NetConnectionID"):
        index = _number(each, "Index")
        description = each.get("Description", "")
        yield Adapter(
            index=-1 if index is None else index,
            description=description,
            connection=each["NetConnectionID"],
            status=_number(each, "NetConnectionStatus"),
            device=each.get("PNPDeviceID", ""),
            medium=media.get(description.lower()),
            component="" if index is None else components.get(index, ""),
        )


def _taps(lines: list[str]) -> Iterator[tuple[int, str]]:
    key = None
    for each in lines:
        component = re.match(_VALUE.format("ComponentId"), each, re.IGNORECASE)
        if each.upper().startswith("HKEY_"):
            match = _KEY.search(each)
            key = int(match[1]) if match else None
        elif component and key is not None and component[1].lower() in _TAPS:
            yield key, component[1].lower()


def _volumes(lines: list[str]) -> Iterator[Volume]:
    for each in _records(lines, "DeviceID"):
        free = _number(each, "FreeSpace")
        yield Volume(each["DeviceID"].rstrip(":").upper(), free or 0, each.get("FileSystem", "").upper())


def _signing(registry: str) -> int | None:
    """Return what a domain's policy says, else the machine's own: a byte, or a number of 32 bits."""
    for name in ("BehaviorOnFailedVerify", "Policy"):
        match = re.fullmatch(r"(?:0x)?0*([012])(?:000000)?", _value(registry, name))
        if match:
            return int(match[1])
    return None


def _value(text: str, name: str) -> str:
    match = re.search(_VALUE.format(name), text, re.MULTILINE)
    return match[1] if match else ""


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    for each in lines:
        key, equals, value = each.partition("=")
        if equals and re.fullmatch(r"\w+", key.strip()):
            # wmic's lists are made by a style sheet, which writes some signs as XML does.
            yield key.strip(), html.unescape(value.strip())


def _records(lines: list[str], needed: str) -> list[dict[str, str]]:
    """Return what `wmic ... /value` lists, record by record: a new one begins where a key comes again."""
    records: list[dict[str, str]] = [{}]
    for key, value in _pairs(lines):
        if key in records[-1]:
            records.append({})
        records[-1][key] = value
    return [each for each in records if each.get(needed)]


def _number(values: dict[str, str], key: str) -> int | None:
    text = values.get(key, "")
    return int(text) if text.isascii() and text.isdigit() else None


def _truth(values: dict[str, str], key: str) -> bool | None:
    return {"TRUE": True, "FALSE": False}.get(values.get(key, "").upper())


def _times(value: int | None, factor: int) -> int | None:
    return None if value is None else value * factor
