# SPDX-License-Identifier: GPL-3.0-or-later
"""cpio archives in memory: `CpioFormat` reads them and makes changed copies."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from dataclasses import replace

from eyrie.errors import EyrieError
from eyrie.images.cpio import archive
from eyrie.images.cpio.archive import Record, Segment, is_one
from eyrie.images.model import Change, Member, absent, clean, decoded, encoded, refuse_content
from eyrie.images.plan import Attributes, Make, Step, Unlink, plan

_LONGEST_PATH, _LONGEST_NAME, _LARGEST_ID = 4000, 255, 0xFFFFFFFF


class CpioFormat:
    """An initramfs: what a later archive says of a path counts, as it does for the kernel."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        segments = archive.parse(data)
        archives = sum(len(segment.archives) for segment in segments)
        self.name = "cpio newc" + (f", {archives} archives" if archives > 1 else "")
        if any(segment.gzipped for segment in segments):
            self.name += ", gzip"
        self._found = _effective(segments)

    def list(self) -> tuple[Member, ...]:
        """Return every member."""
        return tuple(_member(path, *self._found[path]) for path in sorted(self._found, key=_folders_first))

    def extract(self, path: str) -> bytes:
        """Return a file's content."""
        path = clean(path)
        if path not in self._found:
            raise absent(path)
        record, content = self._found[path]
        refuse_content(path, record.mode)
        return content

    def edited(self, changes: Sequence[Change]) -> bytes:
        """Return a changed copy."""
        segments = archive.parse(self._data)
        for step in plan(self.list(), changes):
            _check(step)
            if isinstance(step, Unlink):
                _unlink(segments, step.path)
            elif isinstance(step, Make):
                _make(segments[-1], step)
            else:
                _set_attributes(segments, step)
        return b"".join(segment.packed() for segment in segments)


def _effective(segments: Iterable[Segment]) -> dict[str, tuple[Record, bytes]]:
    found = {}
    for records in (records for segment in segments for records in segment.archives):
        linked = [record for record in records if record.links > 1 and stat.S_ISREG(record.mode)]
        contents = {(each.inode, each.device): each.data for each in linked if each.data}
        for record in records:
            found[_path(record.name)] = (record, record.data)
        for record in linked:
            found[_path(record.name)] = (record, contents.get((record.inode, record.device), b""))
    return found


def _path(name: bytes) -> str:
    parts = [part for part in decoded(name).split("/") if part not in ("", ".")]
    return "/" + "/".join(parts)


def _folders_first(path: str) -> list[str]:
    return path.split("/") if path != "/" else []


def _member(path: str, record: Record, content: bytes) -> Member:
    target = decoded(content) if stat.S_ISLNK(record.mode) else ""
    is_node = stat.S_ISCHR(record.mode) or stat.S_ISBLK(record.mode)
    node = record.node if is_node else None
    return Member(
        path, record.mode, record.uid, record.gid, len(content), record.mtime, target=target, device=node
    )


def _check(step: Step) -> None:
    """Refuse what the format, or the kernel that unpacks it, cannot express."""
    longest = max(len(encoded(part)) for part in step.path.split("/"))
    if longest > _LONGEST_NAME or len(encoded(step.path)) > _LONGEST_PATH:
        raise EyrieError(
            f"the name of {step.path}", seen=f"{longest} bytes", wanted=f"at most {_LONGEST_NAME} a name"
        )
    if not isinstance(step, Unlink) and max(step.uid, step.gid) > _LARGEST_ID:
        raise EyrieError(
            f"the owner of {step.path}", seen=f"{step.uid}:{step.gid}", wanted=f"at most {_LARGEST_ID}"
        )


def _unlink(segments: Iterable[Segment], path: str) -> None:
    for segment in segments:
        for at, records in enumerate(segment.archives):
            names = frozenset(record.name for record in records if _path(record.name) == path)
            if names:
                segment.archives[at] = archive.without(records, names)
                segment.raw = None


def _make(segment: Segment, step: Make) -> None:
    records = segment.archives[-1]
    inode = max((record.inode for record in records), default=0) + 1
    # New files are as old as the archive: the result depends on nothing else.
    mtime = max((record.mtime for record in records), default=0)
    links = 2 if stat.S_ISDIR(step.mode) else 1
    name = encoded(step.path.lstrip("/"))
    nowhere = (0, 0)
    records.append(
        Record(
            *(archive.MAGICS[0], inode & 0xFFFFFFFF, step.mode, step.uid, step.gid, links, mtime),
            *(nowhere, nowhere, name, step.data),
        )
    )
    segment.raw = None


def _set_attributes(segments: Iterable[Segment], step: Attributes) -> None:
    for segment in segments:
        for records in segment.archives:
            for at, record in enumerate(records):
                if _path(record.name) == step.path:
                    records[at] = replace(record, mode=step.mode, uid=step.uid, gid=step.gid)
                    segment.raw = None


__all__ = ["CpioFormat", "is_one"]
