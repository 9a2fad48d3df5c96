# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's files of a release: daemon, driver and kernel of one version, one archive, one sum."""

from __future__ import annotations

import hashlib
import ntpath
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from eyrie.artefacts.catalogue import load
from eyrie.artefacts.depot import Depot, depot_root
from eyrie.artefacts.file_set import digest
from eyrie.errors import EyrieError
from eyrie.guests.colinux.install.model import DRIVER_FILE, KERNEL
from eyrie.guests.colinux.release import Release
from eyrie.guests.colinux_names import DAEMON

NETDRIVER = "netdriver/"
_MOST_BYTES = 64 << 20
_RELEASE = re.compile(rb"-co-(\d\.\d\.\d)")
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7-Zip",
    b"\xfd7zXZ": "xz",
    b"Rar!": "RAR",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def operators_file(path: str, sha256: str, artefact: str) -> Path:
    """Return a file whose sum is the one that was pinned: in the inventory, or in the depot."""
    if not path:
        return Depot(depot_root(), load()).path(artefact)
    file = Path(path)
    if not file.is_file():
        raise EyrieError(str(file), seen="no such file", wanted="a file of the control host")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise EyrieError(
            f"SHA-256 of {file}",
            seen=sha256 or "none",
            wanted="the sum of the file that you have tried",
            next_step=f"sha256sum {file}",
        )
    if (seen := digest(file)) != sha256:
        raise EyrieError(str(file), seen=f"SHA-256 {seen}", wanted=f"SHA-256 {sha256}")
    return file


def read_set(archive: Path, release: Release, helper: str, kernel: bytes | None = None) -> dict[str, bytes]:
    """Return what a desktop gets of a release, name -> content; three files of one version, or none."""
    members = _members(archive)
    needed = (DAEMON, DRIVER_FILE, helper, *(() if kernel else (KERNEL,)))
    missing = [name for name in needed if name not in members]
    if missing:
        raise EyrieError(
            str(archive),
            seen=f"without {', '.join(missing)}",
            wanted=f"the files of coLinux {release}, as its installer has them",
            next_step="unpack the installer with 7-Zip, and zip what is in it with no folder around",
        )
    files = {name: members[name] for name in (DAEMON, DRIVER_FILE, helper)}
    files[KERNEL] = kernel or members[KERNEL]
    check_kernel(files[KERNEL], release)
    return files


def netdriver(archive: Path, tool: str) -> dict[str, bytes]:
    """Return the TAP driver's files, name -> content."""
    found = {
        name.removeprefix(NETDRIVER): content
        for name, content in _members(archive).items()
        if name.startswith(NETDRIVER) and name.count("/") == 1
    }
    missing = [name for name in (tool, "oemwin2k.inf") if name not in found]
    if missing:
        raise EyrieError(
            str(archive), seen=f"no {', '.join(missing)} in netdriver", wanted="the TAP driver's files"
        )
    return found


def check_kernel(content: bytes, release: Release) -> None:
    """Refuse a kernel that the release's daemon cannot boot."""
    if (packed := packing(content)) or not content.startswith(b"\x7fELF"):
        raise EyrieError(
            f"kernel for coLinux {release}",
            seen=packed or f"a file that begins with {content[:4].hex()}",
            wanted="an unpacked ELF file: vmlinux, not bzImage or vmlinuz",
        )
    told = sorted({match.decode() for match in _RELEASE.findall(content)})
    if told != [str(release)]:
        raise EyrieError(
            f"kernel for coLinux {release}",
            seen=f"a kernel for coLinux {', '.join(told)}" if told else "no -co-RELEASE in its version",
            wanted=f"-co-{release}: daemon, driver and kernel are of one version",
            next_step="take the vmlinux that came with this daemon, or was built with its patch",
        )


def check_image(file: Path) -> None:
    """Refuse an image that no guest can mount."""
    with file.open("rb") as stream:
        head = stream.read(2048)
    if packed := packing(head):
        raise EyrieError(str(file), seen=packed, wanted="an unpacked image", next_step="unpack it")
    if head[1024 + 0x38 : 1024 + 0x3A] != b"\x53\xef":
        raise EyrieError(
            str(file), seen="no ext2 or ext3", wanted="a root file system's image, without a partition table"
        )


def packing(content: bytes) -> str:
    """Return how something is packed, or nothing."""
    return next((name for magic, name in _PACKED.items() if content.startswith(magic)), "")


def sums(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return name -> SHA-256."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _members(archive: Path) -> dict[str, bytes]:
    """Read an archive, names in small letters: Windows knows no others."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if info.is_dir():
                    continue
                name = info.filename.replace("\\", "/").lower()
                if name in found or ntpath.isabs(name) or ".." in name.split("/"):
                    raise EyrieError(
                        str(archive), seen=info.filename, wanted="each file once, in the archive"
                    )
                if info.file_size > _MOST_BYTES:
                    continue  # a root image of the installer's: it has its own way
                found[name] = packed.read(info)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise EyrieError(str(archive), seen=str(error), wanted="a zip without a password") from error
    return found
