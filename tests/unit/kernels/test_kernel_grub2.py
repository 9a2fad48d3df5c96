# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB 2: two entries, one boot, and the old kernel until the new one has proved itself."""

from __future__ import annotations

import pytest
from kernel_samples import GRUB_CFG, GRUBENV

from eyrie.errors import EyrieError
from eyrie.kernels.bootloaders import Entry, find
from eyrie.kernels.bootloaders.grub2 import Grub2, menus, read_environment

RUNS_OLD = "BOOT_IMAGE=/boot/vmlinuz-6.12.8-old root=/dev/vda1 ro console=ttyS0 quiet panic=5"
ENTRY = Entry("6.12.9-pool", has_initrd=True, words=("panic=10",))
TEXTS = {"/boot/grub/grub.cfg": GRUB_CFG, "/boot/grub/grubenv": GRUBENV}
CUSTOM, ENVIRONMENT = "/boot/grub/custom.cfg", "/boot/grub/grubenv"


def added(
    texts: dict[str, str] = TEXTS, entry: Entry = ENTRY, command_line: str = RUNS_OLD
) -> dict[str, str]:
    return {**texts, **Grub2().add(texts, entry, command_line).texts}


def test_the_entry_is_modelled_on_the_one_that_runs() -> None:
    pool = next(menu for menu in menus(added()[CUSTOM]) if menu.title == "pool kernel 6.12.9-pool")
    assert [line.strip() for line in pool.lines] == [
        "insmod ext2",
        "set root='hd0,msdos1'",
        "linux /boot/vmlinuz-6.12.9-pool root=/dev/vda1 ro console=ttyS0 quiet panic=10",
        "initrd /boot/initrd.img-6.12.9-pool",
    ]


def test_what_runs_stays_the_default_until_the_kernel_is_kept() -> None:
    texts = added()
    fall_back = next(menu for menu in menus(texts[CUSTOM]) if menu.title.startswith("fall-back"))
    assert fall_back.kernel == "/boot/vmlinuz-6.12.8-old"
    assert 'then set default="eyrie-fall-back"; fi' in texts[CUSTOM]
    assert not Grub2().is_kept(texts, ENTRY)
    texts |= Grub2().keep(texts, ENTRY).texts
    assert 'then set default="eyrie-6.12.9-pool"; fi' in texts[CUSTOM]
    assert Grub2().is_kept(texts, ENTRY)


def test_one_boot_goes_through_the_environment_block() -> None:
    old = GRUBENV.replace("#" * 19, "saved_entry=0\n#####", 1)
    texts = added({**TEXTS, ENVIRONMENT: old})
    new = Grub2().once(texts, ENTRY).texts[ENVIRONMENT]
    assert len(new) == 1024
    assert read_environment(new, "x") == {"saved_entry": "0", "next_entry": "eyrie-6.12.9-pool"}


def test_again_changes_nothing() -> None:
    texts = added()
    assert Grub2().add(texts, ENTRY, RUNS_OLD).texts == {}
    texts |= Grub2().keep(texts, ENTRY).texts
    assert Grub2().keep(texts, ENTRY).texts == {}


def test_the_next_release_falls_back_to_the_one_that_runs() -> None:
    texts = added()
    texts |= Grub2().keep(texts, ENTRY).texts
    texts = added(
        texts, Entry("6.12.10-pool", has_initrd=False), "BOOT_IMAGE=/boot/vmlinuz-6.12.9-pool root=/dev/vda1"
    )
    kernels = {menu.title: menu.kernel for menu in menus(texts[CUSTOM])}
    assert kernels == {
        "fall-back of the pool kernel: pool kernel 6.12.9-pool": "/boot/vmlinuz-6.12.9-pool",
        "pool kernel 6.12.10-pool": "/boot/vmlinuz-6.12.10-pool",
    }
    # Anything that is done while the pool's kernel itself runs leaves the fall-back alone.
    again = added(
        texts, Entry("6.12.10-pool", has_initrd=False), "BOOT_IMAGE=/boot/vmlinuz-6.12.10-pool root=x"
    )
    assert again[CUSTOM] == texts[CUSTOM]


def test_nothing_of_ours_is_left() -> None:
    own = "menuentry 'mine' {\n  true\n}\n"
    texts = added({**TEXTS, CUSTOM: own})
    texts |= Grub2().once(texts, ENTRY).texts
    texts |= Grub2().drop(texts).texts
    assert texts == {**TEXTS, CUSTOM: own}
    assert Grub2().drop(TEXTS).texts == {}


def test_entries_are_read_with_functions_and_braces_around() -> None:
    found = [(menu.title, menu.kernel) for menu in menus(GRUB_CFG)]
    assert found == [
        ("Debian GNU/Linux", "/boot/vmlinuz-6.12.9-new"),
        ("Debian GNU/Linux, with Linux 6.12.8-old", "/boot/vmlinuz-6.12.8-old"),
    ]


def test_a_boot_partition_of_its_own_keeps_its_paths() -> None:
    texts = {**TEXTS, "/boot/grub/grub.cfg": GRUB_CFG.replace("/boot/vmlinuz", "/vmlinuz")}
    texts = added(texts, ENTRY, "BOOT_IMAGE=(hd0,msdos1)/vmlinuz-6.12.8-old root=/dev/vda2")
    assert "linux /vmlinuz-6.12.9-pool " in texts[CUSTOM]
    assert "initrd /initrd.img-6.12.9-pool\n" in texts[CUSTOM]


@pytest.mark.parametrize(
    ("texts", "command_line", "said"),
    [
        ({}, RUNS_OLD, "nothing of next_entry"),
        ({"/boot/grub/grub.cfg": GRUB_CFG.replace("custom.cfg", "x")}, RUNS_OLD, "nothing of custom.cfg"),
        ({ENVIRONMENT: ""}, RUNS_OLD, "0 bytes"),
        ({ENVIRONMENT: GRUBENV + "#"}, RUNS_OLD, "1025 bytes"),
        ({}, "root=/dev/vda1 ro", "none that boots what /proc/cmdline names"),
        ({}, "BOOT_IMAGE=/boot/vmlinuz-5 root=x", "none that boots /boot/vmlinuz-5"),
        ({CUSTOM: "# END eyrie\n"}, RUNS_OLD, "0 lines that begin it, 1 that end it"),
    ],
)
def test_what_is_not_understood_is_not_touched(texts: dict[str, str], command_line: str, said: str) -> None:
    given = (
        {**TEXTS, **texts} if texts else {**TEXTS, "/boot/grub/grub.cfg": GRUB_CFG.replace("next_entry", "x")}
    )
    if said.startswith("none"):
        given = TEXTS
    with pytest.raises(EyrieError, match=said):
        added(given, command_line=command_line)


def test_the_nodes_bootloader_is_found() -> None:
    legacy, lilo = {"/boot/grub/menu.lst": ""}, {"/etc/lilo.conf": ""}
    assert [type(find(each)).__name__ for each in (TEXTS, legacy, lilo)] == ["Grub2", "GrubLegacy", "Lilo"]
    assert find({**TEXTS, **legacy}, "grub_legacy").files == ("/boot/grub/menu.lst", "/boot/grub/default")
    assert find({"/boot/grub2/grub.cfg": ""}).files[0] == "/boot/grub2/grub.cfg"
    for texts in ({}, {**TEXTS, **legacy}):
        with pytest.raises(EyrieError, match=r"bootloader of the node.*exactly one"):
            find(texts)
    with pytest.raises(EyrieError, match="found 'grub2', wanted lilo"):
        find(TEXTS, "lilo")
