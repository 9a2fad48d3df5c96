# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration files, and what is wrong with one or between several of a pool."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eyrie.errors import EyrieError
from eyrie.guests.colinux import at_format, xml_format
from eyrie.guests.colinux.boot import identity_of
from eyrie.guests.colinux.model import Guest
from eyrie.guests.colinux.refuse import faults, image_of
from eyrie.guests.colinux.release import USUAL, Format, Release


@dataclass(frozen=True)
class Checked:
    """What was found in one file."""

    source: str
    release: Release
    guest: Guest | None
    faults: tuple[EyrieError, ...]


def format_of(data: bytes) -> Format:
    """Tell the formats apart: a word of an @file cannot begin with `<`."""
    return "xml" if data.removeprefix(xml_format.BOM).lstrip().startswith(b"<") else "at"


def parse(data: bytes, source: str, release: Release) -> Guest:
    """Read a file as this release reads it."""
    if format_of(data) != release.format:
        other = {"xml": "XML, which 0.7.1 removed", "at": "an @file, which 0.7.1 brought"}[format_of(data)]
        raise EyrieError(
            source, seen=other, wanted={"xml": "XML", "at": "an @file"}[release.format] + f" for {release}"
        )
    if release.format == "xml":
        return xml_format.parse(data, source, bom=release.has("bom"))
    return at_format.parse(data, source)


def render(guest: Guest, release: Release) -> str:
    """Write a guest as this release reads it; refuses what cannot work."""
    for fault in faults(guest, release):
        raise fault
    return xml_format.render(guest) if release.format == "xml" else at_format.render(guest)


def check(files: Sequence[tuple[str, bytes]], release: Release | None = None) -> list[Checked]:
    """Judge files, each by itself, and as guests of one pool on different desktops."""
    checked = [_check(source, data, release or USUAL[format_of(data)]) for source, data in files]
    more = defaultdict(list)
    for source, fault in _between(checked):
        more[source].append(fault)
    return [
        Checked(each.source, each.release, each.guest, (*each.faults, *more[each.source])) for each in checked
    ]


def one_desktop(checked: Sequence[Checked]) -> list[EyrieError]:
    """Return what is wrong where all these guests run on one desktop: an image is opened with no sharing."""
    images = [
        (image_of(disk.path), each.source) for each in checked if each.guest for disk in each.guest.disks
    ]
    return [
        EyrieError(f"image {image}", seen=f"in {', '.join(users)}", wanted="one guest an image")
        for image, users in _shared(images)
    ]


def _check(source: str, data: bytes, release: Release) -> Checked:
    try:
        guest = parse(data, source, release)
    except EyrieError as error:
        return Checked(source, release, None, (error,))
    return Checked(source, release, guest, tuple(faults(guest, release)))


def _between(checked: Sequence[Checked]) -> Iterator[tuple[str, EyrieError]]:
    told: list[tuple[str, str]] = []
    for each in checked:
        if each.guest is None:
            continue
        told += [(f"MAC address {card.mac}", each.source) for card in each.guest.cards if card.mac]
        try:
            identity = identity_of(each.guest.boot)
        except EyrieError:
            continue
        if identity is None:
            continue
        told.append((f"name {identity.name} in pool {identity.pool}", each.source))
        if identity.address is not None:
            told.append((f"address {identity.address.ip}", each.source))
        if identity.node is not None:
            told.append((f"openMosix number {identity.node}", each.source))
    for what, users in _shared(told):
        for user in users:
            others = ", ".join(other for other in users if other != user)
            yield user, EyrieError(what, seen=f"also in {others}", wanted="one guest of the pool with it")


def _shared(told: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    users: dict[str, list[str]] = defaultdict(list)
    for what, source in told:
        if source not in users[what]:
            users[what].append(source)
    yield from ((what, names) for what, names in users.items() if len(names) > 1)
