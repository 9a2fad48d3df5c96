# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of HTTP/1.1 as WS-Management needs, read and written on a stream.

The standard library's handler parses headers as e-mail, which cost as much as all the rest of a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from io import BufferedIOBase

MOST_BYTES = 16 * 1024 * 1024
MOST_HEADERS = 64
LONGEST_LINE = 65536


class BadRequest(Exception):
    """A request that cannot be read to its end; the connection is of no use afterwards."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(frozen=True)
class Request:
    """A request with its whole body; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def last(self) -> bool:
        """Whether the client wants no other answer on this connection."""
        return self.headers.get("connection", "").lower() == "close"


def read(stream: BufferedIOBase, answers: BufferedIOBase) -> Request | None:
    """Read a request; nothing if the client has left."""
    first = _line(stream)
    if first is None:
        return None
    method, _, rest = first.partition(" ")
    path, _, version = rest.rpartition(" ")
    if not path or not version.startswith("HTTP/1."):
        raise BadRequest(400)
    headers = _headers(stream)
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
        raise BadRequest(411)
    if int(length) > MOST_BYTES:
        raise BadRequest(413)
    if headers.get("expect", "").lower() == "100-continue":
        answers.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        answers.flush()
    body = stream.read(int(length))
    if len(body) < int(length):
        return None
    return Request(method, path, headers, body)


def write(stream: BufferedIOBase, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
    """Write an answer in one go."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Server: Microsoft-HTTPAPI/2.0"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}", "", ""]
    stream.write("\r\n".join(lines).encode("latin-1") + body)
    stream.flush()


def _headers(stream: BufferedIOBase) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := _line(stream):
        name, colon, value = line.partition(":")
        if not colon or len(headers) >= MOST_HEADERS:
            raise BadRequest(400)
        headers[name.strip().lower()] = value.strip()
    return headers


def _line(stream: BufferedIOBase) -> str | None:
    line = stream.readline(LONGEST_LINE)
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise BadRequest(400)
    return line.decode("latin-1").rstrip("\r\n")
