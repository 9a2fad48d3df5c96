# SPDX-License-Identifier: GPL-3.0-or-later
"""What a root image holds and what may be changed in it, whatever its format."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eyrie.errors import EyrieError

ROOT = "/"
FILE_MODE = stat.S_IFREG | 0o644
FOLDER_MODE = stat.S_IFDIR | 0o755


@dataclass(frozen=True)
class Member:
    """One file of an image; `mode` holds the type bits, `device` a node's major and minor."""

    path: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    target: str = ""
    device: tuple[int, int] | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)


@dataclass(frozen=True)
class ImageFile:
    """A file to write: a regular one (also without type bits in `mode`), a folder, or a symlink to `data`.

    What is None stays as in the file that is replaced; a new one then gets 0644 (folders 0755) and root.
    """

    path: str
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    data: bytes = b""
    must_exist: bool | None = None


@dataclass(frozen=True)
class Remove:
    """A file, symlink, node or empty folder to take out."""

    path: str


Change = ImageFile | Remove


class RootImage(Protocol):
    """An image opened for reading; `save` writes a changed copy."""

    @property
    def format(self) -> str:
        """Say what the image is, in a few words."""

    def list(self) -> tuple[Member, ...]:
        """Return every member, folders before what they hold."""

    def extract(self, path: str) -> bytes:
        """Return a regular file's content, or what a symlink points at."""

    def save(self, changes: Sequence[Change], target: Path) -> None:
        """Write the image with `changes` made to `target`, whole or not at all."""


def clean(path: str) -> str:
    """Return `path` as `/a/b`, refusing what no image can hold."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or any(character in path for character in "\0\n") or not parts:
        raise EyrieError(
            "a path inside an image",
            seen=path,
            wanted="a name such as /etc/motd, without '..' or line ends, that is not the root itself",
        )
    return "/" + "/".join(parts)


def parent(path: str) -> str:
    """Return the folder of a clean path."""
    return path.rpartition("/")[0] or ROOT


def decoded(name: bytes) -> str:
    """Turn a name's bytes into text that `encoded` turns back, whatever they are."""
    return name.decode("utf-8", "surrogateescape")


def encoded(name: str) -> bytes:
    """Turn a name into its bytes."""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise EyrieError("a name inside an image", seen=name, wanted="text") from error


def kind_name(mode: int) -> str:
    """Say what a mode's type bits mean."""
    names = {
        stat.S_IFREG: "a regular file",
        stat.S_IFDIR: "a folder",
        stat.S_IFLNK: "a symlink",
        stat.S_IFCHR: "a character device",
        stat.S_IFBLK: "a block device",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return names.get(stat.S_IFMT(mode), f"something with the mode {mode:o}")


def absent(path: str) -> EyrieError:
    """Say that a path is not in the image."""
    return EyrieError(f"{path} inside the image", seen="nothing of that name", wanted="a file that exists")


def refuse_content(path: str, mode: int) -> None:
    """Refuse to read what has no content."""
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise EyrieError(
            f"{path} inside the image", seen=kind_name(mode), wanted="a regular file or a symlink"
        )
