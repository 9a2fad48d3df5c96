# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB legacy (0.97) by its own files: menu.lst and the file `default`, which GRUB reads and writes. Pure.

`default saved` takes the number from the file; the pool's entry has `savedefault OLD`, with which GRUB itself
puts the old number back before it boots: section 4.3.1 of its manual, "Booting once-only". Needs no `--once`,
which only some distributions' GRUB has. `fallback OLD` stands in for an entry that cannot even be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from eyrie.kernels.bootloaders.model import (
    Edit,
    Entry,
    Texts,
    inside,
    outside,
    unknown,
    with_block,
    with_words,
)

_TITLE = re.compile(r"^title\b", re.IGNORECASE)
_DEFAULT = re.compile(r"^[ \t]*default[ \t=]+(\S+)[ \t]*$\n?", re.MULTILINE)
_FALL_BACK = re.compile(r"^[ \t]*fallback[ \t=].*$\n?", re.MULTILINE)
_KERNEL = re.compile(r"(\s*kernel\s+(?:--\S+\s+)*)(\S+)\s*(.*)$")
_NUMBER = re.compile(r"\s*(\d+)")
_BACK = re.compile(r"^savedefault (\d+)$", re.MULTILINE)
_OLD = re.compile(r"^# before: (.*)$", re.MULTILINE)
# The file's size is fixed: GRUB writes into it sector by sector. This is what grub-set-default leaves.
_PADDING = "#\n" * 10
_WARNING = (
    "# WARNING: If you want to edit this file directly, do not remove any line\n"
    "# from this file, including this warning. Using `grub-set-default' is\n"
    "# strongly recommended.\n"
)


class GrubLegacy:
    """GRUB 0.97."""

    def __init__(self, config: str = "/boot/grub/menu.lst") -> None:
        """Take the name of the configuration, which is grub.conf on some distributions."""
        self.config = config
        self.saved = config.rpartition("/")[0] + "/default"
        self.files = (self.config, self.saved)

    def add(self, texts: Texts, entry: Entry, command_line: str) -> Edit:
        """Add the entry behind all others, whose numbers stay; it falls back to what boots by default now.

        If that is an earlier release of the pool's, it stays in the block, before the new one.
        """
        del command_line  # GRUB legacy does not tell the kernel what it booted
        config = texts.get(self.config, "")
        plain, entries, old = outside(config), list(_entries(config)), self._fall_back(texts)
        if not 0 <= old < len(entries):
            wanted = f"the number of one of {len(entries)} entries"
            raise unknown(f"default of {self.config} on the node", old, wanted)
        model, count = entries[old], len(list(_entries(plain)))
        lines = [f"# before: {_setting(config)}"]
        if old >= count:
            old = count
            lines += model
        lines += [f"title {_name(entry)}", *_modelled(model, entry), f"savedefault {old}"]
        return self._edit(texts, with_block(_with_default(plain, "saved", old), "\n".join(lines)), old)

    def once(self, texts: Texts, entry: Entry) -> Edit:
        """Write the entry's number into the file `default`."""
        return self._edit(texts, texts[self.config], self._own(texts, entry))

    def keep(self, texts: Texts, entry: Entry) -> Edit:
        """Make the entry's number the default, and let it leave the file `default` alone."""
        old, own = self._fall_back(texts), self._own(texts, entry)
        if self.is_kept(texts, entry):
            return Edit()
        block = re.sub(r"^savedefault .*$\n?", "", inside(texts[self.config]), flags=re.MULTILINE)
        text = _with_default(with_block(texts[self.config], block.lstrip("\n")), str(own), old)
        return self._edit(texts, text, own)

    def drop(self, texts: Texts) -> Edit:
        """Remove the entry; what the default was before it is again."""
        config = texts.get(self.config, "")
        if not inside(config):
            return Edit()
        setting = _setting(config)
        plain = _FALL_BACK.sub("", outside(config), count=1)
        plain = _DEFAULT.sub(lambda _: f"default {setting}\n", plain, count=1)
        return self._edit(texts, plain, int(setting) if setting.isdigit() else 0)

    def is_kept(self, texts: Texts, entry: Entry) -> bool:
        """Whether the entry is there and its number the default."""
        config = texts.get(self.config, "")
        if f"title {_name(entry)}\n" not in inside(config):
            return False
        found = _DEFAULT.search(config)
        return found is not None and found.group(1) == str(self._own(texts, entry))

    def _own(self, texts: Texts, entry: Entry) -> int:
        titles = [lines[0] for lines in _entries(texts[self.config])]
        return titles.index(f"title {_name(entry)}")

    def _fall_back(self, texts: Texts) -> int:
        """Return the number of what boots by default: while ours is tried, what GRUB is to put back."""
        config = texts.get(self.config, "")
        back = _BACK.search(inside(config))
        found = back or _DEFAULT.search(config)
        number = found.group(1) if found else "0"
        if number == "saved":  # what is no number, such as grub-install's own "default", is 0 to GRUB
            number = given[1] if (given := _NUMBER.match(texts.get(self.saved, ""))) else "0"
        if not number.isdigit():
            raise unknown(f"default of {self.config} on the node", number, "the number of an entry")
        return int(number)

    def _edit(self, texts: Texts, config: str, number: int) -> Edit:
        wanted = {self.config: config, self.saved: f"{number}\n{_PADDING}{_WARNING}"}
        return Edit({path: text for path, text in wanted.items() if text != texts.get(path)})


def _name(entry: Entry) -> str:
    return f"pool kernel {entry.release}"


def _setting(config: str) -> str:
    """Return what `default` was before us."""
    before = _OLD.search(inside(config))
    found = before or _DEFAULT.search(config)
    return found.group(1) if found else "0"


def _with_default(config: str, value: str, fall_back: int) -> str:
    """Set `default` and `fallback` before the first entry."""
    plain = _FALL_BACK.sub("", _DEFAULT.sub("", config, count=1), count=1)
    return f"default {value}\nfallback {fall_back}\n{plain}"


def _entries(config: str) -> Iterator[list[str]]:
    """Yield the lines of each entry, its title first."""
    lines: list[str] | None = None
    for line in config.splitlines():
        if _TITLE.match(line):
            if lines is not None:
                yield lines
            lines = [line.rstrip()]
        elif lines is not None and line.strip() and not line.startswith("#"):
            lines.append(line)
    if lines is not None:
        yield lines


def _modelled(lines: list[str], entry: Entry) -> Iterator[str]:
    found = False
    for line in lines:
        verb = line.split()[0]
        if kernel := _KERNEL.match(line):
            start, path, words = kernel.groups()
            folder = path.rpartition("/")[0]
            yield f"{start}{folder}/{entry.image} {with_words(words, entry.words)}"
            if entry.has_initrd:
                yield f"initrd {folder}/{entry.initrd}"
            found = True
        elif verb not in ("title", "initrd", "savedefault", "boot"):
            yield line
    if not found:
        raise unknown("the default entry of GRUB's menu on the node", lines, "an entry with a kernel")
