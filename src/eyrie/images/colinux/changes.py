# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change in a root image so that it is one of coLinux guests; pure."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from eyrie.errors import EyrieError
from eyrie.images.colinux import inittab, services
from eyrie.images.model import Change, ImageFile, Member, Remove

_EXECUTABLE = stat.S_IFREG | 0o755
_SECRET = stat.S_IFREG | 0o600
_DISKS = ("/dev/hd", "/dev/sd", "/dev/vd", "/dev/fd", "/dev/floppy", "/dev/scd", "/dev/sr", "/dev/cdrom")
_BUSYBOX = ("/bin/busybox", "busybox", "../bin/busybox")


@dataclass(frozen=True)
class Wanted:
    """What the pool puts in."""

    node_table: str = ""
    authorized_keys: Sequence[str] = ()
    files: Sequence[ImageFile] = ()
    """Of archives: the openMosix tools, the kernel's modules."""

    keep_password: bool = False


@dataclass
class Plan:
    """Changes, and what a person has to know of them."""

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan(members: Iterable[Member], read: Callable[[str], bytes], wanted: Wanted) -> Plan:
    """Return what to change; raises EyrieError for a base that cannot become a guest's root."""
    base = {member.path: member for member in members}
    made = Plan()
    _start(base, read, made)
    _services(base, made)
    _mounts(base, read, made)
    _network(base, made)
    _root(base, read, wanted, made)
    _pool(base, wanted, made)
    return made


def _start(base: Mapping[str, Member], read: Callable[[str], bytes], made: Plan) -> None:
    if "/etc/inittab" not in base:
        raise EyrieError(
            "the base",
            seen="no /etc/inittab",
            wanted="System V init or BusyBox's",
            next_step="take a base of 2.4's time, or a BusyBox root",
        )
    init = base.get("/sbin/init") or base.get("/init")
    if init is None:
        raise EyrieError("the base", seen="no /sbin/init", wanted="a root file system that boots")
    text, serial = inittab.edited(_text(read, "/etc/inittab"), busybox=init.target in _BUSYBOX)
    made.changes += [
        ImageFile("/etc/inittab", data=text.encode()),
        ImageFile(inittab.GUEST, _EXECUTABLE, 0, 0, _script("eyrie-guest.sh")),
        ImageFile(inittab.HALT, _EXECUTABLE, 0, 0, _script("eyrie-halt.sh")),
    ]
    made.notes += [f"no login on a serial line any more: {process}" for process in serial]


def _services(base: Mapping[str, Member], made: Plan) -> None:
    for path in services.links(base):
        made.changes.append(Remove(path))
        made.notes.append(f"does not start any more: {path}")


def _mounts(base: Mapping[str, Member], read: Callable[[str], bytes], made: Plan) -> None:
    """Write fstab: the root on cobd0, no other disk, no swap but what the guest makes."""
    checked = 1 if "/dev/cobd0" in base else 0  # without the node fsck would end the boot
    lines = [f"/dev/cobd0 / ext3 defaults 0 {checked}"]
    for line in _text(read, "/etc/fstab").splitlines() if "/etc/fstab" in base else ():
        words = line.split()
        if not words or words[0].startswith("#"):
            lines.append(line)
        elif words[0].startswith("/dev/cobd0") or len(words) < 3 or words[1] == "/":
            continue
        elif words[2] == "swap" or words[0].startswith((*_DISKS, "LABEL=", "UUID=")):
            made.notes.append(f"is not mounted any more: {' '.join(words[:3])}")
        else:
            lines.append(line)
    if not any(line.split()[1:2] == ["/proc"] for line in lines):
        lines.append("proc /proc proc defaults 0 0")
    made.changes.append(ImageFile("/etc/fstab", data="".join(f"{line}\n" for line in lines).encode()))
    if not checked:
        made.notes.append("no node /dev/cobd0 in the base: the root is not checked when it boots")


def _network(base: Mapping[str, Member], made: Plan) -> None:
    """Leave the one card to what the boot line says."""
    if "/etc/network/interfaces" in base:
        text = (
            "# The card is set by /sbin/eyrie-guest, from the boot line.\nauto lo\niface lo inet loopback\n"
        )
        made.changes.append(ImageFile("/etc/network/interfaces", data=text.encode()))
    card = "/etc/sysconfig/network-scripts/ifcfg-eth0"
    if card in base:
        made.changes.append(ImageFile(card, data=b"DEVICE=eth0\nONBOOT=no\n"))


def _root(base: Mapping[str, Member], read: Callable[[str], bytes], wanted: Wanted, made: Plan) -> None:
    """Take root's password away: its kernel runs in ring 0, so that root can do all on the desktop."""
    if wanted.keep_password:
        made.notes.append("root has the password of the base: who knows it can do all on every desktop")
        return
    path = next((path for path in ("/etc/shadow", "/etc/passwd") if path in base), None)
    if path is None:
        raise EyrieError("the base", seen="neither /etc/shadow nor /etc/passwd", wanted="accounts")
    lines = [line.split(":") for line in _text(read, path).splitlines()]
    for fields in lines:
        if fields[0] == "root" and len(fields) > 1:
            fields[1] = "*"
    made.changes.append(ImageFile(path, data="".join(":".join(fields) + "\n" for fields in lines).encode()))
    if not wanted.authorized_keys:
        made.notes.append("root has neither password nor key: nobody logs in")


def _pool(base: Mapping[str, Member], wanted: Wanted, made: Plan) -> None:
    if wanted.authorized_keys:
        keys = "".join(key.strip() + "\n" for key in wanted.authorized_keys).encode()
        if "/root/.ssh" not in base:
            made.changes.append(ImageFile("/root/.ssh", stat.S_IFDIR | 0o700, 0, 0))
        made.changes.append(ImageFile("/root/.ssh/authorized_keys", _SECRET, 0, 0, keys))
        if not any(path.endswith("/sbin/sshd") for path in (*base, *(each.path for each in wanted.files))):
            made.notes.append("no sshd in the base: the keys are of no use")
    if wanted.node_table:
        text = wanted.node_table.rstrip("\n") + "\n"
        made.changes.append(ImageFile("/etc/openmosix.map", 0o644, 0, 0, text.encode()))
    folders = {path for path, member in base.items() if member.is_folder}
    made.changes += [
        each for each in wanted.files if not (stat.S_ISDIR(each.mode or 0) and each.path in folders)
    ]
    if not any(path.endswith("/setpe") for path in (*base, *(each.path for each in wanted.files))):
        made.notes.append("no setpe, neither in the base nor in an archive: no node of openMosix")


def _text(read: Callable[[str], bytes], path: str) -> str:
    try:
        return read(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise EyrieError(f"{path} of the base", seen=str(error), wanted="text") from None


def _script(name: str) -> bytes:
    return (resources.files(__package__) / "data" / name).read_bytes()
