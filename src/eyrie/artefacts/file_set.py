# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a host must hold exactly: compared by SHA-256, replaced whole, proven by reading back."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True)
class File:
    """One file of the set: its path on the host, its mode as `"0644"`, and its content's SHA-256 in hex."""

    dest: str
    mode: str
    sha256: str


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_command(files: Iterable[File]) -> str:
    """Return the POSIX sh line that prints a `sha256sum` line for each of the files that exists."""
    paths = " ".join(shlex.quote(file.dest) for file in files)
    return f'for f in {paths}; do [ ! -f "$f" ] || sha256sum -- "$f" || exit 1; done'


def parse(output: str) -> dict[str, str]:
    """Turn `sha256sum` lines into path -> digest; a line of another form is an error, not an absent file."""
    found = {}
    for line in output.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"sha256sum printed {line!r}, wanted 64 hex digits, two blanks and a path")
        found[match[2]] = match[1]
    return found


def plan(current: Mapping[str, str], desired: Iterable[File]) -> tuple[File, ...]:
    """Return the files to write, given path -> digest of those that are there; empty means nothing to do."""
    return tuple(file for file in desired if current.get(file.dest) != file.sha256)


def install_command(changes: Iterable[File], uploads: Mapping[str, str]) -> str:
    """Return the sh line that moves uploads (dest -> upload) into place, each file whole or not at all.

    A file that cannot be written, as on a full disk, ends it; what was written of it is removed.
    """
    steps = []
    for file in changes:
        new = shlex.quote(file.dest + ".new")
        steps.append(f"new={new}")
        steps.append(f"install -D -o root -g root -m {file.mode} -- {shlex.quote(uploads[file.dest])} {new}")
        steps.append(f"mv -f -- {new} {shlex.quote(file.dest)}")
    return " && ".join(steps) + ' || { rm -f -- "$new"; exit 1; }'
