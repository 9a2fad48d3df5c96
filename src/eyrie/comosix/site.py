# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site file means for an inventory.

Of comosix.ini its sections are known ("coMosix Installation" 1.3, 2.4: comosix, NFS, cobd), not its keys.
A key is understood where it is coLinux's own word or one of ours; any other is named with its line, and the
caller says what it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from eyrie.comosix import weak
from eyrie.comosix.ini import Entry
from eyrie.comosix.ipsec_secrets import PreSharedKey
from eyrie.errors import EyrieError
from eyrie.guests.colinux.refuse import faults
from eyrie.guests.colinux.sources import read
from eyrie.inventory.importer import ListError

SECTIONS = ("comosix", "nfs", "cobd")
PASSWORD = "root_password"  # noqa: S105 - the name of one
DISK = "disk"
FOR_ALL = (
    "pool_name",
    "release",
    "folder",
    "kernel",
    "image",
    "memory_mib",
    "network",
    "adapter",
    "gateway",
    "master",
    "boot",
)
"""Variables of the group colinux, without colinux_, that may be the same on all desktops."""

MEANINGS = (*FOR_ALL, PASSWORD, DISK)
_OF_ONE = ("address", "mac")
_WORDS: dict[tuple[str, str], str] = {
    **{("comosix", name): name for name in (*FOR_ALL, PASSWORD)},
    ("comosix", "pool"): "pool_name",
    # coLinux's own, of XML and of an @file.
    ("comosix", "memory"): "memory_mib",
    ("comosix", "mem"): "memory_mib",
    ("comosix", "bootparams"): "boot",
    ("cobd", "cobd0"): DISK,
    ("cobd", "0"): DISK,
    ("cobd", "path"): DISK,
}
del _WORDS["comosix", "image"]  # coLinux calls the kernel so, we the root image
_DISK = re.compile(r"(?:\\DosDevices\\)?([A-Za-z]:(?:\\[^\\]+)*)\\([^\\]+)", re.IGNORECASE)
# Where a guest's faults name something else than the variable.
_FAULTS = {"memory": "memory_mib", "boot line": "boot", "kernel": "kernel", "cobd0": "image"}


@dataclass(frozen=True)
class Site:
    """A site, as an inventory holds it."""

    variables: Mapping[str, str | int]
    """Of the group colinux, with their full names."""

    password: str
    keys: tuple[PreSharedKey, ...]
    notes: tuple[str, ...]
    """What was left out, and why."""

    warnings: tuple[str, ...]


def meanings(given: Iterable[str]) -> dict[tuple[str, str], str]:
    """Read words such as comosix.netcard=adapter."""
    told: dict[tuple[str, str], str] = {}
    for word in given:
        name, _, meaning = word.partition("=")
        section, dot, key = name.lower().partition(".")
        if not dot or not section or not key or meaning not in MEANINGS:
            wanted = f"SECTION.KEY=MEANING, the meaning one of {', '.join(MEANINGS)}"
            raise EyrieError("--means", seen=word, wanted=wanted)
        told[section, key] = meaning
    return told


def site(
    entries: Iterable[Entry],
    source: str,
    keys: tuple[PreSharedKey, ...] = (),
    told: Mapping[tuple[str, str], str] | None = None,
) -> Site:
    """Judge the entries; raises ListError with every fault and its line."""
    words = _WORDS | dict(told or {})
    found: dict[str, tuple[str, Entry]] = {}
    notes, wrong = [], []
    for entry in entries:
        meaning = words.get((entry.section, entry.key), "")
        if note := _left_out(entry, meaning):
            notes.append(f"{source} line {entry.line}: {entry.name}: {note}")
            continue
        try:
            for name, value in _values(meaning, entry):
                if name in found and found[name][0] != value:
                    seen = f"another value than {found[name][1].name} in line {found[name][1].line}"
                    raise EyrieError(name, seen=seen, wanted="one")
                found[name] = (value, entry)
        except EyrieError as error:
            wrong.append(_at(error, source, entry))
    wrong += _faults({name: each for name, each in found.items() if name != PASSWORD}, source)
    if wrong:
        raise ListError(source, wrong)
    password = found[PASSWORD][0] if PASSWORD in found else ""
    values = {name: found[name][0] for name in FOR_ALL if name in found}
    return Site(
        {f"colinux_{name}": int(value) if name == "memory_mib" else value for name, value in values.items()},
        password,
        keys,
        tuple(notes),
        tuple(_warnings(found.get(PASSWORD), keys, source, values.get("pool_name", ""))),
    )


