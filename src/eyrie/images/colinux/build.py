# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a guest's root image of a base: ext3 that a 2.4 kernel mounts, with the pool's files in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.images.colinux.changes import Wanted, plan
from eyrie.images.ext import debugfs
from eyrie.images.ext.superblock import LENGTH, OFFSET, Super, read_super
from eyrie.images.files import edit, open_image
from eyrie.images.packing import head, is_gzip, unpack_file
from eyrie.images.target import copy_sparse, refuse_same

MIB = 1 << 20
_MAKE = "mke2fs -t ext3 -I 128 -O none,has_journal,filetype,sparse_super,large_file -d FOLDER IMAGE SIZE"


def build(base: Path, target: Path, wanted: Wanted, size_mib: int | None = None) -> tuple[str, ...]:
    """Write the image; return what a person has to know of it."""
    refuse_same(base, target)
    if not open_image(base).format.startswith(("ext2", "ext3")):
        raise EyrieError(
            f"{base}",
            seen=open_image(base).format,
            wanted="ext2 or ext3: a 2.4 kernel mounts no other from a disk",
            next_step=_MAKE,
        )
    with tempfile.TemporaryDirectory(prefix=".eyrie-image-", dir=target.parent) as scratch:
        image = Path(scratch) / "image"
        if is_gzip(head(base, 2, unpacked=False)):
            unpack_file(base, image)
        else:
            copy_sparse(base, image)
        _prepare(image, str(base), size_mib)
        opened = open_image(image)
        made = plan(opened.list(), opened.extract, wanted)
        edit(image, target, made.changes)
    return tuple(made.notes)


def _prepare(image: Path, base: str, size_mib: int | None) -> None:
    """Grow the copy, and give it a journal."""
    layout = _super(image)
    _refuse_unmountable(layout, base)
    if fault := debugfs.check(image, layout.written):
        raise EyrieError(
            base, seen=fault, wanted="a sound file system", next_step="e2fsck -f on a copy of it"
        )
    if size_mib is not None:
        now = image.stat().st_size
        if size_mib * MIB < now:
            raise EyrieError("--size-mib", seen=size_mib, wanted=f"at least the base's {-(-now // MIB)}")
        with image.open("r+b") as stream:
            stream.truncate(size_mib * MIB)
        debugfs.call(["resize2fs", str(image)], layout.written)
    if layout.name == "ext2":
        debugfs.call(["tune2fs", "-j", str(image)], layout.written)


def _super(image: Path) -> Super:
    with image.open("rb") as stream:
        return read_super(stream.read(OFFSET + LENGTH), image.stat().st_size)


def _refuse_unmountable(layout: Super, base: str) -> None:
    """Refuse what ext3 of 2.4 does not mount (include/linux/ext3_fs.h, fs/ext3/super.c)."""
    if layout.too_new_for_2_4:
        raise EyrieError(
            base,
            seen=", ".join(layout.too_new_for_2_4),
            wanted="a file system that a 2.4 kernel mounts",
            next_step=_MAKE,
        )
