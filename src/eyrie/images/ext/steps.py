# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn planned steps into debugfs commands, after seeing that they fit."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.images.ext import debugfs
from eyrie.images.ext.superblock import Super
from eyrie.images.model import Member, encoded, parent
from eyrie.images.plan import Make, Step, Unlink

_LONGEST_NAME, _LONGEST_LINK, _LARGEST_ID = 255, 4095, 0xFFFFFFFF
_FAST_LINK = 60


def apply(
    image: Path, layout: Super, planned: Sequence[Step], members: Iterable[Member], scratch: Path
) -> None:
    """Change the image in place."""
    for step in planned:
        _check(step)
    _refuse_no_room(layout, planned, {member.path: member for member in members})
    folders = {member.path for member in members if member.is_folder}
    commands: list[bytes] = []
    for number, step in enumerate(planned):
        if isinstance(step, Unlink):
            verb = b"rmdir " if step.path in folders else b"rm "
            folders.discard(step.path)
            commands.append(verb + debugfs.quoted(step.path))
        else:
            if isinstance(step, Make):
                content = scratch / f"file{number}"
                commands += _making(step, content)
                if stat.S_ISDIR(step.mode):
                    folders.add(step.path)
            commands += _attributes(
                step.path, step.mode, step.uid, step.gid, layout.written, made=isinstance(step, Make)
            )
    if commands:
        debugfs.run(image, commands, scratch, write=True, when=layout.written)


def _making(step: Make, content: Path) -> Iterator[bytes]:
    """Return to the root, go to the folder, and make the file there: the commands take plain names."""
    name = debugfs.quoted(step.path.rpartition("/")[2])
    yield b"cd " + debugfs.quoted(parent(step.path))
    if stat.S_ISDIR(step.mode):
        yield b"mkdir " + name
    elif stat.S_ISLNK(step.mode):
        yield b"symlink " + name + b" " + debugfs.quoted(step.data.decode("utf-8", "surrogateescape"))
    else:
        content.write_bytes(step.data)
        yield b"write " + debugfs.quoted(str(content)) + b" " + name
    yield b"cd /"


def _attributes(path: str, mode: int, uid: int, gid: int, when: int, *, made: bool) -> Iterator[bytes]:
    fields = {"mode": f"0{mode:o}", "uid": str(uid), "gid": str(gid)}
    if made:
        fields |= dict.fromkeys(("atime", "ctime", "mtime"), f"@{when}")
    for name, value in fields.items():
        yield b"set_inode_field " + debugfs.quoted(path) + f" {name} {value}".encode()


def _check(step: Step) -> None:
    if isinstance(step, Unlink):
        return
    name = encoded(step.path.rpartition("/")[2])
    if len(name) > _LONGEST_NAME:
        raise EyrieError(
            f"the name of {step.path}", seen=f"{len(name)} bytes", wanted=f"at most {_LONGEST_NAME}"
        )
    if max(step.uid, step.gid) > _LARGEST_ID:
        raise EyrieError(
            f"the owner of {step.path}", seen=f"{step.uid}:{step.gid}", wanted=f"at most {_LARGEST_ID}"
        )
    if (
        isinstance(step, Make)
        and stat.S_ISLNK(step.mode)
        and (b"\n" in step.data or len(step.data) > _LONGEST_LINK)
    ):
        raise EyrieError(f"the symlink {step.path}", seen=step.data[:80], wanted="a target of one line")


def _refuse_no_room(layout: Super, planned: Sequence[Step], members: dict[str, Member]) -> None:
    made = [step for step in planned if isinstance(step, Make)]
    gone = [members[step.path] for step in planned if isinstance(step, Unlink) and step.path in members]
    blocks = sum(_blocks(step.mode, len(step.data), layout.block_size) for step in made)
    # Only what surely comes free: a hard link's content does not, a file's pointer blocks may not.
    freed = sum(-(-member.size // layout.block_size) for member in gone if stat.S_ISREG(member.mode))
    if blocks > layout.free_blocks + freed or len(made) > layout.free_inodes + len(gone):
        raise EyrieError(
            "no room in the ext image",
            seen=f"{layout.free_blocks} blocks of {layout.block_size} bytes and {layout.free_inodes} inodes"
            f" free, {freed} blocks and {len(gone)} inodes more by what is replaced or removed",
            wanted=f"{blocks} blocks and {len(made)} inodes",
            next_step="remove files from the image, or enlarge a copy with resize2fs",
        )


def _blocks(mode: int, size: int, block_size: int) -> int:
    if stat.S_ISDIR(mode):
        return 1
    if stat.S_ISLNK(mode) and size < _FAST_LINK:
        return 0
    return -(-size // block_size)
