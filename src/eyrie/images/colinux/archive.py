# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives whose files go into a root image: the openMosix tools, a kernel's modules."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.images.model import ImageFile, clean


def files(archive: Path) -> tuple[ImageFile, ...]:
    """Read a tar archive, packed or not."""
    try:
        with tarfile.open(archive) as opened:
            return tuple(_files(opened, archive))
    except (OSError, tarfile.TarError, EOFError) as error:
        raise EyrieError(str(archive), seen=str(error), wanted="a tar archive") from None


def _files(opened: tarfile.TarFile, archive: Path) -> Iterator[ImageFile]:
    for member in opened:
        if member.name.strip("./") == "":
            continue
        path = clean(member.name)
        mode = member.mode & 0o7777
        if member.isdir():
            yield ImageFile(path, stat.S_IFDIR | mode, member.uid, member.gid)
        elif member.issym():
            target = member.linkname.encode("utf-8", "surrogateescape")
            yield ImageFile(path, stat.S_IFLNK | 0o777, member.uid, member.gid, target)
        elif member.isreg() or member.islnk():
            content = opened.extractfile(member)
            assert content is not None
            yield ImageFile(path, stat.S_IFREG | mode, member.uid, member.gid, content.read())
        else:
            raise EyrieError(f"{archive}: {member.name}", seen="a device or pipe", wanted="files and folders")
