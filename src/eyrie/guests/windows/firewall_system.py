# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the desktop's firewall from its registry and changes it with netsh."""

from __future__ import annotations

import importlib
import os
import subprocess
from typing import Any, Iterator

from eyrie.guests.backend import GuestError, GuestSpec
from eyrie.guests.windows.firewall import Changes, State, commands, plan, problems, rules

_LOCAL = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
_POLICY = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"
_SERVICE = r"SYSTEM\CurrentControlSet\Services\MpsSvc"
_RULES = "FirewallRules"
# What the settings of a profile are called, locally and in policies.
_PROFILES = (
    ("DomainProfile", ("DomainProfile",)),
    ("StandardProfile", ("PrivateProfile", "StandardProfile")),
    ("PublicProfile", ("PublicProfile",)),
)
NETSH_SECONDS = 30


def read() -> State:
    """Return the firewall as the registry describes it now."""
    enabled, merges = {}, True
    for local, policies in _PROFILES:
        value = _number(rf"{_LOCAL}\{local}", "EnableFirewall")
        for name in policies:
            forced = _number(rf"{_POLICY}\{name}", "EnableFirewall")
            value = value if forced is None else forced
            merges = merges and _number(rf"{_POLICY}\{name}", "AllowLocalPolicyMerge") != 0
        enabled[local] = value
    return State(
        local=tuple(_texts(rf"{_LOCAL}\{_RULES}")),
        policy=tuple(_texts(rf"{_POLICY}\{_RULES}")),
        enabled=enabled,
        merges=merges,
        service_start=_number(_SERVICE, "Start"),
    )


def fence(qemu: str, spec: GuestSpec) -> list[str]:
    """Return why a guest of this program may not start: the rules that fence it in are not in force."""
    return problems(read(), rules(qemu, spec.config["master"], int(spec.config["port"])))


def planned(program: str, master: str, port: int) -> Changes:
    """Return what has to be changed for a guest to be fenced in; without a program there is none."""
    return plan(read().local, rules(program, master, port) if program else ())


def apply(changes: Changes) -> None:
    """Make the changes; raises GuestError with what netsh said."""
    for words in commands(changes):
        _netsh(words)


def remove() -> None:
    """Remove all rules of guests."""
    apply(plan(read().local, ()))


def _netsh(words: list[str]) -> None:
    program = rf"{os.environ.get('SYSTEMROOT', '')}\System32\netsh.exe"
    try:
        done = subprocess.run(
            [program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=NETSH_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GuestError("netsh", seen=str(error), wanted="a changed firewall") from error
    if done.returncode:
        said = (done.stdout + done.stderr).decode("ascii", "replace").split()
        raise GuestError(
            f"netsh {words[2]} rule {words[4]}",
            seen=f"status {done.returncode}: {' '.join(said)[:300]}",
            wanted="a changed firewall",
            next_step="look whether this account may change it",
        )


def _registry() -> Any:
    return importlib.import_module("winreg")  # exists on Windows only


def _open(path: str) -> Any:
    registry = _registry()
    return registry.OpenKey(
        registry.HKEY_LOCAL_MACHINE, path, 0, registry.KEY_READ | registry.KEY_WOW64_64KEY
    )


def _number(path: str, name: str) -> int | None:
    try:
        with _open(path) as key:
            value = _registry().QueryValueEx(key, name)[0]
    except FileNotFoundError:
        return None
    return value if isinstance(value, int) else None


def _texts(path: str) -> Iterator[str]:
    try:
        with _open(path) as key:
            for at in range(_registry().QueryInfoKey(key)[1]):
                yield str(_registry().EnumValue(key, at)[1])
    except FileNotFoundError:
        return
