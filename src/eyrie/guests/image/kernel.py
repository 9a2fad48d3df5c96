# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's kernel, the few drivers it needs, and the small first root file system that holds them."""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterable, Mapping
from pathlib import Path

from elftools.elf.elffile import ELFFile

from eyrie.errors import EyrieError
from eyrie.guests.image import cpio

# Everything else a guest needs is built into Debian's cloud kernel.
DRIVERS = ("virtio_blk", "squashfs", "overlay", "qemu_fw_cfg", "virtio_net", "nf_tables", "nft_reject_inet")
_APPLETS = ("sh", "echo", "insmod", "mkdir", "mount", "poweroff", "sleep", "switch_root")
_FOLDERS = ("bin", "dev", "lower", "modules", "proc", "root", "rw", "sys")


def is_kernel_file(path: str) -> bool:
    """Choose the kernel, its modules and the list of what is built in."""
    return path.startswith("boot/vmlinuz-") or path.endswith((".ko.xz", ".ko", "/modules.builtin"))


def find_modules(tree: Path) -> tuple[dict[str, Path], set[str]]:
    """Return the modules of an unpacked kernel by name, and the names of those built in."""
    modules = {_name(file.name): file for file in sorted(tree.glob("usr/lib/modules/*/kernel/**/*.ko*"))}
    built_in: set[str] = set()
    for index in tree.glob("usr/lib/modules/*/modules.builtin"):
        built_in |= {_name(Path(line).name) for line in index.read_text(encoding="ascii").splitlines()}
    return modules, built_in


def load_order(wanted: Iterable[str], needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Order modules so that each comes after all it needs."""
    order: list[str] = []

    def add(name: str) -> None:
        for other in needs[name]:
            add(other)
        if name not in order:
            order.append(name)

    for name in wanted:
        add(name)
    return order


def read_modules(tree: Path) -> dict[str, bytes]:
    """Return the drivers and what they need, uncompressed, in the order to load them."""
    files, built_in = find_modules(tree)
    needs: dict[str, list[str]] = {}
    contents: dict[str, bytes] = {}
    todo = list(DRIVERS)
    while todo:
        name = todo.pop()
        if name in needs:
            continue
        if name not in files:
            raise EyrieError(
                "kernel of the guest image", seen=f"no module {name}", wanted="Debian's cloud kernel"
            )
        data = files[name].read_bytes()
        contents[name] = lzma.decompress(data) if files[name].suffix == ".xz" else data
        needs[name] = [other for other in module_needs(contents[name]) if other not in built_in]
        todo += needs[name]
    return {name: contents[name] for name in load_order(DRIVERS, needs)}


def module_needs(module: bytes) -> list[str]:
    """Return the modules that one says it depends on."""
    section = ELFFile(io.BytesIO(module)).get_section_by_name(".modinfo")
    for field in section.data().split(b"\0") if section else []:
        if field.startswith(b"depends="):
            return [name for name in field[len(b"depends=") :].decode("ascii").split(",") if name]
    return []


def initramfs(busybox: bytes, init: bytes, modules: Mapping[str, bytes], epoch: int) -> bytes:
    """Return the (uncompressed) archive the kernel unpacks as its first root."""
    entries = [cpio.folder(name) for name in _FOLDERS]
    entries.append(cpio.file("bin/busybox", busybox, executable=True))
    entries += [cpio.symlink(f"bin/{applet}", "busybox") for applet in _APPLETS]
    entries.append(cpio.file("init", init, executable=True))
    entries += [cpio.file(f"modules/{name}.ko", data) for name, data in modules.items()]
    entries.append(cpio.file("modules/order", "".join(f"{name}.ko\n" for name in modules).encode()))
    return cpio.archive(entries, epoch)


def _name(file_name: str) -> str:
    """Name a module as the kernel does, whatever its file is called."""
    return file_name.split(".ko")[0].replace("-", "_")
