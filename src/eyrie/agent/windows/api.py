# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions of Windows' own libraries, each with its types and with what its failure looks like."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

# The documented names of the types; ctypes.wintypes has them too, but costs an import.
BOOL, BYTE, WORD, DWORD, LONG = (
    ctypes.c_int,
    ctypes.c_ubyte,
    ctypes.c_uint16,
    ctypes.c_uint32,
    ctypes.c_int32,
)
HANDLE = POINTER = ctypes.c_void_p
TEXT = ctypes.c_wchar_p
INVALID_HANDLE = ctypes.c_void_p(-1).value

_libraries: dict[str, Any] = {}


def zero(answer: Any) -> bool:
    """Tell whether a BOOL or a handle says failure."""
    return not answer


def invalid(answer: Any) -> bool:
    """Tell whether a file's handle says failure."""
    return bool(answer == INVALID_HANDLE)


def never(_answer: Any) -> bool:
    """Tell that a function cannot fail, or says so in a way of its own."""
    return False


class Function:
    """One function; its library is loaded at the first call, so that this code can be read on any system."""

    def __init__(
        self, library: str, name: str, result: Any, *arguments: Any, fails: Callable[[Any], bool] = zero
    ) -> None:
        self._library, self._name = library, name
        self._result, self._arguments, self._fails = result, arguments, fails
        self._found: Any = None

    def __call__(self, *values: Any) -> Any:
        """Call it; raises OSError, with Windows' own words, when it says that it failed."""
        if self._found is None:
            self._found = getattr(_load(self._library), self._name)
            self._found.restype, self._found.argtypes = self._result, self._arguments
        answer = self._found(*values)
        if self._fails(answer):
            raise failure(self._name, last_error())
        return answer


def _load(library: str) -> Any:
    if library not in _libraries:
        # Only from where Windows keeps its own: a planted file of the same name must never be found first.
        _libraries[library] = vars(ctypes)["WinDLL"](f"{library}.dll", use_last_error=True, winmode=0x800)
    return _libraries[library]


def last_error() -> int:
    """Return why the last function failed."""
    return int(vars(ctypes)["get_last_error"]())


def failure(what: str, code: int) -> OSError:
    """Return the error of that number, in Windows' words."""
    words = str(vars(ctypes)["FormatError"](code)).strip().rstrip(".")
    return OSError(0, f"{what}: {words}", None, code)


def code(error: OSError) -> int:
    """Return Windows' number of an error, 0 if it has none."""
    return int(getattr(error, "winerror", None) or 0)
