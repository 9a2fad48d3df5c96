# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a host must hold exactly: compared by SHA-256 and rights, replaced whole, read back."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(\d+) (\S+) (\S+) ([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True)
class File:
    """One file of the set: its path on the host, its mode as `"0644"`, and its content's SHA-256 in hex."""

    dest: str
    mode: str
    sha256: str
    owner: str = "root"
    group: str = "root"
    check: str = ""
    """A shell command that must accept the file before anything is replaced; `%s` stands for the file."""

    @property
    def found(self) -> Found:
        """What the host says of the file where it is right."""
        return Found(self.sha256, int(self.mode, 8), self.owner, self.group)


@dataclass(frozen=True)
class Found:
    """What a host says of a file: SHA-256 in hex, mode as a number, names of owner and group."""

    sha256: str
    mode: int
    owner: str
    group: str


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_command(files: Iterable[File], absent: Iterable[str] = ()) -> str:
    """Return POSIX sh that prints a line for each file that is there, and for each that should not be."""
    paths = _words(file.dest for file in files)
    print_it = 'printf "%s %s\\n" "$(stat -c "%a %U %G" -- "$f")" "$(sha256sum -- "$f")"'
    unwanted = _words(absent)
    return (
        f'for f in {paths}; do [ ! -f "$f" ] || {print_it} || exit 1; done\n'
        f'for f in {unwanted}; do if [ -e "$f" ] || [ -L "$f" ]; then printf "unwanted %s\\n" "$f"; fi; done'
    )


def parse(output: str) -> dict[str, Found]:
    """Turn what `read_command` printed into path -> file; a line of another form is an error, not an absence.

    An unwanted file has no content to speak of: its SHA-256 is empty.
    """
    found = {}
    for line in output.splitlines():
        if line.startswith("unwanted "):
            found[line.partition(" ")[2]] = Found("", 0, "", "")
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            wanted = "mode, owner, group, 64 hex digits, two blanks and a path"
            raise ValueError(f"stat and sha256sum printed {line!r}, wanted {wanted}")
        mode, owner, group, sha256, path = match.groups()
        found[path] = Found(sha256, int(mode, 8), owner, group)
    return found


def plan(current: Mapping[str, Found], desired: Iterable[File]) -> tuple[File, ...]:
    """Return the files to write, given what is there by path; empty means nothing to do."""
    return tuple(file for file in desired if current.get(file.dest) != file.found)


def install_command(changes: Iterable[File], uploads: Mapping[str, str]) -> str:
    """Return the sh line that moves uploads (dest -> upload) into place, each file whole or not at all.

    A file that its check refuses, or that cannot be written, as on a full disk, ends it; what was written of
    it is removed.
    """
    changes = tuple(changes)
    steps = [file.check.replace("%s", shlex.quote(uploads[file.dest])) for file in changes if file.check]
    for file in changes:
        new = shlex.quote(file.dest + ".new")
        steps.append(f"new={new}")
        rights = f"-o {shlex.quote(file.owner)} -g {shlex.quote(file.group)} -m {file.mode}"
        steps.append(f"install -D {rights} -- {shlex.quote(uploads[file.dest])} {new}")
        steps.append(f"mv -f -- {new} {shlex.quote(file.dest)}")
    return "new=; " + " && ".join(steps) + ' || { [ -z "$new" ] || rm -f -- "$new"; exit 1; }'


def remove_command(paths: Collection[str]) -> str:
    """Return the sh line that removes files; nothing where there are none to remove."""
    return f"rm -f -- {_words(paths)}" if paths else ""


def _words(paths: Iterable[str]) -> str:
    return " ".join(map(shlex.quote, paths))
