# SPDX-License-Identifier: GPL-3.0-or-later
"""Bootloaders: which one a node has, and how an entry is added, booted once, kept and taken out. Pure."""

from __future__ import annotations

from eyrie.errors import EyrieError
from eyrie.kernels.bootloaders.grub2 import Grub2
from eyrie.kernels.bootloaders.grub_legacy import GrubLegacy
from eyrie.kernels.bootloaders.lilo import Lilo
from eyrie.kernels.bootloaders.model import BEGIN, Bootloader, Edit, Entry, Texts

__all__ = ["FILES", "KINDS", "Bootloader", "Edit", "Entry", "Texts", "find", "has_block"]

_GRUB2 = {"/boot/grub/grub.cfg": "/boot/grub", "/boot/grub2/grub.cfg": "/boot/grub2"}
_LEGACY = ("/boot/grub/menu.lst", "/boot/grub/grub.conf")
KINDS = ("grub2", "grub_legacy", "lilo")
_ALL: tuple[Bootloader, ...] = (
    *(Grub2(directory) for directory in _GRUB2.values()),
    *(GrubLegacy(path) for path in _LEGACY),
    Lilo(),
)
FILES = tuple(dict.fromkeys(path for loader in _ALL for path in loader.files))
"""Every file that has to be read to know a node's bootloader."""


def find(texts: Texts, kind: str = "auto") -> Bootloader:
    """Return the node's bootloader; two of them are one too many to guess."""
    there: dict[str, Bootloader] = {}
    for path, directory in _GRUB2.items():
        if path in texts:
            there.setdefault("grub2", Grub2(directory))
    for path in _LEGACY:
        if path in texts:
            there.setdefault("grub_legacy", GrubLegacy(path))
    if Lilo.files[0] in texts:
        there["lilo"] = Lilo()
    chosen = {name: loader for name, loader in there.items() if kind in ("auto", name)}
    if len(chosen) == 1:
        return next(iter(chosen.values()))
    raise EyrieError(
        "bootloader of the node",
        seen=", ".join(there) or "none",
        wanted="exactly one" if kind == "auto" else kind,
        next_step="set openmosix_kernel_bootloader to the one that boots the node"
        if there
        else "a node without one is given its kernel by what starts it (openmosix_vm, or its boot server)",
    )


def has_block(text: str) -> bool:
    """Whether a file holds our block."""
    return BEGIN in text
