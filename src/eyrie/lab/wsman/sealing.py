# SPDX-License-Identifier: GPL-3.0-or-later
"""The MIME body that carries an encrypted message ([MS-WSMV] 2.2.9.1)."""

from __future__ import annotations

import struct

PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'
_BOUNDARY = b"--Encrypted Boundary"
_STREAM = b"Content-Type: application/octet-stream\r\n"


def is_sealed(content_type: str) -> bool:
    """Whether a body of this type is encrypted."""
    return content_type.lower().startswith("multipart/encrypted")


def unpack(body: bytes) -> tuple[bytes, bytes]:
    """Return signature and sealed bytes; ValueError if it is no such body."""
    # The ciphertext may hold anything, boundaries too: only the first header and the last boundary count.
    # Some clients write tabs before the headers, some do not.
    _head, mark, rest = body.partition(_STREAM)
    end = rest.rfind(_BOUNDARY + b"--")
    if not mark or end < 4:
        raise ValueError("no encrypted part")
    (length,) = struct.unpack_from("<I", rest)
    if length > end - 4:
        raise ValueError(f"signature of {length} bytes")
    return rest[4 : 4 + length], rest[4 + length : end]


def pack(signature: bytes, sealed: bytes, length: int) -> bytes:
    """Write the body for a message that was `length` bytes before it was sealed, padding included."""
    # pywinrm takes the tabs literally.
    return (
        _BOUNDARY
        + f"\r\n\tContent-Type: {PROTOCOL}\r\n".encode()
        + f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={length}\r\n".encode()
        + _BOUNDARY
        + b"\r\n\t"
        + _STREAM
        + struct.pack("<I", len(signature))
        + signature
        + sealed
        + _BOUNDARY
        + b"--\r\n"
    )
