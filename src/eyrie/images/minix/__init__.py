# SPDX-License-Identifier: GPL-3.0-or-later
"""Minix v1 file systems in memory: `MinixFormat` reads them and makes changed copies."""

from __future__ import annotations

from collections.abc import Sequence

from eyrie.images.minix import read, write
from eyrie.images.minix.layout import MAGIC_AT, MAGICS
from eyrie.images.model import Change, Member, clean
from eyrie.images.plan import plan


class MinixFormat:
    """A Minix v1 image of names up to 14 or 30 bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._reader = read.Reader(data)
        self.name = f"Minix v1, names up to {self._reader.super.name_length}"

    @staticmethod
    def is_one(head: bytes) -> bool:
        """Whether an image that starts like this says that it is Minix v1."""
        return int.from_bytes(head[MAGIC_AT : MAGIC_AT + 2], "little") in MAGICS

    def list(self) -> tuple[Member, ...]:
        """Return every member."""
        return tuple(self._reader.member(path) for path in self._reader.names)

    def extract(self, path: str) -> bytes:
        """Return a file's content."""
        return read.extract(self._reader, clean(path))

    def edited(self, changes: Sequence[Change]) -> bytes:
        """Return a changed copy."""
        return write.apply(self._data, plan(self.list(), changes))
