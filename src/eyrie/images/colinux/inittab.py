# SPDX-License-Identifier: GPL-3.0-or-later
"""inittab of System V init and of BusyBox: what a guest starts with, and what Ctrl-Alt-Del does; pure."""

from __future__ import annotations

from dataclasses import dataclass

from eyrie.errors import EyrieError

GUEST = "/sbin/eyrie-guest"
HALT = "/sbin/eyrie-halt"
_FIELDS = 4


@dataclass(frozen=True)
class Line:
    """`ID:LEVELS:ACTION:PROCESS`; BusyBox takes the first for a terminal."""

    id: str
    levels: str
    action: str
    process: str

    def __str__(self) -> str:
        return ":".join((self.id, self.levels, self.action, self.process))


def edited(text: str, *, busybox: bool) -> tuple[str, tuple[str, ...]]:
    """Return an inittab for a guest, and the terminals it has no more."""
    lines = text.splitlines()
    parsed = [_parsed(number, line) for number, line in enumerate(lines, 1)]
    # Lines of an earlier image of ours, and whatever Ctrl-Alt-Del did.
    kept: list[tuple[str, Line | None]] = [
        (line, each)
        for line, each in zip(lines, parsed, strict=True)
        if each is None or (each.action != "ctrlaltdel" and not each.process.startswith(GUEST))
    ]
    last = max((place for place, (_, each) in enumerate(kept) if _starts(each)), default=-1)
    if last < 0:
        raise EyrieError(
            "/etc/inittab of the base",
            seen="no line with sysinit",
            wanted="the script that makes the root file system writable",
            next_step="take another base",
        )
    kept.insert(last + 1, _own(Line("" if busybox else "ey", "", "sysinit", f"{GUEST} start")))
    if busybox and not any(each and each.action == "shutdown" for _, each in kept):
        # Without, it goes down with its file systems mounted. A swap file keeps one busy.
        kept += [_own(Line("", "", "shutdown", words)) for words in ("/sbin/swapoff -a", "/bin/umount -a -r")]
    kept.append(_own(Line("" if busybox else "ca", "", "ctrlaltdel", HALT)))
    serial = [each for _, each in kept if _serial(each)]
    told = tuple(each.process for each in serial if each)
    return "".join(f"{'#' if _serial(each) else ''}{line}\n" for line, each in kept), told


def _own(line: Line) -> tuple[str, Line]:
    return str(line), line


def _parsed(number: int, line: str) -> Line | None:
    bare = line.strip()
    if not bare or bare.startswith("#"):
        return None
    fields = bare.split(":", _FIELDS - 1)
    if len(fields) < _FIELDS:
        raise EyrieError(
            f"/etc/inittab of the base, line {number}", seen=bare, wanted="ID:LEVELS:ACTION:PROCESS"
        )
    return Line(*fields)


def _starts(line: Line | None) -> bool:
    return line is not None and line.action == "sysinit"


def _serial(line: Line | None) -> bool:
    """Whether it waits on a serial line, which a guest of 0.6 has not."""
    return (
        line is not None and line.action in ("respawn", "askfirst") and "ttyS" in f"{line.id} {line.process}"
    )
