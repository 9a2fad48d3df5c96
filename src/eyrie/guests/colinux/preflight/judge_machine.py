# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the machine has room for a guest: memory, disks, drivers, other hypervisors."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator

from eyrie.guests.colinux.preflight.model import RUNNING, Refusal, Seen, Wanted
from eyrie.guests.colinux.preflight.script import DRIVER, HYPERVISORS
from eyrie.guests.colinux.refuse import LEAST_MEMORY

MIB = 1 << 20
MOST_RAM_OLD = 0xFF000000
"""More is refused by 0.6.1 (os/winnt/user/misc.c); hosts of 4 GB failed otherwise before 0.7.3 (NEWS)."""

MOST_RAM = 4 << 30
"""More is refused by the driver of 0.7.9 (src/colinux/kernel/manager.c)."""

_FAT = ("FAT", "FAT32")


def refusals(seen: Seen, wanted: Wanted) -> Iterator[Refusal]:
    """Yield every reason."""
    yield from _memory(seen, wanted)
    yield from _driver(seen, wanted)
    yield from _hypervisors(seen, wanted)
    yield from _disks(seen, wanted)


def _memory(seen: Seen, wanted: Wanted) -> Iterator[Refusal]:
    if not LEAST_MEMORY <= wanted.memory_mib <= wanted.release.most_memory:
        yield Refusal(
            "memory-limit",
            "memory of the guest",
            seen=f"{wanted.memory_mib} MiB",
            wanted=f"{LEAST_MEMORY} to {wanted.release.most_memory} MiB with {wanted.release}",
            lift="correct memory_mib",
            cost="nothing",
        )
    if seen.ram is None:
        yield Refusal(
            "ram-unread",
            "memory of this desktop",
            seen="not told",
            wanted="the number of bytes",
            lift="run wmic computersystem get TotalPhysicalMemory there",
            cost="nothing",
        )
        return
    most = MOST_RAM if wanted.release.has("4g") else MOST_RAM_OLD
    if seen.ram > most:
        yield Refusal(
            "ram-too-much",
            "memory of this desktop",
            seen=f"{seen.ram // MIB} MiB",
            wanted=f"at most {most // MIB} MiB with {wanted.release}",
            lift="take memory out, or 0.7.3 and later, which bear 4096 MiB",
            cost="the owner's memory; or openMosix, for 0.7 has no 2.4 kernel",
        )
    # src/colinux/kernel/manager.c: 64 MB stay with Windows, below 256 MB a quarter.
    share = seen.ram // MIB - 64 if seen.ram >= 256 * MIB else seen.ram * 3 // 4 // MIB
    if wanted.memory_mib > share:
        yield Refusal(
            "memory-share",
            "memory of the guest",
            seen=f"{wanted.memory_mib} of {seen.ram // MIB} MiB",
            wanted=f"at most {max(share, 0)} MiB, all guests together",
            lift="give the guest less (memory_mib), or the desktop more",
            cost="a smaller guest takes fewer processes",
        )


def _driver(seen: Seen, wanted: Wanted) -> Iterator[Refusal]:
    state = seen.services.get(DRIVER.lower())
    image = re.sub(r"^\\\?\?\\", "", seen.driver_image)
    ours = _same(ntpath.dirname(image), wanted.folder)
    if image and not ours:
        yield Refusal(
            "driver-elsewhere",
            f"driver {DRIVER}",
            seen=image,
            wanted=f"none, or that of {wanted.folder}: --install-driver would succeed and change nothing",
            lift="stop its guests, then remove it with its own colinux-daemon.exe --remove-driver",
            cost="the other installation (andLinux, Portable Ubuntu, ...) runs no more",
        )
    elif state is not None and state != RUNNING:
        yield Refusal(
            "driver-stopped",
            f"driver {DRIVER}",
            seen=f"there, and does not run (state {state})",
            wanted="running, or not there",
            lift="colinux-daemon.exe --remove-driver, then --install-driver; if it stays so, restart",
            cost="nothing, or one restart",
        )
    folder = wanted.folder.lower() + "\\"
    others = [each for each in seen.daemons if folder not in each.lower()]
    if others:
        yield Refusal(
            "guest-running",
            "guests on this desktop",
            seen=others[0] or "colinux-daemon.exe",
            wanted=f"none but those of {wanted.folder}: one driver serves all",
            lift="stop it (poweroff inside it), and its service for good",
            cost="whoever uses that guest loses it",
        )
    if len(seen.daemons) >= wanted.release.most_guests:
        yield Refusal(
            "guests-too-many",
            "guests on this desktop",
            seen=len(seen.daemons),
            wanted=f"fewer than {wanted.release.most_guests} with {wanted.release}",
            lift="stop one",
            cost="that guest",
        )


def _hypervisors(seen: Seen, wanted: Wanted) -> Iterator[Refusal]:
    services = {name.lower(): maker for name, maker in HYPERVISORS.items()}
    running = {maker for name, maker in services.items() if seen.services.get(name) == RUNNING}
    later = wanted.release.number >= (0, 7, 5)
    for maker in sorted(running):
        yield Refusal(
            "hypervisor",
            "other hypervisors on this desktop",
            seen=maker,
            wanted="none: the daemon stops with a VMX mode message"
            if later
            else "none: Windows may crash where both use the processor's VMX mode",
            lift=f"stop {maker} and set its driver to start on demand (sc config NAME start= demand)",
            cost=f"no machine of {maker} runs while the guest does",
        )


def _disks(seen: Seen, wanted: Wanted) -> Iterator[Refusal]:
    if not re.fullmatch(r"[A-Za-z]:(\\[^\\/:*?\"<>| ]+)+", wanted.folder):
        yield Refusal(
            "folder",
            "folder for coLinux",
            seen=wanted.folder,
            wanted=r"such as C:\coLinux, without blanks: 0.7.8 and 0.7.9 lose the quotes around them",
            lift="correct folder",
            cost="nothing",
        )
        return
    if not seen.wmi:
        return
    volume = next((each for each in seen.volumes if each.letter == wanted.folder[0].upper()), None)
    if volume is None:
        yield Refusal(
            "disk-missing",
            f"drive {wanted.folder[:2]}",
            seen=", ".join(f"{each.letter}:" for each in seen.volumes) or "no local disk",
            wanted="a local disk: the driver opens images before anybody logs in",
            lift="choose another folder",
            cost="nothing",
        )
        return
    if volume.free < wanted.image_mib * MIB:
        yield Refusal(
            "disk-full",
            f"drive {volume.letter}:",
            seen=f"{volume.free // MIB} MiB free",
            wanted=f"{wanted.image_mib} MiB for the images",
            lift="make room, choose another drive, or a smaller image",
            cost="the owner's room",
        )
    if volume.system in _FAT and wanted.image_mib >= 4096:
        yield Refusal(
            "disk-fat",
            f"drive {volume.letter}:",
            seen=volume.system,
            wanted="NTFS: a file of FAT32 ends before 4096 MiB",
            lift=f"convert {volume.letter}: /fs:ntfs, or a smaller image",
            cost="conversion cannot be undone",
        )


def _same(one: str, two: str) -> bool:
    return ntpath.normcase(ntpath.normpath(one)) == ntpath.normcase(ntpath.normpath(two))
