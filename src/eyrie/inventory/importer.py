# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows desktops from a list as spreadsheets and inventories of other programs write it; pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from eyrie.errors import EyrieError
from eyrie.inventory.variables import DESKTOP

COLUMNS = ("name", "address", "mac", "subnet", "user")
NEEDED = ("name", "address", "subnet")
_USER = re.compile(r"[^\x00-\x1f\"/\[\]:;|=,+*?<>{}]{1,104}")
_MAC = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class ListedDesktop:
    """One line of the list."""

    name: str
    address: str
    subnet: IPv4Network
    mac: str = ""
    user: str = ""
    line: int = 0


def read(data: bytes, source: str) -> tuple[ListedDesktop, ...]:
    """Read a list; raises EyrieError naming every fault with its line."""
    rows = _rows(_text(data, source), source)
    found, faults = [], []
    for number, row in rows:
        try:
            found.append(_desktop(row, number, source))
        except EyrieError as error:
            faults.append(error)
    faults += _doubles(found, source)
    if faults:
        raise ListError(source, faults)
    if not found:
        raise EyrieError(source, seen="no desktop", wanted="a line for each", next_step="add some")
    return tuple(found)


class ListError(EyrieError):
    """All that is wrong with a list."""

    def __init__(self, source: str, faults: list[EyrieError]) -> None:
        self.faults = faults
        super().__init__(
            source,
            seen=f"{len(faults)} faults",
            wanted="none",
            next_step="correct them: " + "; ".join(str(fault) for fault in faults),
        )


def render(desktops: Iterable[ListedDesktop]) -> str:
    """Write an inventory: a group for each subnet, all of them in windows_desktops and windows_agent."""
    groups: dict[str, list[ListedDesktop]] = {}
    for desktop in sorted(desktops, key=lambda each: (each.subnet, IPv4Address(each.address))):
        groups.setdefault(group_name(desktop.subnet), []).append(desktop)
    lines = ["# Written by `eyrie inventory import`.", "---"]
    for group, members in groups.items():
        lines += [f"{group}: # {members[0].subnet}", "  hosts:"]
        for desktop in members:
            lines += [f"    {desktop.name}:", f"      ansible_host: {desktop.address}"]
            if desktop.mac:
                lines.append(f'      mac_address: "{desktop.mac}"')
            if desktop.user:
                lines.append(f"      ansible_user: {_quoted(desktop.user)}")
        lines.append("")
    for family in ("windows_desktops", "windows_agent"):
        lines += [f"{family}:", "  children:", *(f"    {group}:" for group in groups)]
    return "\n".join(lines) + "\n"


def group_name(subnet: IPv4Network) -> str:
    """Return the group of a subnet: the same for the same subnet, whatever else is in the list."""
    return f"windows_{str(subnet).replace('.', '_').replace('/', '_')}"


def _text(data: bytes, source: str) -> str:
    """Decode what spreadsheets write: UTF-8 with or without a mark, UTF-16 with one."""
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EyrieError(
            source,
            seen=f"a byte that is no UTF-8 at {error.start}",
            wanted="UTF-8",
            next_step="save it as 'CSV UTF-8'",
        ) from None


def _rows(text: str, source: str) -> Iterator[tuple[int, dict[str, str]]]:
    head = text.splitlines()[0] if text.strip() else ""
    separator = max(";,\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    columns = [(column or "").strip().lower() for column in reader.fieldnames or ()]
    lacking = [column for column in NEEDED if column not in columns]
    strange = [column for column in columns if column not in COLUMNS]
    if lacking or strange or len(set(columns)) < len(columns):
        raise EyrieError(
            f"{source} line 1",
            seen=separator.join(columns) or "nothing",
            wanted=f"the columns {', '.join(NEEDED)}, and perhaps mac and user, each once",
            next_step="correct its first line",
        )
    reader.fieldnames = columns
    try:
        for row in reader:
            if any(isinstance(value, list) or (value or "").strip() for value in row.values()):
                yield reader.line_num, _row(row, reader.line_num, source)
    except csv.Error as error:
        raise EyrieError(f"{source} line {reader.line_num}", seen=str(error), wanted="CSV") from None


def _row(row: dict[str, str], line: int, source: str) -> dict[str, str]:
    if None in row:
        raise EyrieError(
            f"{source} line {line}", seen="more fields than columns", wanted="a field for each column"
        )
    return {key: (value or "").strip() for key, value in row.items()}


def _desktop(row: dict[str, str], line: int, source: str) -> ListedDesktop:
    where = f"{source} line {line}"
    name = row["name"].lower()
    if not DESKTOP.fits(name.split(".")[0]) or not re.fullmatch(r"[a-z0-9.-]{1,253}", name):
        raise EyrieError(f"{where}: name", seen=row["name"], wanted=DESKTOP.wanted)
    subnet = _subnet(row["subnet"], where)
    address = _address(row["address"], subnet, where)
    user = row.get("user", "")
    if user and not _USER.fullmatch(user):
        raise EyrieError(f"{where}: user", seen=user, wanted="the name of an account, such as EXAMPLE\\admin")
    return ListedDesktop(name, address, subnet, _mac(row.get("mac", ""), where), user, line)


def _subnet(text: str, where: str) -> IPv4Network:
    try:
        if "/" not in text:
            raise ValueError
        return IPv4Network(text)
    except ValueError:
        raise EyrieError(f"{where}: subnet", seen=text, wanted="a subnet such as 10.77.2.0/24") from None


def _address(text: str, subnet: IPv4Network, where: str) -> str:
    try:
        address = IPv4Address(text)
    except ValueError:
        raise EyrieError(f"{where}: address", seen=text, wanted="an IPv4 address") from None
    ends = () if subnet.prefixlen >= 31 else (subnet.network_address, subnet.broadcast_address)
    if address not in subnet or address in ends:
        raise EyrieError(f"{where}: address", seen=text, wanted=f"the address of a host in {subnet}")
    return str(address)


def _mac(text: str, where: str) -> str:
    digits = re.sub(r"[:.\-]", "", text.lower())
    if not text:
        return ""
    if not _MAC.fullmatch(digits) or int(digits[:2], 16) & 1 or not int(digits, 16):
        raise EyrieError(f"{where}: mac", seen=text, wanted="a MAC address of one adapter")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _doubles(desktops: list[ListedDesktop], source: str) -> list[EyrieError]:
    found = []
    for what in ("name", "address", "mac"):
        first: dict[str, int] = {}
        for desktop in desktops:
            # In the pool a desktop is called by the first part of its name.
            value = desktop.name.split(".")[0] if what == "name" else str(getattr(desktop, what))
            if value and value in first:
                found.append(
                    EyrieError(
                        f"{source} line {desktop.line}: {what}",
                        seen=f"{value}, as in line {first[value]}",
                        wanted=f"one desktop a {what}",
                    )
                )
            first.setdefault(value, desktop.line)
    return found


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
