# SPDX-License-Identifier: GPL-3.0-or-later
"""What all bootloaders have in common: one entry of the pool's, one to fall back to, and texts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from eyrie.errors import EyrieError

BEGIN = "# BEGIN eyrie: the pool's kernel. What stands between these lines is written anew each time."
END = "# END eyrie"

Texts = Mapping[str, str]
"""Path on the node -> what is in that file."""


@dataclass(frozen=True)
class Entry:
    """The pool's kernel as the bootloader shall know it."""

    release: str
    has_initrd: bool
    words: tuple[str, ...] = ()  # for the kernel's command line, beside those of the entry it is modelled on

    @property
    def image(self) -> str:
        """Return the image's name in /boot."""
        return f"vmlinuz-{self.release}"

    @property
    def initrd(self) -> str:
        """Return the initrd's name in /boot."""
        return f"initrd.img-{self.release}"


@dataclass(frozen=True)
class Edit:
    """Files to write in this order, then commands to run; the old files come back if a command fails.

    A file with nothing in it is removed.
    """

    texts: Texts = field(default_factory=dict)
    commands: tuple[str, ...] = ()


class Bootloader(Protocol):
    """What a bootloader can be asked. `running` is what the node's kernel was started with."""

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that have to be read."""

    def add(self, texts: Texts, entry: Entry, command_line: str) -> Edit:
        """Add the entry; what boots by default stays as it is."""

    def once(self, texts: Texts, entry: Entry) -> Edit:
        """Let the next boot, and only the next, take the entry (after `add`)."""

    def keep(self, texts: Texts, entry: Entry) -> Edit:
        """Make the entry the default (after `add`)."""

    def drop(self, texts: Texts) -> Edit:
        """Take the entry out; what was the default before is the default again."""

    def is_kept(self, texts: Texts, entry: Entry) -> bool:
        """Whether the entry is there and the default."""


def with_words(given: str, words: tuple[str, ...]) -> str:
    """Return a kernel command line with our words in the place of those of the same name."""
    names = {word.split("=")[0] for word in words}
    kept = [word for word in given.split() if word.split("=")[0] not in names]
    return " ".join([*kept, *words])


def outside(text: str) -> str:
    """Return a text without our block; the lines around it stay as they are."""
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.rstrip() == BEGIN]
    ends = [number for number, line in enumerate(lines) if line.rstrip() == END]
    if not starts and not ends:
        return text
    if len(starts) != 1 or len(ends) != 1 or ends[0] < starts[0]:
        raise EyrieError(
            "the pool's block in the bootloader's configuration",
            seen=f"{len(starts)} lines that begin it, {len(ends)} that end it",
            wanted="one of each",
            next_step=f"remove the lines {BEGIN[:13]!r} and {END!r} and what is between them",
        )
    return "".join(lines[: starts[0]] + lines[ends[0] + 1 :])


def inside(text: str) -> str:
    """Return what stands in our block."""
    if BEGIN not in text:
        return ""
    return text.split(BEGIN, 1)[1].split(END, 1)[0]


def with_block(text: str, block: str) -> str:
    """Return a text with our block at its end."""
    rest = outside(text)
    glue = "" if not rest or rest.endswith("\n") else "\n"
    return f"{rest}{glue}{BEGIN}\n{block.rstrip()}\n{END}\n"


def unknown(thing: str, seen: object, wanted: str) -> EyrieError:
    """Return the error for a configuration that we do not understand well enough to touch."""
    return EyrieError(
        thing, seen=seen, wanted=wanted, next_step="put it right on the node; nothing was changed"
    )
