# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this Windows can be asked, and can run a guest: access, architecture, version, PAE and DEP."""

from __future__ import annotations

from collections.abc import Iterator

from eyrie.guests.colinux.preflight.model import Refusal, Seen, Wanted, Weakening

_NEVER = "no switch changes it"
_ANOTHER_DESKTOP = "another desktop; a 64-bit one takes a QEMU guest instead (group windows_desktops)"


def refusals(seen: Seen, wanted: Wanted) -> Iterator[Refusal]:
    """Yield every reason."""
    yield from _access(seen)
    yield from _windows(seen, wanted)
    yield from _paging(seen, wanted)


def paging(seen: Seen) -> bool | None:
    """Whether PAE is on: by wmic, else by the words that Windows was started with; None: nobody can tell."""
    if seen.pae is not None:
        return seen.pae
    options = _options(seen)
    if "PAE" in options:
        return True
    dep_off = seen.dep_processor is False or "EXECUTE" in options or "NOEXECUTE=ALWAYSOFF" in options
    if seen.dep_processor and not dep_off:
        return True
    return False if dep_off and "NOPAE" in options else None


def weakening(seen: Seen, wanted: Wanted) -> Weakening | None:
    """Return what the caller chose to switch off, and how to put it back."""
    if not wanted.switch_pae_off or wanted.release.has("pae") or not paging(seen):
        return None
    options = " ".join(f"/{each.lower()}" for each in seen.start_options.split())
    return Weakening(
        where="the line of this Windows in boot.ini",
        change="take /pae and /noexecute=... out, add /execute /nopae; then restart and look again",
        undo=f"put its options back as they were: {options or '(unknown: keep a copy of boot.ini)'}; restart",
        cost="no program of the desktop is protected by DEP any more, and memory above 4 GB is not used",
    )


def _options(seen: Seen) -> set[str]:
    return {each.lstrip("/").upper() for each in seen.start_options.split()}


def _access(seen: Seen) -> Iterator[Refusal]:
    if not seen.administrator:
        yield Refusal(
            "not-administrator",
            "account on this desktop",
            seen="no administrator",
            wanted="one that may install drivers",
            lift="log in as an administrator (ansible_user), elevated on Vista and 7",
            cost="an administrator's password in the site's vault",
        )
    if not seen.wmi:
        yield Refusal(
            "no-wmi",
            "wmic on this desktop",
            seen="no answer",
            wanted="what Windows knows of itself",
            lift="start the service winmgmt; Windows XP Home has no wmic: look by hand",
            cost="nothing; by hand a quarter of an hour a desktop",
        )


def _windows(seen: Seen, wanted: Wanted) -> Iterator[Refusal]:
    if seen.architecture != "X86":
        yield Refusal(
            "architecture",
            "architecture of this Windows",
            seen=seen.architecture or "unknown",
            wanted="x86: linux.sys is a driver of 32 bits, StartService fails with 0x4fb",
            lift=_ANOTHER_DESKTOP,
            cost="a new installation of Windows otherwise",
        )
    if seen.windows is None:
        yield Refusal(
            "windows-unread",
            "version of this Windows",
            seen="not read",
            wanted="5.1 (XP) to 6.1 (7)",
            lift="run ver there, and look whether the connection leads to cmd.exe",
            cost="nothing",
        )
        return
    yield from _version(seen, wanted, seen.windows)
    if seen.reboot_pending:
        yield Refusal(
            "reboot-pending",
            "restart of this Windows",
            seen="due: files are renamed at the next start",
            wanted="none: drivers that were removed are still half there",
            lift="restart the desktop while nobody is there",
            cost="one restart",
        )


def _version(seen: Seen, wanted: Wanted, version: tuple[int, int]) -> Iterator[Refusal]:
    def refuse(trap: str, why: str, lift: str, cost: str) -> Refusal:
        thing = "version of this Windows"
        return Refusal(trap, thing, seen=f"{version[0]}.{version[1]}", wanted=why, lift=lift, cost=cost)

    server = version == (5, 2) or seen.product in (2, 3)
    if server and not wanted.accept_untested:
        yield refuse(
            "windows-server",
            "a workstation: nobody has told of coLinux on this one",
            "try one as a pilot, with accept_untested",
            "perhaps a crash of Windows",
        )
    if version < (5, 0):
        yield refuse("windows-old", "XP to 7: this one has neither reg nor sc", _ANOTHER_DESKTOP, _NEVER)
    elif version == (5, 0):
        yield refuse(
            "windows-2000",
            "XP to 7: coLinux runs on 2000, but without wmic this one cannot be asked",
            "look at each point of docs/colinux.md by hand, and install by hand",
            "half an hour a desktop",
        )
    elif version > (6, 1):
        yield refuse("windows-new", "XP to 7: later ones were never supported", _ANOTHER_DESKTOP, _NEVER)
    elif version >= (6, 0) and not wanted.release.has("vista") and not wanted.accept_untested:
        yield refuse(
            "windows-vista",
            f"XP: nobody has told of {wanted.release} on Vista or 7",
            "take 0.7.1 or later, or try one as a pilot, with accept_untested",
            "0.7 has no 2.4 kernel and so no openMosix; a pilot perhaps a crash of Windows",
        )


def _paging(seen: Seen, wanted: Wanted) -> Iterator[Refusal]:
    if wanted.release.has("pae"):
        return
    on = paging(seen)
    if on is None:
        yield Refusal(
            "pae-unread",
            "PAE of this Windows",
            seen=f"not told (started with {seen.start_options or 'unknown options'})",
            wanted=f"off: a guest of {wanted.release} may crash Windows otherwise",
            lift="look at boot.ini: PAE is off, and told so, where /nopae and /execute stand there",
            cost="nothing to look; to add them, DEP's protection of all programs",
        )
    if not on or wanted.switch_pae_off:
        return
    by_dep = bool(seen.dep_processor and seen.dep_policy != 0)
    yield Refusal(
        "dep" if by_dep else "pae",
        "DEP of this Windows" if by_dep else "PAE of this Windows",
        seen="on, and PAE with it" if by_dep else "on",
        wanted=f"off: {wanted.release} does not bear PAE, and its driver says nothing about it",
        lift="take 0.6.2 or later; or allow with switch_pae_off that boot.ini gets /execute /nopae"
        if by_dep
        else "take 0.6.2 or later; or allow with switch_pae_off that boot.ini loses /pae and gets /nopae",
        cost="0.6.2 has no 2.4 kernel and so no openMosix; the switch "
        + ("takes DEP's protection from all programs" if by_dep else "leaves memory above 4 GB unused")
        + ", needs a restart, and can be put back",
    )
