# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that boot from a disk of their own: what lies on it, and what its bootloader is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from eyrie.errors import EyrieError
from eyrie.kernels.bootloaders import Entry
from eyrie.kernels.bootloaders.grub_legacy import GrubLegacy
from eyrie.lab import pc_disk, pc_legacy_image, seed
from eyrie.lab.topology import parse_text

BOOT = b"\xeb" * 512
LAB = parse_text(
    """
name: office
subnets: {hq: {network: 10.77.1.0/24}}
hosts:
  new: {kind: pc, subnet: hq, address: 10.77.1.41}
  old: {kind: pc-grub-legacy, subnet: hq, address: 10.77.1.42}
""",
    "lab.yml",
)


def test_the_first_sectors_are_code_table_and_core() -> None:
    start = pc_disk.first_sectors(BOOT, b"core")
    assert start[:446] == BOOT[:446]
    assert (start[446], start[450], start[510:512]) == (0x80, 0x83, b"\x55\xaa")
    first, count = (int.from_bytes(start[at : at + 4], "little") for at in (454, 458))
    assert (first, (first + count) * 512) == (2048, pc_disk.DISK_GIB << 30)
    assert start[512:517] == b"core\0"
    assert len(start) == 2048 * 512


def test_a_core_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="the room before the partition is 1048576"):
        pc_disk.first_sectors(BOOT, bytes(2048 * 512))


def test_without_boot_code_the_room_for_it_is_empty_and_that_is_refused(tmp_path: Path) -> None:
    raw = tmp_path / "disk.raw"
    raw.write_bytes(pc_disk.first_sectors(b"", b""))
    said = SimpleNamespace(tail=lambda _: "Error 15: File not found")
    with pytest.raises(EyrieError, match="Error 15: File not found"):
        pc_legacy_image.refuse_unset(raw, said)  # type: ignore[arg-type]
    raw.write_bytes(pc_disk.first_sectors(BOOT, b""))
    pc_legacy_image.refuse_unset(raw, said)  # type: ignore[arg-type]


def test_the_menu_of_grub_legacy_is_one_we_can_add_to() -> None:
    menu = pc_legacy_image.MENU.format(release="6.1.0-9-cloud-amd64")
    texts = {"/boot/grub/menu.lst": menu, "/boot/grub/default": "default\n#\n"}
    added = GrubLegacy().add(texts, Entry("2.4.26-om", has_initrd=False), "").texts["/boot/grub/menu.lst"]
    assert "kernel /boot/vmlinuz-2.4.26-om root=/dev/vda1 ro console=ttyS0" in added


def test_packages_come_from_the_suite_of_the_hosts_image() -> None:
    keys = seed.Keys("private", "public", "administrator")
    for host, suite in zip(LAB.hosts, ("trixie", "bookworm"), strict=True):
        files = {file.path: file.content for file in seed.files(LAB, host, keys, has_security=True)}
        sources = files["etc/apt/sources.list.d/lab.sources"]
        assert f"Suites: {suite}\n" in sources and f"Suites: {suite}-security\n" in sources
