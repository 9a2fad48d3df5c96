# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a guest's configuration cannot work with a release, whoever wrote it."""

from __future__ import annotations

import ntpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from eyrie.errors import EyrieError
from eyrie.guests.colinux.boot import MOST_BYTES, identity_of
from eyrie.guests.colinux.model import Card, Guest, Option
from eyrie.guests.colinux.release import Feature, Release
from eyrie.guests.colinux.text import strange
from eyrie.hub.guard import parse_mac

LEAST_MEMORY = 8
MOST_NAME = 63
DEFAULT_MAC = "00:43:4f:4e:45:3"
"""0.6.1 gives every guest this one, with its number at the end (src/colinux/user/daemon.c)."""

_PACKED = re.compile(r"\.(gz|bz2|zip|7z|xz|lzma|tgz|rar|exe)$", re.IGNORECASE)
_NT = re.compile(r"\\DosDevices\\[A-Za-z]:\\.+|\\Device\\.+")
_ROOT = re.compile(r"root=/dev/(?:cobd/?(\d+)|([hs]d[a-z]\d*))")
_REDIRECTION = re.compile(r"(tcp|udp):(\d{1,5}):(\d{1,5})")
_CONSOLE = re.compile(r"(\d{1,3})x(\d{1,3})(?:x(\d{1,3}))?")
_KIND_NEEDS: dict[str, Feature] = {"slirp": "slirp", "ndis": "ndis"}


def faults(guest: Guest, release: Release) -> list[EyrieError]:
    """Return every reason, in a stable order."""
    return [
        *_kernel(guest, release),
        *_memory(guest, release),
        *_boot(guest),
        *_disks(guest, release),
        *_cards(guest, release),
        *_folders(guest, release),
        *_options(guest.options, release),
    ]


def image_of(path: str) -> str:
    """Return a path so that two ways to write one file are the same."""
    plain = re.sub(r"^\\DosDevices\\", "", path, flags=re.IGNORECASE)
    return ntpath.normcase(ntpath.normpath(plain))


def mac_fault(mac: str, thing: str) -> EyrieError | None:
    """Return what is wrong with a MAC address."""
    if not mac:
        return EyrieError(
            thing,
            seen="no MAC address",
            wanted="one of its own: 0.6.1 gives every guest the same, later ones another at each start",
            next_step="take the one that eyrie colinux config gives",
        )
    if mac.startswith(DEFAULT_MAC):
        return EyrieError(
            thing,
            seen=mac,
            wanted="another than coLinux's own, which every guest has",
            next_step="take the one that eyrie colinux config gives",
        )
    try:
        parse_mac(mac)
    except EyrieError:
        return EyrieError(
            thing, seen=mac, wanted="17 characters with colons, of one host, such as 02:00:5e:10:00:01"
        )
    return None


def _kernel(guest: Guest, release: Release) -> Iterator[EyrieError]:
    name = ntpath.basename(guest.kernel).lower()
    if _PACKED.search(name) or name.startswith(("vmlinuz", "bzimage", "zimage")):
        yield EyrieError("kernel", seen=guest.kernel, wanted="an unpacked ELF file, such as vmlinux")
    yield from _path("kernel", guest.kernel)
    if guest.initrd:
        yield from _path("initrd", guest.initrd)
        yield from _since("initrd", "initrd", release)


def _memory(guest: Guest, release: Release) -> Iterator[EyrieError]:
    if guest.memory is not None and not LEAST_MEMORY <= guest.memory <= release.most_memory:
        wanted = f"{LEAST_MEMORY} to {release.most_memory} MB with {release}"
        yield EyrieError("memory", seen=guest.memory, wanted=wanted)


def _boot(guest: Guest) -> Iterator[EyrieError]:
    size = len(guest.boot.encode())
    if size > MOST_BYTES:
        yield EyrieError(
            "boot line", seen=f"{size} bytes", wanted=f"at most {MOST_BYTES}: the rest is cut off"
        )
    if sign := strange(guest.boot):
        yield EyrieError("boot line", seen=sign, wanted="ASCII")
    try:
        identity_of(guest.boot)
    except EyrieError as error:
        yield error
    roots = _ROOT.findall(guest.boot)
    if not guest.initrd and not re.search(r"(?:^| )root=", guest.boot):
        yield EyrieError("boot line", seen=guest.boot, wanted="root=/dev/cobd0, or an initrd")
    for number, alias in roots:
        if not any(
            disk.enabled and (disk.alias == alias if alias else disk.index == int(number))
            for disk in guest.disks
        ):
            yield EyrieError(
                "boot line",
                seen=f"root=/dev/{alias or f'cobd{number}'}",
                wanted="a disk of this guest that is on: else no root file system is mounted",
            )


def _disks(guest: Guest, release: Release) -> Iterator[EyrieError]:
    yield from _indices("cobd", [disk.index for disk in guest.disks], 31)
    if not guest.disks:
        yield EyrieError("disks", seen="none", wanted="at least the root file system's image")
    images = defaultdict(list)
    for disk in guest.disks:
        name = f"cobd{disk.index}"
        images[image_of(disk.path)].append(name)
        yield from _path(name, disk.path)
        if _PACKED.search(disk.path):
            yield EyrieError(
                name, seen=disk.path, wanted="an unpacked image", next_step="unpack it on the desktop"
            )
        if not release.has("relative") and not _NT.fullmatch(disk.path):
            yield EyrieError(
                name,
                seen=disk.path,
                wanted=rf"\DosDevices\c:\coLinux\root_fs: {release} hands the path to the kernel as it is",
            )
        if disk.alias and not re.fullmatch(r"[hs]d[a-z]\d*", disk.alias):
            yield EyrieError(f"{name}: alias", seen=disk.alias, wanted="such as hda1 or sda")
    for path, names in images.items():
        if len(names) > 1:
            yield EyrieError(f"image {path}", seen=", ".join(names), wanted="one disk an image")


