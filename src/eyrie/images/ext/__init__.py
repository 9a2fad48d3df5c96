# SPDX-License-Identifier: GPL-3.0-or-later
"""ext2/3/4 file systems in files, read and changed by e2fsprogs."""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.images.ext import debugfs, steps
from eyrie.images.ext.superblock import LENGTH, OFFSET, Super, broken, read_super
from eyrie.images.model import Change, Member, absent, clean, decoded, refuse_content
from eyrie.images.packing import pack_file, unpack_file
from eyrie.images.plan import plan
from eyrie.images.target import copy_sparse, refuse_same, write_whole

_ROOT_INODE = 2
_TIME = re.compile(rb"^ *mtime: 0x([0-9a-f]+)", re.MULTILINE)
_DEVICE = re.compile(rb"Device major/minor number: (\d+):(\d+)")
_FAST_LINK = re.compile(rb'^Fast link dest: "(.*)"$', re.MULTILINE | re.DOTALL)


class ExtImage:
    """An image that e2fsprogs reads from its file, unpacked into a scratch folder if it is gzip'd."""

    def __init__(self, source: Path, *, gzipped: bool) -> None:
        self._source = source
        self._gzipped = gzipped
        with self._plain() as (image, _scratch):
            self._super = _read_super(image)

    @property
    def format(self) -> str:
        """Say what the image is."""
        return self._super.name + (", gzip" if self._gzipped else "")

    def list(self) -> tuple[Member, ...]:
        """Return every member."""
        with self._plain() as (image, scratch):
            return tuple(member for member, _inode in _walk(image, scratch))

    def extract(self, path: str) -> bytes:
        """Return a file's content."""
        path = clean(path)
        with self._plain() as (image, scratch):
            for member, inode in _walk(image, scratch):
                if member.path == path:
                    refuse_content(path, member.mode)
                    if member.is_link:
                        return member.target.encode("utf-8", "surrogateescape")
                    return _dump(image, inode, scratch)
        raise absent(path)

    def save(self, changes: Sequence[Change], target: Path) -> None:
        """Write a changed copy."""
        refuse_same(self._source, target)
        with self._plain(copy=True, beside=target.parent) as (image, scratch):
            if fault := debugfs.check(image, self._super.written):
                raise broken("e2fsck's judgement", fault, "a sound file system")
            members = [member for member, _inode in _walk(image, scratch)]
            steps.apply(image, self._super, plan(members, changes), members, scratch)
            if fault := debugfs.check(image, self._super.written):
                raise EyrieError("the changed ext image", seen=fault, wanted="a sound file system")
            write_whole(target, lambda path: (pack_file if self._gzipped else _move)(image, path))

    @contextmanager
    def _plain(self, *, copy: bool = False, beside: Path | None = None) -> Iterator[tuple[Path, Path]]:
        """Give the image unpacked, or an own copy of it, and a scratch folder."""
        try:
            scratch = tempfile.TemporaryDirectory(prefix=".eyrie-image-", dir=beside)
        except OSError as error:
            raise EyrieError(
                f"a folder in {beside}", seen=error.strerror, wanted="one to write in"
            ) from error
        with scratch as name:
            place = Path(name)
            if not self._gzipped and not copy:
                yield self._source, place
                return
            image = place / "image"
            if self._gzipped:
                unpack_file(self._source, image)
            else:
                copy_sparse(self._source, image)
            yield image, place


def _move(image: Path, target: Path) -> None:
    shutil.copymode(target, image)
    image.replace(target)


def _read_super(image: Path) -> Super:
    with image.open("rb") as stream:
        head = stream.read(OFFSET + LENGTH)
    return read_super(head, image.stat().st_size)


def _walk(image: Path, scratch: Path) -> Iterator[tuple[Member, int]]:
    """Yield every member with its inode, folders before what they hold."""
    found: list[tuple[str, int, re.Match[bytes] | None]] = [("/", _ROOT_INODE, None)]
    level, seen = [("/", _ROOT_INODE)], {_ROOT_INODE}
    while level:
        answers = debugfs.run(image, [b"ls -p <%d>" % inode for _path, inode in level], scratch)
        following = []
        for (folder, _inode), answer in zip(level, answers, strict=True):
            for path, entry in _entries(folder, answer):
                inode, mode = int(entry[1]), int(entry[2], 8)
                found.append((path, inode, entry))
                if stat.S_ISDIR(mode):
                    if inode in seen:
                        raise broken(f"the folder {path}", f"inode {inode} a second time", "an own inode")
                    seen.add(inode)
                    following.append((path, inode))
        level = following
    stats = debugfs.run(image, [b"stat <%d>" % inode for _path, inode, _entry in found], scratch)
    for (path, inode, line), answer in zip(found, stats, strict=True):
        yield _member(path, line, answer, image, scratch), inode


def _entries(folder: str, answer: bytes) -> Iterator[tuple[str, re.Match[bytes]]]:
    for line in answer.splitlines():
        if not line:
            continue
        entry = debugfs.ENTRY.fullmatch(line)
        if entry is None:
            raise broken(f"a name in {folder}", line, "names without line ends")
        if int(entry[1]) and entry[5] not in (b".", b".."):  # inode 0: a free slot
            yield folder.rstrip("/") + "/" + decoded(entry[5]), entry


def _member(path: str, entry: re.Match[bytes] | None, answer: bytes, image: Path, scratch: Path) -> Member:
    time = _TIME.search(answer)
    mtime = int(time[1], 16) if time else 0
    if entry is None:
        mode, uid, gid = _root(answer)
        return Member(path, mode, uid, gid, 0, mtime)
    mode, uid, gid, size = int(entry[2], 8), int(entry[3]), int(entry[4]), int(entry[6] or 0)
    target, device = "", None
    if stat.S_ISLNK(mode):
        fast = _FAST_LINK.search(answer)
        target = decoded(fast[1] if fast else _dump(image, int(entry[1]), scratch))
    elif numbers := _DEVICE.search(answer):
        device = (int(numbers[1]), int(numbers[2]))
    return Member(path, mode, uid, gid, size, mtime, target, device)


def _root(answer: bytes) -> tuple[int, int, int]:
    fields = re.search(rb"Mode: +0?(\d+).*?User: +(\d+) +Group: +(\d+)", answer, re.DOTALL)
    if fields is None:
        raise broken("its root folder", answer[:100], "a folder")
    return stat.S_IFDIR | int(fields[1], 8), int(fields[2]), int(fields[3])


def _dump(image: Path, inode: int, scratch: Path) -> bytes:
    out = scratch / "content"
    debugfs.run(image, [b"dump <%d> " % inode + debugfs.quoted(str(out))], scratch)
    return out.read_bytes()
