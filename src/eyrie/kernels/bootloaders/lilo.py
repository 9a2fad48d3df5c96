# SPDX-License-Identifier: GPL-3.0-or-later
"""LILO by /etc/lilo.conf: `lilo` writes the map, `lilo -R LABEL` what the next boot alone takes. Pure."""

from __future__ import annotations

import hashlib
import re
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

CONFIG = "/etc/lilo.conf"
LABEL_LENGTH = 15
# A configuration that lilo refuses must not be found at the next run of lilo: it is tried first.
WRITE_MAP = ("lilo -t", "lilo")
_SECTION = re.compile(r"^\s*(image|other)\s*=", re.IGNORECASE)
_SETTING = re.compile(r"^(\s*)([a-z-]+)\s*=\s*(.*?)\s*$", re.IGNORECASE)
_DEFAULT = re.compile(r"^[ \t]*default[ \t]*=[ \t]*(\S+)[ \t]*$\n?", re.MULTILINE | re.IGNORECASE)
_OLD = re.compile(r"^# before:(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class _Section:
    image: str
    lines: tuple[str, ...]

    @property
    def label(self) -> str:
        """Return what LILO calls the section: without a label, the file's name."""
        return self.value("label") or self.image.rpartition("/")[2]

    def value(self, name: str) -> str:
        """Return one setting."""
        for line in self.lines:
            found = _SETTING.match(line)
            if found and found.group(2).lower() == name:
                return found.group(3).strip('"')
        return ""


class Lilo:
    """LILO 21 and later."""

    files = (CONFIG,)

    def add(self, texts: Texts, entry: Entry, command_line: str) -> Edit:
        """Add the entry; the section that the running kernel came from is named as the default."""
        config = texts.get(CONFIG, "")
        plain = outside(config)
        known = _fall_back(config, command_line, entry) or _named(plain, _setting(config))
        lines = [f"# before: {_setting(config)}".rstrip()]
        if known not in sections(plain):  # an earlier release of the pool's: it has to stay
            lines += [f"image={known.image}", *known.lines]
        block = "\n".join((*lines, *_modelled(known, entry)))
        return _edit(texts, with_block(_with_default(plain, known.label), block))

    def once(self, texts: Texts, entry: Entry) -> Edit:
        """Let LILO take the entry once."""
        del texts
        return Edit(commands=(f"lilo -R {label(entry)}",))

    def keep(self, texts: Texts, entry: Entry) -> Edit:
        """Name the entry as the default."""
        block = inside(texts[CONFIG]).lstrip("\n")
        return _edit(texts, with_block(_with_default(outside(texts[CONFIG]), label(entry)), block))

    def drop(self, texts: Texts) -> Edit:
        """Remove the entry; the default is what it was."""
        config = texts.get(CONFIG, "")
        if not inside(config):
            return Edit()
        before = _setting(config)
        return _edit(texts, _with_default(outside(config), before))

    def is_kept(self, texts: Texts, entry: Entry) -> bool:
        """Whether the entry is there and the default."""
        config = texts.get(CONFIG, "")
        found = _DEFAULT.search(config)
        return bool(found and found.group(1) == label(entry) and f"/{entry.image}\n" in inside(config))


def label(entry: Entry) -> str:
    """Return LILO's name of the entry: short, and unlike any other release's."""
    name = re.sub(r"[^A-Za-z0-9.-]", "", entry.release)
    if len(name) <= LABEL_LENGTH:
        return name
    return name[:8] + "-" + hashlib.sha256(entry.release.encode()).hexdigest()[:6]


def sections(config: str) -> list[_Section]:
    """Return the sections that boot Linux, in their order."""
    found: list[tuple[str, list[str]]] = []
    for line in config.splitlines():
        if _SECTION.match(line):
            kind, _, image = line.strip().partition("=")
            found.append((image.strip() if kind.strip().lower() == "image" else "", []))
        elif found and not line.startswith("#"):
            found[-1][1].append(line)
    return [_Section(image, tuple(lines)) for image, lines in found if image]


def _fall_back(config: str, command_line: str, entry: Entry) -> _Section | None:
    """Find the section of the running kernel, whose label LILO told it; or the default's if it is our own."""
    labels = [word.partition("=")[2] for word in command_line.split() if word.startswith("BOOT_IMAGE=")]
    if labels == [label(entry)]:
        labels = _DEFAULT.findall(config)
    running = [each for each in sections(config) if each.label in labels and each.label != label(entry)]
    return running[0] if running else None


def _named(config: str, default: str) -> _Section:
    known = sections(config)
    for section in known:
        if section.label == default or not default:
            return section
    labels = ", ".join(section.label for section in known) or "no image"
    raise unknown(f"{CONFIG} on the node", labels, f"the section of the default {default!r}")


def _setting(config: str) -> str:
    before = _OLD.search(inside(config))
    if before:
        return before.group(1).strip()
    found = _DEFAULT.search(config)
    return found.group(1) if found else ""


def _with_default(config: str, value: str) -> str:
    plain = _DEFAULT.sub("", config)  # takes the line's end along, and no more
    return f"default={value}\n{plain}" if value else plain


def _modelled(known: _Section, entry: Entry) -> list[str]:
    lines = [f"image=/boot/{entry.image}", f"\tlabel={label(entry)}"]
    if entry.has_initrd:
        lines.append(f"\tinitrd=/boot/{entry.initrd}")
    lines.append(f'\tappend="{with_words(known.value("append"), entry.words)}"')
    ours = ("label", "alias", "initrd", "append")
    for line in known.lines:
        found = _SETTING.match(line)
        if (
            line.strip()
            and not line.strip().startswith("#")
            and not (found and found.group(2).lower() in ours)
        ):
            lines.append(line)
    return lines


def _edit(texts: Texts, config: str) -> Edit:
    return Edit({CONFIG: config}, WRITE_MAP) if config != texts.get(CONFIG) else Edit()
