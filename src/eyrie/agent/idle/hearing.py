# SPDX-License-Identifier: GPL-3.0-or-later
"""Hears terminals being read, through their own nodes and through /dev/tty, where the kernel lets us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Mapping, Tuple

if TYPE_CHECKING:
    from eyrie.agent.idle.reads import Reads

REST_SECONDS = 2.0  # after a key, the next ones are taken at the polls: a fast typist costs no more than that

Mark = Tuple[int, int, int]  # access time, inode, device


class Hearing:
    """One watch a terminal, and one on `anybody`: the node by which every program calls its own terminal."""

    def __init__(self, anybody: str) -> None:
        self.anybody = anybody
        self._reads = _reads()
        self._watches: dict[str, tuple[int, tuple[int, ...]]] = {}
        self._heard: dict[str, float] = {}

    @property
    def whole(self) -> bool:
        """Whether reads through `anybody` are heard, without which nothing is known exactly."""
        return self.anybody in self._watches

    def watch(self, terminals: Mapping[str, Mark]) -> None:
        """Have a watch on each of these terminals, as far as the kernel grants them, and on no other."""
        if self._reads is None:
            return
        for path in [path for path in self._watches if path != self.anybody]:
            if path not in terminals or terminals[path][1:] != self._watches[path][1]:
                self._drop(path)
        for path, mark in terminals.items():
            self._add(path, mark[1:])
        self._add(self.anybody, ())

    def take(self, now: float) -> Iterable[str]:
        """Return what was read since the last call."""
        heard: set[str] = set()
        for number, mask in self._reads.take() if self._reads is not None else ():
            heard.update(self._one(number, mask))
        self._heard.update(dict.fromkeys(heard, now))
        return heard

    def hears(self, path: str) -> bool:
        """Return whether reads through the terminal's own node are heard."""
        return path in self._watches

    def heard(self, path: str, since: float) -> bool:
        """Return whether the terminal can have been heard at `since` or later."""
        return max(self._heard.get(path, -1.0), self._heard.get(self.anybody, -1.0)) >= since

    def filenos(self, now: float) -> Iterable[int]:
        """Return the descriptor worth waking for, if it has been quiet for a while."""
        if self._reads is None or now - max(self._heard.values(), default=now - REST_SECONDS) < REST_SECONDS:
            return ()
        return (self._reads.fileno(),)

    def close(self) -> None:
        """Watch nothing any more."""
        if self._reads is not None:
            self._reads.close()
            self._reads = None
            self._watches = {}

    def _one(self, number: int, mask: int) -> Iterable[str]:
        from eyrie.agent.idle.reads import IN_IGNORED, IN_Q_OVERFLOW

        if mask & IN_Q_OVERFLOW:  # any of them may have been among the lost
            return tuple(self._watches)
        paths = [path for path, (watch, _) in self._watches.items() if watch == number]
        if not mask & IN_IGNORED:
            return paths
        for path in paths:  # the terminal is gone, and its name may already be another's
            del self._watches[path]
            self._heard.pop(path, None)
        return ()

    def _add(self, path: str, node: tuple[int, ...]) -> None:
        if path not in self._watches and self._reads is not None:
            watch = self._reads.watch(path)
            if watch is not None:
                self._watches[path] = watch, node

    def _drop(self, path: str) -> None:
        watch, _ = self._watches.pop(path)
        self._heard.pop(path, None)
        if self._reads is not None and watch not in {number for number, _ in self._watches.values()}:
            self._reads.forget(watch)


def _reads() -> Reads | None:
    """Return None where there is no inotify, no more of it, or no ctypes to reach it by."""
    try:
        from eyrie.agent.idle.reads import Reads

        return Reads()
    except (ImportError, AttributeError, OSError):
        return None
