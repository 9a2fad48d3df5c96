# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the agent's lines go on Windows: a file of bounded size, and the event log, never flooded."""

from __future__ import annotations

import ctypes
import importlib
import time
from pathlib import Path
from typing import Any, Callable

from eyrie.agent.log import ERROR, NOTICE, WARNING
from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, POINTER, TEXT, WORD, Function
from eyrie.agent.windows.scm_values import NAME

MOST_BYTES = 512 * 1024
BURST, REFILL_SECONDS = 20.0, 180.0  # event log entries at once, and until one more is allowed
_TYPES = {ERROR: 1, WARNING: 2, NOTICE: 4}
_NUMBERS = {ERROR: 3, WARNING: 2, NOTICE: 1}
_NAMES = {ERROR: "error", WARNING: "warning", NOTICE: "notice"}
SOURCE_KEY = rf"SYSTEM\CurrentControlSet\Services\EventLog\Application\{NAME}"
# Part of Windows, and made for this: its messages 1 to 1000 are the one text given with the event.
MESSAGES = r"%SystemRoot%\System32\EventCreate.exe"

_register = Function("advapi32", "RegisterEventSourceW", HANDLE, TEXT, TEXT)
_report = Function(
    "advapi32", "ReportEventW", BOOL, HANDLE, WORD, WORD, DWORD, POINTER, WORD, DWORD, POINTER, POINTER
)


class LogFile:
    """Lines with their time; the file before this one is kept, so at most twice the size is used."""

    def __init__(self, path: Path, most: int = MOST_BYTES) -> None:
        self._path, self._most = path, most

    def __call__(self, line: str, priority: int) -> None:
        """Write one line; a disk that is full is no reason to hold up the desktop."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            if self._path.exists() and self._path.stat().st_size > self._most:
                self._path.replace(self._path.with_name("agent.1.log"))
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(f"{stamp} {_NAMES.get(priority, 'notice')}: {line}\n")
        except OSError:
            return


class Allowance:
    """So many at once, then one in a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._at = BURST, clock()

    def take(self) -> bool:
        """Tell whether one more is allowed."""
        now = self._clock()
        self._left, self._at = min(BURST, self._left + max(0.0, now - self._at) / REFILL_SECONDS), now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class EventLog:
    """The Application log, where administrators look first; a guest's nonsense must not push out theirs."""

    def __init__(self) -> None:
        self._handle = 0
        self._allowance = Allowance()
        try:
            describe_source()
            self._handle = int(_register(None, NAME) or 0)
        except OSError:  # the file still has everything
            return

    def __call__(self, line: str, priority: int) -> None:
        """Report one line."""
        if not self._handle or not self._allowance.take():
            return
        texts = (TEXT * 1)(line[:30000])
        kind, number = _TYPES.get(priority, 4), _NUMBERS.get(priority, 1)
        try:
            _report(self._handle, kind, 0, number, None, 1, 0, ctypes.cast(texts, POINTER), None)
        except OSError:  # full, and not allowed to forget
            return


def describe_source() -> None:
    """Tell the event viewer how our events read."""
    winreg: Any = importlib.import_module("winreg")
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, SOURCE_KEY) as key:
        winreg.SetValueEx(key, "EventMessageFile", 0, winreg.REG_EXPAND_SZ, MESSAGES)
        winreg.SetValueEx(key, "TypesSupported", 0, winreg.REG_DWORD, 7)


def forget_source() -> None:
    """Take that back; nothing to take back is fine."""
    winreg: Any = importlib.import_module("winreg")
    try:
        winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, SOURCE_KEY)
    except FileNotFoundError:
        return