def _left_out(entry: Entry, meaning: str) -> str:
    """Return why an entry goes nowhere; empty if it has a meaning."""
    if meaning:
        if entry.value:
            return ""
        return "empty" + (": anybody logs in as root there" if meaning == PASSWORD else "") + "; left out"
    if entry.section == "nfs":
        return "left out: no part of a pool mounts an NFS share; put it into the guest's image"
    if entry.section == "cobd":
        return "left out: a guest has one disk, cobd0, and swap that it makes itself"
    if entry.section == "comosix" and entry.key in _OF_ONE:
        return "left out: it is one desktop's, and this file is for all"
    what = "key" if entry.section in SECTIONS else "section"
    return f"unknown {what}; left out. Next: say what it means with --means {entry.name}=MEANING"


def _values(meaning: str, entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield variables and their values."""
    if meaning == DISK:
        match = _DISK.fullmatch(entry.value)
        if match is None:
            raise EyrieError("disk", seen=entry.value, wanted=r"an image's path such as C:\coLinux\root_fs")
        yield "folder", match[1]
        yield "image", match[2]
    elif meaning == "boot":
        words = entry.value.split()
        roots = [word for word in words if word.startswith("root=")]
        if set(roots) - {"root=/dev/cobd0"}:
            raise EyrieError("boot", seen=" ".join(roots), wanted="root=/dev/cobd0, which every guest gets")
        if own := [word for word in words if word.startswith("eyrie_")]:
            raise EyrieError("boot", seen=" ".join(own), wanted="none: they are made for each desktop")
        yield meaning, " ".join(word for word in words if word not in roots)
    else:
        yield meaning, entry.value


def _faults(found: Mapping[str, tuple[str, Entry]], source: str) -> Iterator[EyrieError]:
    """Yield what no guest could have, each with the line it stands in."""
    good = {}
    for name, (value, entry) in found.items():
        given = {} if name == "pool_name" else {name: value}
        if name == "gateway":  # a guest has one only with an address, which is one desktop's
            given["address"] = f"{value}/24"
        try:
            read(value if name == "pool_name" else "pool", {"desktop": given}, None)
        except EyrieError as error:
            yield _at(error, source, entry)
        else:
            if name not in ("pool_name", "gateway"):
                good[name] = value
    (desktop,) = read("pool", {"desktop": good}, None)
    for fault in faults(desktop.guest, desktop.release):
        name = _FAULTS.get(fault.thing, "adapter" if "name of the adapter" in fault.thing else "network")
        if name in good:
            yield _at(fault, source, found[name][1])


def _at(error: EyrieError, source: str, entry: Entry) -> EyrieError:
    thing = f"{source} line {entry.line}: {entry.name}: {error.thing}"
    return EyrieError(thing, seen=error.seen, wanted=error.wanted, next_step=error.next_step)


def _warnings(
    password: tuple[str, Entry] | None, keys: Iterable[PreSharedKey], source: str, pool: str
) -> Iterator[str]:
    if password is not None and (why := weak.password(password[0], pool)):
        yield (
            f"{source} line {password[1].line}: {password[1].name}: {why}. Next: change root's password"
            " in the image, and on every guest made of it"
        )
    for each in keys:
        where = f"key of {each.name} (line {each.line})"
        if why := weak.key(each.key, pool):
            yield f"{where}: {why}. Next: make one of random bytes, on both ends at once"
        if each.for_all:
            yield f"{where}: one key for all: to take it from one node it has to be changed on every node"