def _cards(guest: Guest, release: Release) -> Iterator[EyrieError]:
    yield from _indices("eth", [card.index for card in guest.cards], 15)
    macs = defaultdict(list)
    for card in guest.cards:
        name = f"eth{card.index}"
        macs[card.mac].append(name)
        if fault := mac_fault(card.mac, f"{name}: MAC address"):
            yield fault
        if feature := _KIND_NEEDS.get(card.kind):
            yield from _since(f"{name}: kind {card.kind}", feature, release)
            if card.kind == "ndis" and release.format == "xml":
                continue
        yield from _name(card, release)
        if not card.promisc:
            yield from _since(f"{name}: promiscuous mode off", "promisc", release)
            if card.kind not in ("bridge", "ndis"):
                yield EyrieError(f"{name}: promiscuous mode off", seen=card.kind, wanted="a bridge")
        yield from _redirections(card)
    for mac, names in macs.items():
        if mac and len(names) > 1:
            yield EyrieError(f"MAC address {mac}", seen=", ".join(names), wanted="one card an address")


def _name(card: Card, release: Release) -> Iterator[EyrieError]:
    thing = f"eth{card.index}: name of the adapter"
    if card.kind == "slirp" and card.name:
        yield EyrieError(thing, seen=card.name, wanted="none with slirp")
    if card.kind in ("bridge", "ndis") and not card.name:
        what = "part of the adapter's description" if not release.has("slirp") else "the connection's name"
        yield EyrieError(thing, seen="nothing", wanted=f"{what}: without, any adapter is taken")
    if sign := strange(card.name):
        yield EyrieError(
            thing,
            seen=card.name,
            wanted=f"ASCII, not {sign!r}, which the desktop's code page decides on",
            next_step="give the connection an ASCII name (netsh interface set interface)",
        )
    if len(card.name) > MOST_NAME:
        yield EyrieError(thing, seen=card.name, wanted=f"at most {MOST_NAME} characters (config.h)")
    if release.format == "at" and set(card.name) & set('"#'):
        yield EyrieError(
            thing,
            seen=card.name,
            wanted='none of " and #: a comment would start there',
            next_step="rename the connection",
        )


def _redirections(card: Card) -> Iterator[EyrieError]:
    thing = f"eth{card.index}: redirections"
    if card.redirections and card.kind != "slirp":
        yield EyrieError(thing, seen=card.redirections, wanted="slirp, the only kind that has them")
    for each in card.redirections.split("/") if card.redirections else ():
        match = _REDIRECTION.fullmatch(each)
        if not match or not (1 <= int(match[2]) <= 65535 and 1 <= int(match[3]) <= 65535):
            yield EyrieError(thing, seen=each, wanted="such as tcp:2222:22")


def _folders(guest: Guest, release: Release) -> Iterator[EyrieError]:
    yield from _indices("cofs", [cofs.index for cofs in guest.cofs], 31)
    for cofs in guest.cofs:
        yield from _since(f"cofs{cofs.index}", "cofs", release)
        yield from _path(f"cofs{cofs.index}", cofs.path)


def _options(options: Iterable[Option], release: Release) -> Iterator[EyrieError]:
    for option in options:
        if release.format == "xml":
            yield EyrieError(option.key, seen=str(release), wanted="0.7.1 or later, for there is no such key")
        number = re.fullmatch(r"exec(\d+)", option.key)
        if number and int(number[1]) > 7:
            yield EyrieError(option.key, seen=int(number[1]), wanted="exec0 to exec7")
        if option.key == "cocon":
            size = _CONSOLE.fullmatch(",".join(option.values))
            if not size or int(size[1]) < 16 or int(size[2]) < 2 or int(size[3] or 0) > 500:
                yield EyrieError(
                    "cocon", seen=",".join(option.values), wanted="COLSxROWS, at least 16x2, buffer to 500"
                )


def _indices(kind: str, indices: list[int], most: int) -> Iterator[EyrieError]:
    for index in sorted(set(indices)):
        if not 0 <= index <= most:
            yield EyrieError(f"{kind}{index}", seen=index, wanted=f"an index from 0 to {most}")
        if indices.count(index) > 1:
            yield EyrieError(f"{kind}{index}", seen=f"{indices.count(index)} times", wanted="each index once")


def _path(thing: str, path: str) -> Iterator[EyrieError]:
    if strange(path) or set(path) & set('"<>|?*#'):
        yield EyrieError(thing, seen=path, wanted='ASCII without any of " < > | ? * #')


def _since(thing: str, feature: Feature, release: Release) -> Iterator[EyrieError]:
    if not release.has(feature):
        yield EyrieError(
            thing, seen=f"release {release}", wanted="a later one, which knows it", next_step="take it out"
        )
