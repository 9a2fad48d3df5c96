# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB 2 by its own files: custom.cfg, which update-grub leaves alone, and the environment block. Pure.

The block holds two entries: `eyrie-RELEASE`, and `eyrie-fall-back`, a copy of the entry that the running
kernel came from. The latter is the default until the new kernel has proved itself, so that nothing depends
on how update-grub orders kernels. GRUB clears `next_entry` before it boots: a kernel that panics is not tried
twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

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

BLOCK_BYTES = 1024
SIGNATURE = "# GRUB Environment Block\n"
_ENTRY = re.compile(r"\s*menuentry\s+(.*)\{\s*$")
_LINUX = re.compile(r"(\s*)(linux(?:16|efi)?)\s+(\S+)\s*(.*)$")
_INITRD = re.compile(r"(\s*)(initrd(?:16|efi)?)\s+(\S+).*$")
_DEFAULT = re.compile(r'^if .*then set default="([^"]+)"; fi$', re.MULTILINE)
_FALL_BACK = "eyrie-fall-back"
_FALL_BACK_TITLE = "fall-back of the pool kernel: "


@dataclass(frozen=True)
class _Menu:
    title: str
    lines: tuple[str, ...]

    @property
    def kernel(self) -> str:
        """Return the path of the entry's kernel as GRUB has it."""
        found = [match.group(3) for line in self.lines if (match := _LINUX.match(line))]
        return found[0] if found else ""


@dataclass(frozen=True)
class Grub2:
    """GRUB 2 with its files in one directory."""

    directory: str = "/boot/grub"

    @property
    def config(self) -> str:
        """Return the file that update-grub writes."""
        return f"{self.directory}/grub.cfg"

    @property
    def custom(self) -> str:
        """Return the file that is ours."""
        return f"{self.directory}/custom.cfg"

    @property
    def environment(self) -> str:
        """Return the file of the environment block."""
        return f"{self.directory}/grubenv"

    @property
    def files(self) -> tuple[str, ...]:
        """Return all files that have to be read."""
        return (self.config, self.custom, self.environment)

    def add(self, texts: Texts, entry: Entry, command_line: str) -> Edit:
        """Add both entries; the fall-back is the default."""
        config = texts.get(self.config, "")
        for word in ("next_entry", "custom.cfg"):
            if word not in config:
                wanted = f"{word}, as update-grub writes it"
                raise unknown(f"{self.config} on the node", f"nothing of {word}", wanted)
        read_environment(texts.get(self.environment, ""), self.environment)
        known = self._known(inside(texts.get(self.custom, "")), config, command_line, entry)
        block = "\n".join(
            (
                _menu(_FALL_BACK_TITLE + known.title, _FALL_BACK, known.lines),
                _menu(f"pool kernel {entry.release}", _id(entry), tuple(_modelled(known, entry))),
                _default(_FALL_BACK),
            )
        )
        return self._edit(texts, block)

    def once(self, texts: Texts, entry: Entry) -> Edit:
        """Set `next_entry`."""
        return self._next(texts, _id(entry))

    def keep(self, texts: Texts, entry: Entry) -> Edit:
        """Name the entry in the place of the fall-back."""
        block = _DEFAULT.sub(_default(_id(entry)), inside(texts[self.custom]).lstrip("\n"))
        return self._edit(texts, block)

    def drop(self, texts: Texts) -> Edit:
        """Remove the block and what `next_entry` says of it."""
        found = {**self._next(texts, "").texts}
        if self.custom in texts:
            found |= {self.custom: outside(texts[self.custom])}
        return Edit({path: text for path, text in found.items() if text != texts.get(path)})

    def is_kept(self, texts: Texts, entry: Entry) -> bool:
        """Whether the block names the entry as the default."""
        found = _DEFAULT.search(inside(texts.get(self.custom, "")))
        return found is not None and found.group(1) == _id(entry)

    def _known(self, block: str, config: str, command_line: str, entry: Entry) -> _Menu:
        """Find the entry of the running kernel: GRUB tells the kernel its own path.

        It may be our own of an earlier release. If the pool's kernel itself runs, the old one stays.
        """
        paths = [word.partition("=")[2] for word in command_line.split() if word.startswith("BOOT_IMAGE=")]
        path = re.sub(r"^\([^)]*\)", "", paths[0]) if paths else ""
        old = fall_back(block)
        if old is not None and path.rpartition("/")[2] == entry.image:
            return old
        for menu in (*menus(block), *menus(config)):
            if path and menu.kernel == path:
                return _Menu(menu.title.removeprefix(_FALL_BACK_TITLE), menu.lines)
        wanted = "an entry with the kernel that runs"
        raise unknown(
            f"{self.config} on the node", f"none that boots {path or 'what /proc/cmdline names'}", wanted
        )

    def _edit(self, texts: Texts, block: str) -> Edit:
        text = with_block(texts.get(self.custom, ""), block)
        return Edit({self.custom: text} if text != texts.get(self.custom) else {})

    def _next(self, texts: Texts, name: str) -> Edit:
        old = texts.get(self.environment, "")
        values = read_environment(old, self.environment)
        values = {key: value for key, value in values.items() if key != "next_entry"}
        new = environment_block(values | ({"next_entry": name} if name else {}))
        return Edit({self.environment: new} if new != old else {})


