# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel image says of itself, and whether that is the pool's kernel. Pure."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from eyrie.errors import EyrieError
from eyrie.kernels.recipe import COMPILER

# Documentation/arch/x86/boot.rst (i386/boot.txt in 2.4): the setup header of protocol 2.00 and later.
MAGIC_OFFSET, MAGIC = 0x202, b"HdrS"
PROTOCOL_OFFSET, FIRST_PROTOCOL = 0x206, 0x0200
# kernel_version points to the text, counted from the second sector.
POINTER_OFFSET, BASE = 0x20E, 0x200
LONGEST = 512

RELEASE = re.compile(r"\d+\.\d+(\.\d+)?[A-Za-z0-9.+~_-]{0,48}")
# The daemon's entry: of 0.6.1, of 0.7 (src/colinux/user/daemon.c).
COLINUX_SYMBOLS = frozenset({"colinux_start", "co_start"})
_ELF_BANNER = re.compile(rb"Linux version (\S+) (\([^)]*\)) \((gcc version [^)]*)\) (#[^\0\n]*)")
_BANNER = re.compile(r"Linux version (\S+) (\([^)]*\)) .*?(#\d.*)", re.DOTALL)
# What no bootloader's configuration and no shell takes for anything else.
WORD = re.compile(r"[A-Za-z0-9_.,:/=@%+-]+")


def is_release(text: str) -> bool:
    """Whether a text can be the release of a kernel; it ends up in names of files."""
    return RELEASE.fullmatch(text) is not None


def is_word(text: str) -> bool:
    """Whether a text can be one word of a kernel's command line."""
    return WORD.fullmatch(text) is not None


@dataclass(frozen=True)
class Build:
    """One particular kernel: its release, and who built it when."""

    release: str
    built: str = ""  # such as `(root@host) #1 SMP Mon Aug 2 11:54:59 2004`

    def __str__(self) -> str:
        """Return both on one line."""
        return f"{self.release} {self.built}".strip()


def of_image(data: bytes, source: str) -> Build:
    """Read the build out of a bzImage."""
    wanted = "a bzImage of Linux 2.4 or later"
    protocol = int.from_bytes(data[PROTOCOL_OFFSET : PROTOCOL_OFFSET + 2], "little")
    if data[MAGIC_OFFSET : MAGIC_OFFSET + 4] != MAGIC or protocol < FIRST_PROTOCOL:
        raise _no_image(source, "no setup header", wanted)
    pointer = int.from_bytes(data[POINTER_OFFSET : POINTER_OFFSET + 2], "little")
    text = data[BASE + pointer : BASE + pointer + LONGEST].split(b"\0")[0].decode("ascii", "replace")
    release, _, built = text.partition(" ")
    if pointer == 0 or not RELEASE.fullmatch(release):
        raise _no_image(source, f"version {text[:60]!r}", wanted)
    return Build(release, " ".join(built.split()))


def of_elf(data: bytes, source: str) -> Build:
    """Read the build out of a vmlinux for coLinux, which boots it by its symbols."""
    wanted = "an i386 kernel with its symbols, patched for coLinux"
    try:
        elf = ELFFile(io.BytesIO(data))
        machine, table = elf["e_machine"], elf.get_section_by_name(".symtab")
        names = (
            {each.name for each in table.iter_symbols()} if isinstance(table, SymbolTableSection) else set()
        )
    except (ELFError, ConstructError) as error:
        raise _no_image(source, f"no ELF file ({error})", wanted) from None
    if machine != "EM_386":
        raise _no_image(source, machine, wanted)
    if not names & COLINUX_SYMBOLS:
        seen = "no symbols" if not names else "none of its symbols"
        raise _no_image(source, seen, f"{wanted}: {' or '.join(sorted(COLINUX_SYMBOLS))}")
    found = _ELF_BANNER.search(data)
    if found is None:
        raise _no_image(source, "no version", wanted)
    release, builder, compiler, version = (part.decode("ascii", "replace") for part in found.groups())
    if release.startswith("2.4.") and not compiler.startswith(f"gcc version {COMPILER}."):
        raise EyrieError(
            f"compiler of {source}",
            seen=compiler,
            wanted=f"gcc {COMPILER}, with which coLinux 0.6.1 was built: it does not look, and may crash",
            next_step="build with another toolchain (openmosix_kernel_toolchain)",
        )
    return Build(release, " ".join(f"{builder} {version}".split()))


def of_banner(text: str) -> Build:
    """Read the build of the running kernel out of /proc/version; the compiler it names is left out."""
    found = _BANNER.match(text.strip())
    if found is None:
        raise EyrieError(
            "/proc/version of the node", seen=text[:200], wanted="Linux version RELEASE (BUILDER) ..."
        )
    release, builder, version = found.groups()
    return Build(release, " ".join(f"{builder} {version}".split()))


def refuse_other(build: Build, release: str, source: str) -> None:
    """Refuse a kernel that is not the pool's."""
    if build.release != release:
        raise EyrieError(
            f"release of the kernel in {source}",
            seen=build.release,
            wanted=f"{release}, the pool's (openmosix_kernel_release)",
            next_step="give the pool's kernel, or change the release of the whole pool",
        )


def _no_image(source: str, seen: str, wanted: str) -> EyrieError:
    return EyrieError(f"kernel image {source}", seen=seen, wanted=wanted, next_step="name another file")
