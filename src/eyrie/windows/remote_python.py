# SPDX-License-Identifier: GPL-3.0-or-later
"""Files to and from a desktop by the agent's own Python: one-line programs, their input and their answers.

Paths travel on standard input: no quoting can spoil them there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from eyrie.errors import EyrieError
from eyrie.windows.quoting import command_line

_HEAD = "import sys,os,hashlib;i=sys.stdin.buffer;h=hashlib.sha256();"
_COPY = "all(o.write(c) and not h.update(c) for c in iter(lambda:f.read(65536),b''));"

_PUT = (
    _HEAD
    + "e,p=i.readline().decode('utf-8')[:-1].split(' ',1);t=p+'.eyrie-part';o=open(t,'wb');f=i;"
    + _COPY
    + "o.close();good=h.hexdigest()==e;os.replace(t,p) if good else os.remove(t);"
    "sys.exit(0 if good else 'other SHA-256: '+h.hexdigest())"
)
_FETCH = (
    _HEAD + "p=i.readline().decode('utf-8')[:-1];f=open(p,'rb');o=sys.stdout.buffer;" + _COPY + "o.flush();"
    "sys.stderr.write(h.hexdigest())"
)


def put_line(python: str) -> str:
    """Return the command line that writes a file from its standard input."""
    return command_line([python, "-B", "-c", _PUT])


def put_input(path: str, sha256: str, content: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the input of the program that writes a file."""
    yield f"{sha256} {_one_line(path)}\n".encode()
    while chunk := content.read(size):
        yield chunk


def fetch_line(python: str) -> str:
    """Return the command line that writes a file to its standard output."""
    return command_line([python, "-B", "-c", _FETCH])


def fetch_input(path: str) -> bytes:
    """Return the input of the program that reads a file."""
    return f"{_one_line(path)}\n".encode()


def fetch_sha256(stderr: bytes) -> str:
    """Return the hash that the program told of the file it read."""
    match = re.search(rb"[0-9a-f]{64}\s*$", stderr)
    return match.group().strip().decode() if match else ""


def _one_line(path: str) -> str:
    if "\n" in path or "\r" in path or not path:
        raise EyrieError(
            "path on a desktop", seen=path, wanted="a path without line ends", next_step="rename it"
        )
    return path
