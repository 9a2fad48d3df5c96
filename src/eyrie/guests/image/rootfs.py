# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the guest's root file system together from unpacked packages and our own few files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from eyrie.guests.image.elf import is_elf, library_closure
from eyrie.guests.image.packages import Package, closure
from eyrie.guests.image.unpack import is_library, is_wanted, unpack

ENGINE_PACKAGES = ("busybox-static", "condor", "nftables")
BUSYBOX = "usr/bin/busybox"
PROGRAMS = (
    BUSYBOX,
    "usr/sbin/condor_procd",
    "usr/sbin/condor_startd",
    "usr/sbin/condor_starter",
    "usr/sbin/nft",
)
# Programs that could draw on a screen depend on them, and they on 200 MB of compiler; a guest has no screen.
_FOR_ABSENT_HARDWARE = frozenset({"libgl1-mesa-dri", "mesa-libgallium", "mesa-vulkan-drivers"})
# What programs open by name at run time, which no list of needed libraries can tell.
_OPENED_BY_NAME = ("usr/lib/x86_64-linux-gnu/libnss_files.so.2",)
_FOLDERS = (
    *(
        "dev",
        "etc/condor",
        "etc/eyrie",
        "home",
        "proc",
        "root",
        "run",
        "sys",
        "tmp",
        "usr/bin",
        "usr/lib",
        "usr/lib64",
    ),
    *("usr/sbin", "var/lib", "var/log", "var/spool", "var/tmp"),
)
_LINKS = {
    "bin": "usr/bin",
    "sbin": "usr/sbin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "var/run": "/run",
    "var/lock": "/run/lock",
}
_OUR_FILES = {
    "guest-init.sh": "usr/sbin/init",
    "engine.sh": "etc/eyrie/engine.sh",
    "condor.conf": "etc/eyrie/condor.conf",
    "firewall.nft": "etc/eyrie/firewall.nft",
    "passwd": "etc/passwd",
    "group": "etc/group",
    "nsswitch.conf": "etc/nsswitch.conf",
}
_PROGRAM_FOLDERS = ("usr/bin/", "usr/sbin/", "usr/games/")


def our_file(name: str) -> bytes:
    """Return one of the files shipped beside this module."""
    return (files(__package__) / "data" / name).read_bytes()


def assemble(packages: Mapping[str, Package], extra: Iterable[str], root: Path, scratch: Path) -> set[str]:
    """Fill `root`; return the names of the packages that anything in it comes from."""
    whole = closure(extra, packages, _FOR_ABSENT_HARDWARE)
    origin: dict[str, str] = {}
    for name in sorted(packages):
        if not name.startswith("linux-image-"):
            want = is_wanted if name in whole else _is_wanted_of_the_rest
            origin |= dict.fromkeys(unpack(packages[name].file, scratch, want), name)
    chosen = {path for path, name in origin.items() if name in whole} | set(PROGRAMS) | set(_OPENED_BY_NAME)
    programs = [scratch / path for path in sorted(chosen) if path.startswith(_PROGRAM_FOLDERS)]
    needed = library_closure([file for file in programs if is_elf(file)], scratch)
    chosen |= {str(library.relative_to(scratch)) for library in needed}
    _lay_out(root)
    for path in sorted(chosen):
        _copy(scratch / path, root / path)
    _add_our_files(root)
    _link_applets(root)
    return {origin[path] for path in chosen}


def _is_wanted_of_the_rest(path: str) -> bool:
    return path in PROGRAMS or is_library(path)


def _lay_out(root: Path) -> None:
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    for name, target in _LINKS.items():
        (root / name).symlink_to(target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


def _add_our_files(root: Path) -> None:
    for name, place in _OUR_FILES.items():
        (root / place).unlink(missing_ok=True)
        (root / place).write_bytes(our_file(name))
        (root / place).chmod(0o755 if name.endswith("-init.sh") else 0o644)
    (root / "etc/resolv.conf").write_text("")


def _link_applets(root: Path) -> None:
    """Give every BusyBox command its usual name, where no real program has it."""
    applets = subprocess.run(
        [root / BUSYBOX, "--list-full"], capture_output=True, text=True, check=True
    ).stdout
    for path in applets.split():
        place = root / (path if path.startswith("usr/") else f"usr/{path}")
        if not place.exists() and not place.is_symlink():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(f"/{BUSYBOX}")
