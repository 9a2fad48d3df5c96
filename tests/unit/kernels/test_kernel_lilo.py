# SPDX-License-Identifier: GPL-3.0-or-later
"""LILO: a section, a map that is written after a try, and `lilo -R` for one boot."""

from __future__ import annotations

import pytest
from kernel_samples import LILO_CONF

from eyrie.errors import EyrieError
from eyrie.kernels.bootloaders import Entry
from eyrie.kernels.bootloaders.lilo import CONFIG, Lilo, label

ENTRY = Entry("2.4.26-om", has_initrd=False, words=("panic=10",))
LOADER = Lilo()
RUNS_LINUX = "auto BOOT_IMAGE=Linux ro root=301 hdc=ide-scsi panic=5"


def added(config: str = LILO_CONF, entry: Entry = ENTRY, command_line: str = RUNS_LINUX) -> dict[str, str]:
    texts = {CONFIG: config}
    return {**texts, **LOADER.add(texts, entry, command_line).texts}


def default(texts: dict[str, str]) -> list[str]:
    return [line for line in texts[CONFIG].splitlines() if line.startswith("default")]


def test_the_section_is_modelled_on_the_one_that_runs() -> None:
    texts = added()
    assert texts[CONFIG].split("image=/boot/vmlinuz-2.4.26-om\n")[1].split("# END")[0].splitlines() == [
        "\tlabel=2.4.26-om",
        '\tappend="hdc=ide-scsi panic=10"',
        "\tread-only",
        "\tvga=normal",
    ]
    assert default(texts) == ["default=Linux"]
    assert LOADER.add({CONFIG: LILO_CONF}, ENTRY, RUNS_LINUX).commands == ("lilo -t", "lilo")


def test_the_other_kernel_runs_and_is_what_it_falls_back_to() -> None:
    texts = added(command_line="BOOT_IMAGE=LinuxOLD ro root=302")
    assert default(texts) == ["default=LinuxOLD"]
    assert 'label=2.4.26-om\n\tappend="panic=10"\n\troot=/dev/hda2' in texts[CONFIG]


def test_one_boot_is_lilos_own() -> None:
    once = LOADER.once(added(), ENTRY)
    assert (once.texts, once.commands) == ({}, ("lilo -R 2.4.26-om",))


def test_kept_it_is_the_default() -> None:
    texts = added()
    assert not LOADER.is_kept(texts, ENTRY)
    edit = LOADER.keep(texts, ENTRY)
    texts |= edit.texts
    assert (default(texts), edit.commands) == (["default=2.4.26-om"], ("lilo -t", "lilo"))
    assert LOADER.is_kept(texts, ENTRY)
    assert LOADER.keep(texts, ENTRY).texts == {}


def test_again_changes_nothing() -> None:
    again = LOADER.add(added(), ENTRY, RUNS_LINUX)
    assert (again.texts, again.commands) == ({}, ())
    other = added(command_line="BOOT_IMAGE=LinuxOLD")
    assert LOADER.add(other, ENTRY, "BOOT_IMAGE=2.4.26-om").texts == {}


def test_the_next_release_falls_back_to_the_one_that_runs() -> None:
    texts = added()
    texts |= LOADER.keep(texts, ENTRY).texts
    texts = added(texts[CONFIG], Entry("2.4.27-om", has_initrd=True), "BOOT_IMAGE=2.4.26-om ro root=301")
    images = [line for line in texts[CONFIG].splitlines() if line.startswith("image")]
    assert images[2:] == ["image=/boot/vmlinuz-2.4.26-om", "image=/boot/vmlinuz-2.4.27-om"]
    assert default(texts) == ["default=2.4.26-om"]
    texts |= LOADER.drop(texts).texts
    assert default(texts) == ["default=Linux"]


@pytest.mark.parametrize("before", ["default=Linux\n", ""])
def test_what_the_default_was_before_it_is_again(before: str) -> None:
    config = LILO_CONF.replace("default=Linux\n", before)
    texts = added(config)
    texts |= LOADER.keep(texts, ENTRY).texts
    texts |= LOADER.drop(texts).texts
    assert default(texts) == before.splitlines()
    assert sorted(texts[CONFIG].splitlines()) == sorted(config.splitlines())


def test_labels_are_as_short_as_lilo_wants_them() -> None:
    names = {
        label(Entry(release, has_initrd=False))
        for release in ("2.4.26-om", "2.4.26-om1-very-long", "2.4.26-om1-very-longer")
    }
    assert len(names) == 3
    assert max(len(name) for name in names) <= 15


def test_what_is_not_understood_is_not_touched() -> None:
    with pytest.raises(EyrieError, match="found 'no image'"):
        added("boot=/dev/hda\n", command_line="")
    with pytest.raises(EyrieError, match="found 'Linux, LinuxOLD'"):
        added(LILO_CONF.replace("default=Linux", "default=DOS"), command_line="")
