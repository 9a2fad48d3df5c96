# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack chosen files of Debian packages: no owners, no set-user-id bits, no maintainer scripts."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from eyrie.errors import EyrieError

_LEFT_OUT = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "usr/share/bug/",
    "etc/init.d/",
    "usr/lib/systemd/",
)
# /bin, /sbin and /lib* are links into /usr; packages and programs may still name the old paths.
_MERGED = ("bin/", "sbin/", "lib/", "lib64/")


def is_wanted(path: str) -> bool:
    """Keep what programs use; leave out what only people or systemd read."""
    return not path.startswith(_LEFT_OUT)


def is_library(path: str) -> bool:
    """Tell shared libraries, and links to them, by their names."""
    return ".so." in Path(path).name or path.endswith(".so")


def unpack(package: Path, tree: Path, want: Callable[[str], bool]) -> list[str]:
    """Unpack the files whose paths (no leading slash) `want` accepts; return those paths."""
    paths = []
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for member, archive in _members(process.stdout):
            path = merged(member.name.removeprefix("./"))
            if path and not member.isdir() and want(path):
                _write(archive, member, tree, path)
                paths.append(path)
    if process.returncode != 0:
        raise EyrieError(
            "package", seen=package.name, wanted="an archive dpkg-deb can read", next_step="remove it"
        )
    return paths


def _members(stream: IO[bytes]) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            yield member, archive


def merged(path: str) -> str:
    """Return where Debian keeps a path of before the /usr merge; none begins with a slash."""
    return f"usr/{path}" if path.startswith(_MERGED) else path


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, tree: Path, path: str) -> None:
    if ".." in path.split("/"):
        raise EyrieError("package", seen=path, wanted="paths inside the image")
    target = tree / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if member.issym():
        target.symlink_to(member.linkname)
    elif member.islnk():
        shutil.copy2(tree / merged(member.linkname.removeprefix("./")), target)
    elif member.isfile():
        content = archive.extractfile(member)
        assert content is not None
        with content, target.open("wb") as stream:
            shutil.copyfileobj(content, stream)
        target.chmod(0o755 if member.mode & 0o111 else 0o644)
