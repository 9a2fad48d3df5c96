# SPDX-License-Identifier: GPL-3.0-or-later
"""The MIME body that carries an encrypted message ([MS-WSMV] 2.2.9.1)."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Sequence

SPNEGO = "application/HTTP-SPNEGO-session-encrypted"
CREDSSP = "application/HTTP-CredSSP-session-encrypted"
CREDSSP_PIECE = 16 * 1024
"""Bytes of a message that CredSSP seals at once: a record of TLS. Longer messages go in several parts."""

_BOUNDARY = b"--Encrypted Boundary"
_STREAM = b"Content-Type: application/octet-stream\r\n"
_NEXT = re.compile(
    rb"--Encrypted Boundary\r\n\t?Content-Type: application/HTTP-\w+-session-encrypted\r\n"
    rb"\t?OriginalContent: [^\r]{1,100}\r\n(?=--Encrypted Boundary\r\n\t?Content-Type: application/octet)"
)


def content_type(protocol: str = SPNEGO, parts: int = 1) -> str:
    """Return the type of a sealed body."""
    kind = "encrypted" if parts == 1 else "x-multi-encrypted"
    return f'multipart/{kind};protocol="{protocol}";boundary="Encrypted Boundary"'


CONTENT_TYPE = content_type()


def is_sealed(content_type: str) -> bool:
    """Whether a body of this type is encrypted."""
    return content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


def is_multi(content_type: str) -> bool:
    """Whether a sealed body has several parts."""
    return content_type.lower().startswith("multipart/x-multi-encrypted")


def unpack_all(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return signature and sealed bytes of each part; ValueError if it is no such body."""
    # Ciphertext does not look like a whole header by chance.
    starts = [match.start() for match in _NEXT.finditer(body)]
    if not starts:
        raise ValueError("no encrypted part")
    last = starts[-1]
    pieces = [body[start:end] + _BOUNDARY + b"--" for start, end in itertools.pairwise(starts)]
    return [unpack(piece) for piece in (*pieces, body[last:])]


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
    return pack_all([(signature, sealed, length)])


def pack_all(parts: Sequence[tuple[bytes, bytes, int]], protocol: str = SPNEGO) -> bytes:
    """Write the body for a message in parts."""
    return b"".join(_part(*each, protocol) for each in parts) + _BOUNDARY + b"--\r\n"


def _part(signature: bytes, sealed: bytes, length: int, protocol: str) -> bytes:
    # pywinrm takes the tabs literally.
    return (
        _BOUNDARY
        + f"\r\n\tContent-Type: {protocol}\r\n".encode()
        + f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={length}\r\n".encode()
        + _BOUNDARY
        + b"\r\n\t"
        + _STREAM
        + struct.pack("<I", len(signature))
        + signature
        + sealed
    )