def menus(config: str) -> Iterator[_Menu]:
    """Yield the entries of a grub.cfg, those in submenus too, in their order."""
    title, depth, lines = "", 0, list[str]()
    for line in config.splitlines():
        start = _ENTRY.match(line)
        if not depth and start:
            title, depth, lines = _first_word(start.group(1)), 1, []
        elif depth:
            depth += line.count("{") - line.count("}")  # those of ${variable} come in pairs
            if depth <= 0:
                yield _Menu(title, tuple(lines))
                depth = 0
            else:
                lines.append(line)


def fall_back(block: str) -> _Menu | None:
    """Return the fall-back of a block that is there already: the kernel it was made from may be gone."""
    for menu in menus(block):
        if menu.title.startswith(_FALL_BACK_TITLE):
            return _Menu(menu.title.removeprefix(_FALL_BACK_TITLE), menu.lines)
    return None


def read_environment(text: str, path: str) -> dict[str, str]:
    """Return the variables of an environment block."""
    if len(text.encode()) != BLOCK_BYTES or not text.startswith(SIGNATURE):
        seen = f"{len(text.encode())} bytes that begin {text[:24]!r}"
        raise unknown(f"{path} on the node", seen, f"{BLOCK_BYTES} bytes, as grub-editenv makes them")
    lines = [line for line in text[len(SIGNATURE) :].splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def environment_block(values: dict[str, str]) -> str:
    """Return an environment block; GRUB writes it in place, so that its size never changes."""
    text = SIGNATURE + "".join(f"{name}={value}\n" for name, value in values.items())
    if len(text.encode()) > BLOCK_BYTES:
        raise unknown("GRUB's environment block", f"{len(text)} bytes", f"at most {BLOCK_BYTES}")
    return text + "#" * (BLOCK_BYTES - len(text.encode()))


def _modelled(known: _Menu, entry: Entry) -> Iterator[str]:
    """Yield the lines of an entry, with our image, initrd and words."""
    for line in known.lines:
        if kernel := _LINUX.match(line):
            indent, verb, path, words = kernel.groups()
            folder = path.rpartition("/")[0]
            yield f"{indent}{verb} {folder}/{entry.image} {with_words(words, entry.words)}"
            if entry.has_initrd:
                yield f"{indent}{verb.replace('linux', 'initrd')} {folder}/{entry.initrd}"
        elif not _INITRD.match(line) and not line.strip().startswith("echo"):
            yield line


def _menu(title: str, name: str, lines: tuple[str, ...]) -> str:
    body = "\n".join(lines)
    quoted = title.replace("'", "")
    return f"menuentry '{quoted}' --unrestricted --id {name} {{\n{body}\n}}"


def _default(name: str) -> str:
    return f'if [ "${{boot_once}}" != true ]; then set default="{name}"; fi'


def _id(entry: Entry) -> str:
    return f"eyrie-{entry.release}"


def _first_word(text: str) -> str:
    quoted = re.match(r"""'([^']*)'|"([^"]*)"|(\S+)""", text.strip())
    return next((group for group in quoted.groups() if group), "") if quoted else ""
