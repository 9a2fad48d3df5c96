# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what Ansible is about to run by PowerShell, which desktops of the pool are not asked to do."""

from __future__ import annotations

import re

_ENCODED = re.compile(r"powershell(\.exe)?\b.*\s-(e|ec|en|enc\w*)\s", re.IGNORECASE | re.DOTALL)
_MODULE = re.compile(rb"ansible_module\s*=\s*['\"]([A-Za-z0-9_.]+)['\"]")


def is_encoded_powershell(line: str) -> bool:
    """Whether a command line hides a script in -EncodedCommand."""
    return _ENCODED.match(line.lstrip('" ')) is not None


def module_name(payload: bytes | None) -> str:
    """Return the module that Ansible packed for the standard input of an interpreter, or nothing."""
    match = _MODULE.search(payload or b"")
    return (
        match.group(1).decode().removeprefix("ansible.legacy.").removeprefix("ansible.builtin.")
        if match
        else ""
    )
