# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict reader of one JSON object: every key is asked for by type and range, and none may be left over."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Any, Iterable, Mapping, Sequence

from eyrie.errors import EyrieError

_DRIVE_PATH = r"[A-Za-z]:[\\/][^<>:\"|?*]*"
NEXT = "correct the inventory variable behind it and run site.yml"


class Reader:
    """Takes values out of a JSON object and names the key, by its whole path, in every complaint."""

    def __init__(self, data: object, where: str, path: str = "") -> None:
        self._where = where
        self._path = path
        if not isinstance(data, Mapping):
            raise self._wrong("", data, "an object of keys and values")
        self._data: Mapping[str, Any] = data
        self._taken: set[str] = set()

    def _name(self, key: str) -> str:
        return ".".join(part for part in (self._path, key) if part)

    def _wrong(self, key: str, seen: object, wanted: str) -> EyrieError:
        name = self._name(key)
        thing = f"{self._where}: {name}" if name else self._where
        return EyrieError(thing, seen=seen, wanted=wanted, next_step=NEXT)

    def take(self, key: str, wanted: str) -> Any:
        """Return the raw value of a key that must be there."""
        self._taken.add(key)
        if key not in self._data:
            raise self._wrong(key, "nothing", wanted)
        return self._data[key]

    def has(self, key: str) -> bool:
        """Whether a key that may be left out is there."""
        self._taken.add(key)
        return key in self._data

    def done(self) -> None:
        """Refuse keys nobody asked for."""
        for key in self._data:
            if key not in self._taken:
                raise self._wrong(key, "an unknown key", "one of " + ", ".join(sorted(self._taken)))

    def child(self, key: str) -> Reader:
        """Return a reader of the object under a key."""
        return Reader(self.take(key, "an object"), self._where, self._name(key))

    def children(self, key: str) -> list[Reader]:
        """Return readers of a list of objects."""
        value = self._list(key, "a list of objects")
        return [Reader(each, self._where, f"{self._name(key)}[{i}]") for i, each in enumerate(value)]

    def _list(self, key: str, wanted: str) -> list[Any]:
        value = self.take(key, wanted)
        if not isinstance(value, list):
            raise self._wrong(key, value, wanted)
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """Return a number in a range."""
        wanted = f"a number from {low:g} to {high:g}"
        value = self.take(key, wanted)
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not plain or not math.isfinite(value) or not low <= value <= high:
            raise self._wrong(key, value, wanted)
        return float(value)

    def whole(self, key: str, low: int, high: int) -> int:
        """Return a whole number in a range."""
        wanted = f"a whole number from {low} to {high}" if low < high else f"{low}"
        value = self.take(key, wanted)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(key, value, wanted)
        return value

    def text(self, key: str, pattern: str) -> str:
        """Return a string that matches a pattern as a whole."""
        return self._match(key, self.take(key, f"text like {pattern}"), pattern)

    def _match(self, key: str, value: object, pattern: str) -> str:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise self._wrong(key, value, f"text like {pattern}")
        return value

    def texts(self, key: str, pattern: str) -> tuple[str, ...]:
        """Return a list of strings, each matching."""
        values = self._list(key, "a list of text")
        return tuple(self._match(f"{key}[{i}]", value, pattern) for i, value in enumerate(values))

    def choice(self, key: str, options: Sequence[str]) -> str:
        """Return one of some words."""
        wanted = "one of " + ", ".join(options)
        value = self.take(key, wanted)
        if value not in options or not isinstance(value, str):
            raise self._wrong(key, value, wanted)
        return value

    def words(self, key: str, options: Iterable[str]) -> tuple[str, ...]:
        """Return a list, not empty, of some words, none twice."""
        known = tuple(options)
        wanted = "some of " + ", ".join(known)
        values = self._list(key, wanted)
        if not values or any(value not in known or values.count(value) > 1 for value in values):
            raise self._wrong(key, values, wanted + ", each at most once")
        return tuple(values)

    def path(self, key: str) -> str:
        """Return an absolute path without `..` or control characters."""
        value = self.take(key, "an absolute path")
        good = isinstance(value, str) and value.startswith("/") and value.isprintable()
        if not good or ".." in value.split("/"):
            raise self._wrong(key, value, "an absolute path")
        return str(value)

    def windows_path(self, key: str) -> str:
        """Return an absolute path on a drive of a Windows desktop, without `..` or what no name may hold."""
        value = self.take(key, "an absolute path on a drive")
        good = isinstance(value, str) and value.isprintable() and re.fullmatch(_DRIVE_PATH, value)
        if not good or ".." in re.split(r"[\\/]", value):
            raise self._wrong(key, value, "an absolute path on a drive")
        return str(value)

    def address(self, key: str) -> str:
        """Return an IPv4 or IPv6 address."""
        value = self.take(key, "an IP address")
        try:
            return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
        except ValueError as error:
            raise self._wrong(key, value, "an IP address") from error
