# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest guest for a real QEMU: a kernel that spins. The worst an owner can come back to."""

from __future__ import annotations

from pathlib import Path


def kernel() -> bytes:
    """Return the smallest kernel the Linux boot protocol (2.2) takes: real mode code that spins."""
    setup = bytearray(1024 * 5)
    setup[0x1F1] = 4  # sectors of set-up code
    setup[0x1FE:0x200] = b"\x55\xaa"
    setup[0x200:0x202] = b"\xeb\xfe"  # jmp $
    setup[0x202:0x206] = b"HdrS"
    setup[0x206:0x208] = (0x0202).to_bytes(2, "little")
    setup[0x211] = 1  # loaded high
    setup[0x22C:0x230] = (0x37FFFFFF).to_bytes(4, "little")
    return bytes(setup) + bytes(4096)


def write_image(folder: Path) -> None:
    """Write what a guest image's directory holds."""
    folder.mkdir()
    (folder / "vmlinuz").write_bytes(kernel())
    (folder / "initramfs.cpio.zst").write_bytes(b"none")
    (folder / "root.squashfs").write_bytes(bytes(4096))
