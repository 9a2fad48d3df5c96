# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a guest image, or take it from the cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.guests.image import kernel
from eyrie.guests.image.packages import Package, fetch
from eyrie.guests.image.recipe import GuestImage, Recipe, cache_root, read_image, write_manifest
from eyrie.guests.image.rootfs import BUSYBOX, ENGINE_PACKAGES, assemble, our_file
from eyrie.guests.image.unpack import unpack

KERNEL_PACKAGE = "linux-image-cloud-amd64"
NEEDED_MIB = 1024  # archives and unpacked trees of the image without applications, with some to spare
_PROGRAMS = ("apt-get", "dpkg-deb", "mksquashfs", "zstd")

Say = Callable[[str], None]


def build_image(
    recipe: Recipe, mirror: Callable[[], str], *, fresh: bool = False, say: Say = lambda _: None
) -> GuestImage:
    """Return the image of `recipe`: from the cache if its files are whole there, else built.

    `mirror` is asked only when something must be fetched; `fresh` builds anew, with today's package versions.
    """
    images = _writable(cache_root() / "guest-images")
    place = images / recipe.hash()
    with _locked(images / ".lock"):
        if place.exists() and not fresh:
            try:
                return read_image(place)
            except EyrieError as error:
                say(f"the cached image is damaged and is built again: {error}")
        _check_machine(images)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=images) as folder:
            finished = Path(folder) / "image"
            _build(recipe, mirror(), Path(folder), finished, say)
            shutil.rmtree(place, ignore_errors=True)
            finished.rename(place)
        return read_image(place)


def copy_image(image: GuestImage, directory: Path) -> None:
    """Put the image's four files into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in sorted(image.directory.iterdir()):
        shutil.copyfile(file, directory / file.name)


def _build(recipe: Recipe, mirror: str, work: Path, finished: Path, say: Say) -> None:
    say(f"fetching packages from {mirror}")
    packages = fetch([KERNEL_PACKAGE, *ENGINE_PACKAGES, *recipe.packages], mirror, cache_root())
    finished.mkdir()
    root, scratch = work / "root", work / "scratch"
    say("putting the root file system together")
    used = assemble(packages, recipe.packages, root, scratch)
    if recipe.overlay:
        shutil.copytree(recipe.overlay, root, symlinks=True, dirs_exist_ok=True)
    linux = _kernel_package(packages)
    unpack(linux.file, scratch, kernel.is_kernel_file)
    (vmlinuz,) = (scratch / "boot").glob("vmlinuz-*")
    shutil.copyfile(vmlinuz, finished / "vmlinuz")
    say("compressing")
    archive = kernel.initramfs(
        (scratch / BUSYBOX).read_bytes(),
        our_file("initramfs-init.sh"),
        kernel.read_modules(scratch),
        recipe.epoch,
    )
    _run(["zstd", "-19", "-T1", "-q", "-c"], archive, finished / "initramfs.cpio.zst")
    _squash(root, finished / "root.squashfs", recipe.epoch)
    versions = {name: packages[name].version for name in {*used, linux.name}}
    write_manifest(finished, vmlinuz.name.removeprefix("vmlinuz-"), recipe.packages, versions)


def _kernel_package(packages: dict[str, Package]) -> Package:
    """Return the package behind the one that always names the newest kernel."""
    (name,) = (each for each in packages if each.startswith("linux-image-") and each != KERNEL_PACKAGE)
    return packages[name]


def _squash(root: Path, target: Path, epoch: int) -> None:
    command = [
        "mksquashfs",
        str(root),
        str(target),
        "-comp",
        "zstd",
        "-Xcompression-level",
        "19",
        "-b",
        "128K",
    ]
    command += ["-all-root", "-no-xattrs", "-noappend", "-no-progress", "-quiet", "-reproducible"]
    command += ["-mkfs-time", str(epoch), "-all-time", str(epoch)]
    _run(command)


def _run(command: list[str], data: bytes = b"", target: Path | None = None) -> None:
    # mksquashfs refuses its own time options beside this variable.
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(command, input=data, capture_output=True, check=False, env=environment)
    if done.returncode != 0:
        raise EyrieError(
            "building the guest image",
            seen=done.stderr.decode("utf-8", "replace").strip()[-400:],
            wanted=f"{command[0]} to succeed",
            next_step="look at the free disk space, then try again",
        )
    if target:
        target.write_bytes(done.stdout)


def _writable(directory: Path) -> Path:
    trouble = f"user {os.geteuid()} may not write {directory}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if os.access(directory, os.W_OK):
            return directory
    except OSError as error:
        trouble = str(error)
    raise EyrieError(
        "cache of guest images",
        seen=trouble,
        wanted="a folder to write",
        next_step="run as root, or name another folder in EYRIE_CACHE",
    )


def _check_machine(images: Path) -> None:
    """Say what is missing before anything has been fetched."""
    for program in _PROGRAMS:
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            raise EyrieError(
                "program to build guest images",
                seen="not installed",
                wanted=program,
                next_step="apt-get install apt dpkg squashfs-tools zstd",
            )
    free = shutil.disk_usage(images).free >> 20
    if free < NEEDED_MIB:
        raise EyrieError(
            f"disk space for the guest image under {images}",
            seen=f"{free} MiB free",
            wanted=f">= {NEEDED_MIB} MiB",
            next_step="make room, or name a folder on another disk in EYRIE_CACHE",
        )


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one build run at a time; the second finds the first one's image."""
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
