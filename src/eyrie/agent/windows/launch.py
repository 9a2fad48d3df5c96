# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the helper inside a user's session, as that user, without a window."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import eyrie
from eyrie.agent.windows import accounts
from eyrie.agent.windows.api import BOOL, BYTE, DWORD, HANDLE, POINTER, TEXT, WORD, Function, code, never
from eyrie.agent.windows.kernel import close_handle, current_process, terminate_process

_NO_WINDOW, _UNICODE_ENVIRONMENT = 0x08000000, 0x400
_PRIVILEGE_NOT_HELD = 1314


class _Startup(ctypes.Structure):
    """STARTUPINFOW."""

    _fields_ = (
        ("size", DWORD),
        ("reserved", TEXT),
        ("desktop", TEXT),
        ("title", TEXT),
        *((name, DWORD) for name in ("x", "y", "width", "height", "columns", "rows", "fill", "flags")),
        ("show", WORD),
        ("reserved_size", WORD),
        ("reserved_bytes", ctypes.POINTER(BYTE)),
        *((name, HANDLE) for name in ("input", "output", "error")),
    )


class _Process(ctypes.Structure):
    """PROCESS_INFORMATION."""

    _fields_ = (("process", HANDLE), ("thread", HANDLE), ("pid", DWORD), ("tid", DWORD))


_user_token = Function("wtsapi32", "WTSQueryUserToken", BOOL, DWORD, POINTER)
_session_of = Function("kernel32", "ProcessIdToSessionId", BOOL, DWORD, POINTER)
_own_pid = Function("kernel32", "GetCurrentProcessId", DWORD, fails=never)
_environment = Function("userenv", "CreateEnvironmentBlock", BOOL, POINTER, HANDLE, BOOL)
_free_environment = Function("userenv", "DestroyEnvironmentBlock", BOOL, POINTER, fails=never)
_create = Function(
    "advapi32", "CreateProcessAsUserW", BOOL,
    HANDLE, TEXT, TEXT, POINTER, POINTER, BOOL, DWORD, POINTER, TEXT, POINTER, POINTER,
)  # fmt: skip


@dataclass(frozen=True)
class Started:
    """A process in a session."""

    pid: int
    handle: int

    def end(self) -> None:
        """End it if it still runs, and let go of it."""
        try:
            terminate_process(self.handle, 0)
        except OSError:  # it has ended already
            pass
        finally:
            close_handle(self.handle)


class UserToken:
    """The token of whoever is logged on to a session; raises OSError when there is none to be had."""

    def __init__(self, session: int) -> None:
        self._token = POINTER()
        try:
            _user_token(session, ctypes.byref(self._token))
        except OSError as error:
            # Started by hand, without the system's privileges: our own session can still be watched.
            if code(error) != _PRIVILEGE_NOT_HELD or session != own_session():
                raise
            rights = accounts.TOKEN_QUERY | accounts.TOKEN_DUPLICATE | accounts.TOKEN_ASSIGN_PRIMARY
            accounts.open_process_token(current_process(), rights, ctypes.byref(self._token))
        try:
            self.sid = accounts.token_user(self._token.value or 0)
        except OSError:
            self.close()
            raise

    def start(self, words: list[str]) -> Started:
        """Start a program on the session's own desktop, with its user's environment."""
        startup = _Startup(size=ctypes.sizeof(_Startup), desktop=r"winsta0\default")
        made, block = _Process(), POINTER()
        _environment(ctypes.byref(block), self._token, False)
        line = ctypes.create_unicode_buffer(subprocess.list2cmdline(words))  # Windows writes into it
        try:
            _create(
                self._token,
                words[0],
                line,
                None,
                None,
                False,  # handles cannot be inherited into another session
                _NO_WINDOW | _UNICODE_ENVIRONMENT,
                block,
                str(Path(words[0]).parent),
                ctypes.byref(startup),
                ctypes.byref(made),
            )
        finally:
            _free_environment(block)
        close_handle(made.thread)
        return Started(int(made.pid), int(made.process or 0))

    def close(self) -> None:
        """Let go of the token."""
        close_handle(self._token)


def own_session() -> int:
    """Return the session this process runs in."""
    number = DWORD()
    _session_of(_own_pid(), ctypes.byref(number))
    return int(number.value)


def own_command(*words: str) -> list[str]:
    """Return the command that runs this very agent again, with other words."""
    bundle = Path(eyrie.__file__).resolve().parents[1]
    program = Path(sys.executable)
    silent = program.with_name("pythonw.exe")
    return [str(silent if silent.is_file() else program), "-B", str(bundle), *words]
