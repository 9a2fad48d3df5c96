# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel as it is brought onto a node: one archive of boot/ and lib/modules/RELEASE, checked before use."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eyrie.errors import EyrieError
from eyrie.kernels import release as releases
from eyrie.kernels.release import Build

BOOT_FILES = ("vmlinuz", "System.map", "config", "initrd.img")


@dataclass(frozen=True)
class Bundle:
    """One kernel with its files."""

    build: Build
    archive: bytes  # a plain tar, which the oldest BusyBox unpacks as well
    digest: str  # SHA-256 of the archive: the mark that is left on the node
    boot: tuple[tuple[str, str], ...]  # name in /boot and MD5, all that a node of 2004 can compute

    @property
    def release(self) -> str:
        """Return the kernel's release."""
        return self.build.release

    @property
    def has_initrd(self) -> bool:
        """Whether the kernel starts from an initrd of its own."""
        return any(name.startswith("initrd.img-") for name, _ in self.boot)


def load(path: Path, wanted_release: str, kind: str = "vmlinuz") -> Bundle:
    """Read an archive (plain, gzip, bzip2, xz); refuse what is not one kernel of the wanted release.

    `kind` is what the image is called: vmlinuz on a machine, vmlinux for coLinux.
    """
    try:
        with tarfile.open(path) as tar:
            members = [(entry, _content(tar, entry)) for entry in tar]
    except (OSError, tarfile.TarError, EOFError) as error:
        raise _refused(path, str(error), "a readable tar archive") from error
    boot = {PurePosixPath(e.name).name: data for e, data in members if e.isreg() and _top(e) == "boot"}
    name = f"{kind}-{wanted_release}"
    image = boot.get(name)
    if image is None:
        seen = ", ".join(sorted(boot)) or "no files in boot/"
        raise _refused(path, seen, f"boot/{name}, the pool's kernel (openmosix_kernel_release)")
    read = releases.of_image if kind == "vmlinuz" else releases.of_elf
    build = read(image, f"{path}, boot/{name}")
    releases.refuse_other(build, wanted_release, str(path))
    for entry, _ in members:
        _refuse_stranger(path, entry, wanted_release, (kind, *BOOT_FILES[1:]))
    return _made(build, members, boot)


def assemble(files: Mapping[str, Path], modules: Path | None, wanted_release: str) -> bytes:
    """Make the archive of loose files: `files` by kind (vmlinuz, ...), `modules` is lib/modules/R."""
    members = []
    for kind in BOOT_FILES:
        if kind in files:
            members.append(_file(f"boot/{kind}-{wanted_release}", files[kind].read_bytes()))
    if modules is not None:
        for path in sorted(modules.rglob("*")):
            # Links into the source tree, which only the build host has.
            if path.name not in ("build", "source"):
                members.append(_entry(path, f"lib/modules/{wanted_release}/{path.relative_to(modules)}"))
    return _archive(members)


def _made(
    build: Build, members: Iterable[tuple[tarfile.TarInfo, bytes]], boot: Mapping[str, bytes]
) -> Bundle:
    archive = _archive(members)
    sums = tuple(sorted((name, _md5(data)) for name, data in boot.items()))
    return Bundle(build, archive, hashlib.sha256(archive).hexdigest(), sums)


def _archive(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """Write members in order of their names, with nothing in them that differs from build to build."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry, data in sorted(members, key=lambda each: each[0].name.strip("./").split("/")):
            plain = tarfile.TarInfo("/".join(PurePosixPath(entry.name).parts))
            plain.type, plain.linkname, plain.size = entry.type, entry.linkname, len(data)
            plain.mode = 0o755 if entry.isdir() else 0o777 if entry.issym() else 0o644
            tar.addfile(plain, io.BytesIO(data))
    return buffer.getvalue()


def _refuse_stranger(path: Path, entry: tarfile.TarInfo, release: str, kinds: tuple[str, ...]) -> None:
    parts = PurePosixPath(entry.name).parts
    allowed = (
        parts in (("boot",), ("lib",), ("lib", "modules"))
        or (len(parts) == 2 and parts[0] == "boot" and parts[1] in {f"{kind}-{release}" for kind in kinds})
        or parts[:3] == ("lib", "modules", release)
    )
    kind = entry.isreg() or entry.isdir() or (entry.issym() and parts[0] == "lib")
    if not allowed or not kind or ".." in parts:
        wanted = f"only boot/{{{','.join(kinds)}}}-{release} and lib/modules/{release}/"
        raise _refused(path, entry.name, wanted)


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(entry) if entry.isreg() else None
    return file.read() if file else b""


def _top(entry: tarfile.TarInfo) -> str:
    parts = PurePosixPath(entry.name).parts
    return parts[0] if parts else ""


def _file(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), data


def _entry(path: Path, name: str) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
        return entry, b""
    if stat.S_ISDIR(mode):
        entry.type = tarfile.DIRTYPE
        return entry, b""
    return entry, path.read_bytes()


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _refused(path: Path, seen: str, wanted: str) -> EyrieError:
    return EyrieError(f"kernel archive {path}", seen=seen, wanted=wanted, next_step="give the pool's kernel")
