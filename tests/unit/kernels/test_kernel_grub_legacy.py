# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB legacy: one boot through `default saved`, and an entry that puts the old number back itself."""

from __future__ import annotations

import pytest
from kernel_samples import MENU_LST

from eyrie.errors import EyrieError
from eyrie.kernels.bootloaders import Entry
from eyrie.kernels.bootloaders.grub_legacy import GrubLegacy

ENTRY = Entry("2.4.26-om", has_initrd=False, words=("panic=10",))
MENU, SAVED = "/boot/grub/menu.lst", "/boot/grub/default"
LOADER = GrubLegacy()


def added(texts: dict[str, str], entry: Entry = ENTRY) -> dict[str, str]:
    return {**texts, **LOADER.add(texts, entry, "root=/dev/hda2 ro").texts}


def head(texts: dict[str, str]) -> list[str]:
    return [line for line in texts[MENU].splitlines() if line.startswith(("default", "fallback"))]


def number(texts: dict[str, str]) -> str:
    return texts[SAVED].split("\n")[0]


def test_the_entry_comes_last_and_puts_the_old_number_back() -> None:
    texts = added({MENU: MENU_LST})
    assert texts[MENU].split("title pool kernel 2.4.26-om\n")[1].split("# END")[0].splitlines() == [
        "root (hd0,0)",
        "kernel /vmlinuz-2.4.26-om root=/dev/hda2 ro console=ttyS0 panic=10",
        "savedefault 0",
    ]
    assert (head(texts), number(texts)) == (["default saved", "fallback 0"], "0")
    assert not LOADER.is_kept(texts, ENTRY)


def test_once_is_a_number_in_a_file_whose_size_stays() -> None:
    texts = added({MENU: MENU_LST})
    once = LOADER.once(texts, ENTRY).texts
    assert list(once) == [SAVED]
    assert number({**texts, **once}) == "2"
    assert len(once[SAVED]) == len(texts[SAVED])


def test_kept_it_is_the_default_and_falls_back_still() -> None:
    texts = added({MENU: MENU_LST})
    texts |= LOADER.keep(texts, ENTRY).texts
    assert (head(texts), number(texts)) == (["default 2", "fallback 0"], "2")
    assert "savedefault 0" not in texts[MENU]
    assert LOADER.is_kept(texts, ENTRY)
    assert LOADER.keep(texts, ENTRY).texts == {}


def test_again_changes_nothing() -> None:
    texts = added({MENU: MENU_LST})
    assert LOADER.add(texts, ENTRY, "").texts == {}


def test_the_next_release_falls_back_to_the_one_that_is_the_default() -> None:
    texts = added({MENU: MENU_LST})
    texts |= LOADER.keep(texts, ENTRY).texts
    newer = Entry("2.4.27-om", has_initrd=True)
    texts = added(texts, newer)
    titles = [line for line in texts[MENU].splitlines() if line.startswith("title")]
    assert titles[2:] == ["title pool kernel 2.4.26-om", "title pool kernel 2.4.27-om"]
    assert (head(texts), number(texts)) == (["default saved", "fallback 2"], "2")
    assert texts[MENU].count("savedefault 2") == 1
    texts |= LOADER.once(texts, newer).texts
    assert number(texts) == "3"
    texts |= LOADER.keep(texts, newer).texts
    assert head(texts) == ["default 3", "fallback 2"]


def test_what_the_default_was_before_it_is_again() -> None:
    texts = added({MENU: MENU_LST})
    texts |= LOADER.keep(texts, ENTRY).texts
    texts |= LOADER.drop(texts).texts
    assert (head(texts), number(texts)) == (["default 0"], "0")
    assert sorted(texts[MENU].splitlines()) == sorted(MENU_LST.splitlines())
    assert LOADER.drop({MENU: MENU_LST}).texts == {}


def test_a_saved_default_is_read_from_its_file() -> None:
    menu = MENU_LST.replace("default 0", "default\tsaved")
    texts = added({MENU: menu.replace("chainloader +1", "kernel /other root=/dev/hda3"), SAVED: "1\n#\n"})
    assert head(texts) == ["default saved", "fallback 1"]
    assert "kernel /vmlinuz-2.4.26-om root=/dev/hda3 panic=10" in texts[MENU]


@pytest.mark.parametrize(
    ("menu", "said"),
    [
        ("", "one of 0 entries"),
        (MENU_LST.replace("default 0", "default 7"), "found 7, wanted the number of one of 2"),
        (MENU_LST.replace("default 0", "default 1"), "an entry with a kernel"),
        (MENU_LST.replace("default 0", "default x"), "found 'x'"),
    ],
)
def test_what_is_not_understood_is_not_touched(menu: str, said: str) -> None:
    with pytest.raises(EyrieError, match=said):
        added({MENU: menu})


@pytest.mark.parametrize("file", [None, "", "default\n#\n", "0 \n"])
def test_a_saved_default_that_is_no_number_is_the_first_entry(file: str | None) -> None:
    """GRUB takes it so; grub-install leaves a file with the word `default` in it."""
    texts = {MENU: MENU_LST.replace("default 0", "default saved")} | ({} if file is None else {SAVED: file})
    texts = added(texts)
    assert (head(texts), number(texts)) == (["default saved", "fallback 0"], "0")
