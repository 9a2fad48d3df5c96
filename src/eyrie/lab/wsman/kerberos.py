# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos at the accepting end, by the system's own GSS library; the state belongs to one TCP connection.

pyspnego would need two packages that have to be compiled; the library itself is on every Debian.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from pathlib import Path

from eyrie.lab.wsman.negotiation import Refused, Scheme

LIBRARY = "libgssapi_krb5.so.2"

_CONTINUE_NEEDED, _ACCEPT = 1, 2
_HEADER, _DATA, _PADDING, _ALLOCATE = 2, 1, 9, 0x10000
_ERROR_MASK = 0xFFFF0000


class _Buffer(ctypes.Structure):
    _fields_ = (("length", c_size_t), ("value", c_void_p))

    @classmethod
    def of(cls, data: bytes) -> _Buffer:
        return cls(len(data), ctypes.cast(ctypes.create_string_buffer(data, max(1, len(data))), c_void_p))

    @property
    def data(self) -> bytes:
        return ctypes.string_at(self.value, self.length) if self.length and self.value else b""


class _Part(ctypes.Structure):
    _fields_ = (("type", c_uint32), ("buffer", _Buffer))


class _Pair(ctypes.Structure):
    _fields_ = (("key", c_char_p), ("value", c_char_p))


class _Store(ctypes.Structure):
    _fields_ = (("count", c_uint32), ("pairs", POINTER(_Pair)))


def is_ntlm(token: bytes) -> bool:
    """Whether a first token speaks NTLM, bare or within SPNEGO."""
    return b"NTLMSSP\0" in token


class Kerberos:
    """One handshake, and afterwards the keys of its connection; does what `Negotiation` does."""

    scheme: Scheme = "Negotiate"

    def __init__(self, keytab: Path) -> None:
        self._gss = ctypes.CDLL(LIBRARY)
        self._context, self._credentials = c_void_p(), c_void_p()
        pair = _Pair(b"keytab", str(keytab).encode())
        store = _Store(1, ctypes.pointer(pair))
        self._call(
            "gss_acquire_cred_from", None, c_uint32(0xFFFFFFFF), None, c_int(_ACCEPT), byref(store),
            byref(self._credentials), None, None,
        )  # fmt: skip
        self.complete = False
        self.user = ""

    def step(self, token: bytes) -> bytes | None:
        """Take the client's token and return the one to answer with."""
        given, answer, name = _Buffer.of(token), _Buffer(), c_void_p()
        major = self._call(
            "gss_accept_sec_context", byref(self._context), self._credentials, byref(given), None,
            byref(name), None, byref(answer), None, None, None,
        )  # fmt: skip
        told = self._taken(answer)
        self.complete = not major & _CONTINUE_NEEDED
        if self.complete:
            # Windows looks the account up in the domain; here an account of that name stands for it.
            self.user = self._display(name).partition("@")[0]
        return told or None

    def seal(self, message: bytes) -> tuple[bytes, bytes, int]:
        """Encrypt a message: signature, sealed bytes, padding."""
        parts = (_Part * 3)(
            _Part(_HEADER | _ALLOCATE), _Part(_DATA, _Buffer.of(message)), _Part(_PADDING | _ALLOCATE)
        )
        self._call("gss_wrap_iov", self._context, c_int(1), c_uint32(0), None, parts, c_int(3))
        header, data, padding = (each.buffer.data for each in parts)
        self._call("gss_release_iov_buffer", parts, c_int(3))
        return header, data + padding, len(padding)

    def unseal(self, signature: bytes, sealed: bytes) -> bytes:
        """Check and decrypt a message."""
        parts = (_Part * 3)(
            _Part(_HEADER, _Buffer.of(signature)), _Part(_DATA, _Buffer.of(sealed)), _Part(_DATA)
        )
        self._call("gss_unwrap_iov", self._context, None, None, parts, c_int(3))
        return bytes(parts[1].buffer.data)

    def __del__(self) -> None:
        minor = c_uint32()
        self._gss.gss_delete_sec_context(byref(minor), byref(self._context), None)
        self._gss.gss_release_cred(byref(minor), byref(self._credentials))

    def _call(self, name: str, *arguments: object) -> int:
        """Call a function of the library, which tells of its failures in two numbers."""
        function, minor = getattr(self._gss, name), c_uint32()
        function.restype = c_uint32
        major = int(function(byref(minor), *arguments))
        if major & _ERROR_MASK:
            raise Refused(f"{name}: {self._words(major, 1)}; {self._words(minor.value, 2)}")
        return major

    def _words(self, code: int, kind: int) -> str:
        minor, more, text = c_uint32(), c_uint32(), _Buffer()
        self._gss.gss_display_status(
            byref(minor), c_uint32(code), c_int(kind), None, byref(more), byref(text)
        )
        return self._taken(text).decode(errors="replace")

    def _display(self, name: c_void_p) -> str:
        text = _Buffer()
        self._call("gss_display_name", name, byref(text), None)
        self._call("gss_release_name", byref(name))
        return self._taken(text).decode()

    def _taken(self, buffer: _Buffer) -> bytes:
        data, minor = buffer.data, c_uint32()
        self._gss.gss_release_buffer(byref(minor), byref(buffer))
        return data
