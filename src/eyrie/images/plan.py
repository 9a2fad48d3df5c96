# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn wished changes into plain steps that each format can carry out blindly."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eyrie.errors import EyrieError
from eyrie.images.model import (
    FILE_MODE,
    FOLDER_MODE,
    ROOT,
    Change,
    ImageFile,
    Member,
    Remove,
    absent,
    clean,
    kind_name,
    parent,
)

_MAX_LINKS = 40


@dataclass(frozen=True)
class Unlink:
    """Take out one member; a folder is empty by then."""

    path: str


@dataclass(frozen=True)
class Make:
    """Make one member that does not exist, in a folder that does."""

    path: str
    mode: int
    uid: int
    gid: int
    data: bytes


@dataclass(frozen=True)
class Attributes:
    """Give a member that exists this mode and owner."""

    path: str
    mode: int
    uid: int
    gid: int


Step = Unlink | Make | Attributes


def plan(members: Iterable[Member], changes: Sequence[Change]) -> tuple[Step, ...]:
    """Return the steps that make `changes`, in order; a later change sees what earlier ones did."""
    tree = _Tree({member.path: member for member in members})
    for change in changes:
        if isinstance(change, Remove):
            tree.remove(clean(change.path))
        else:
            tree.put(change)
    return tuple(tree.steps)


class _Tree:
    """The members as they are after the steps so far."""

    def __init__(self, members: dict[str, Member]) -> None:
        self.members = members
        self.steps: list[Step] = []

    def remove(self, path: str) -> None:
        """Plan to take out a member."""
        self._check_way(path)
        old = self.members.get(path)
        if old is None:
            raise absent(path)
        if old.is_folder and any(parent(other) == path for other in self.members if other != ROOT):
            raise EyrieError(
                f"{path} inside the image",
                seen="a folder that holds files",
                wanted="an empty one",
                next_step="remove what it holds first",
            )
        del self.members[path]
        self.steps.append(Unlink(path))

    def put(self, file: ImageFile) -> None:
        """Plan to write a file, folder or symlink."""
        path = clean(file.path)
        old = self._old(path, file)
        wanted = _resolved(path, file, old)
        if old is not None and old.is_folder:
            if (old.mode, old.uid, old.gid) != (wanted.mode, wanted.uid, wanted.gid):
                self.steps.append(Attributes(path, wanted.mode, wanted.uid, wanted.gid))
        else:
            if old is not None:
                self.steps.append(Unlink(path))
            self._make_folders(parent(path))
            self.steps.append(wanted)
        self._note(wanted)

    def _old(self, path: str, file: ImageFile) -> Member | None:
        """Return what is there already, if it may be replaced."""
        self._check_way(path)
        old = self.members.get(path)
        if old is None:
            if file.must_exist:
                raise absent(path)
            return None
        if file.must_exist is False:
            raise EyrieError(
                f"{path} inside the image",
                seen="it exists",
                wanted="a new name",
                next_step="replace it instead",
            )
        kind, wanted = stat.S_IFMT(old.mode), stat.S_IFMT(file.mode or 0) or stat.S_IFREG
        if old.is_link and wanted == stat.S_IFREG:
            raise EyrieError(
                f"{path} inside the image",
                seen=f"a symlink to {old.target}",
                wanted="a regular file",
                next_step=f"write {self._resolve(path)}, or remove the symlink first",
            )
        if kind != wanted:
            raise EyrieError(f"{path} inside the image", seen=kind_name(old.mode), wanted=kind_name(wanted))
        return old

    def _check_way(self, path: str) -> None:
        """Refuse a path that leads through a symlink or a file."""
        for folder in _folders(parent(path)):
            member = self.members.get(folder)
            if member is None:
                return
            if member.is_link:
                raise EyrieError(
                    f"{path} inside the image leads through the symlink {folder}",
                    seen=f"{folder} -> {member.target}",
                    wanted="real folders all the way",
                    next_step=f"name {self._resolve(path)}",
                )
            if not member.is_folder:
                raise EyrieError(
                    f"{folder} inside the image, on the way to {path}",
                    seen=kind_name(member.mode),
                    wanted="a folder",
                )

    def _resolve(self, path: str) -> str:
        """Follow the symlinks in `path`, as far as they lead anywhere."""
        for _ in range(_MAX_LINKS):
            for folder in _folders(path):
                member = self.members.get(folder)
                if member is not None and member.is_link:
                    end = posixpath.join(parent(folder), member.target)
                    path = posixpath.normpath("/" + end.lstrip("/") + path[len(folder) :])
                    break
            else:
                return path
        return "a path without that loop of symlinks"

    def _make_folders(self, folder: str) -> None:
        for path in _folders(folder):
            if path not in self.members:
                make = Make(path, FOLDER_MODE, 0, 0, b"")
                self.steps.append(make)
                self._note(make)

    def _note(self, make: Make) -> None:
        target = make.data.decode("utf-8", "surrogateescape") if stat.S_ISLNK(make.mode) else ""
        self.members[make.path] = Member(
            make.path, make.mode, make.uid, make.gid, len(make.data), 0, target=target
        )


def _folders(path: str) -> list[str]:
    """Return `/a`, `/a/b` of `/a/b`; nothing of the root."""
    parts = path.strip("/").split("/") if path != ROOT else []
    return ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]


def _resolved(path: str, file: ImageFile, old: Member | None) -> Make:
    """Fill in what the wish leaves open."""
    kind = stat.S_IFMT(file.mode or 0) or stat.S_IFREG
    if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise EyrieError(f"{path}, to be made", seen=kind_name(kind), wanted="a file, folder or symlink")
    plain = FOLDER_MODE if kind == stat.S_IFDIR else FILE_MODE
    mode = file.mode if file.mode is not None else old.mode if old else plain
    uid = file.uid if file.uid is not None else old.uid if old else 0
    gid = file.gid if file.gid is not None else old.gid if old else 0
    if kind == stat.S_IFLNK and (not file.data or b"\0" in file.data):
        raise EyrieError(f"{path}, to be made", seen=file.data, wanted="a symlink's target")
    permissions = 0o777 if kind == stat.S_IFLNK else mode & 0o7777
    if min(uid, gid) < 0:
        raise EyrieError(f"{path}: the owner", seen=f"{uid}:{gid}", wanted="numbers from 0")
    return Make(path, kind | permissions, uid, gid, b"" if kind == stat.S_IFDIR else file.data)
