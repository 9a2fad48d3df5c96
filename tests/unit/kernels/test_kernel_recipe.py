# SPDX-License-Identifier: GPL-3.0-or-later
"""How a kernel is built: the scripts run here on a source of a few lines, with the real patch and make."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from kernel_samples import NAMES_IT, source

from eyrie.errors import EyrieError
from eyrie.kernels import bundle, recipe
from eyrie.kernels.recipe import Recipe

OPENMOSIX = Recipe("2.4.26-om", "s", ("openmosix", "colinux"), "c", "gcc-3.3")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source as it is published: an archive of one folder."""
    source(tmp_path)
    (tmp_path / "config").write_text("CONFIG_MOSIX=y\n# CONFIG_OFF is not set\n")
    return tmp_path / "linux"


def run(script: str) -> str:
    command = recipe.inside("", script, 0)
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(script: str) -> str:
    done = subprocess.run(
        ["sh", "-c", recipe.inside("", script, 0)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    return done.stderr


def patched(tree: Path, name: str, text: str) -> bool:
    file = tree.parent / name
    file.write_text(text)
    return recipe.refuse_rejects(run(recipe.patch(str(file), str(tree))), name)


def test_a_kernel_of_2_4_is_built_from_source_to_archive(tree: Path) -> None:
    top = tree.parent
    run(recipe.unpack(str(top / "source.tar"), str(tree)))
    assert patched(tree, "openmosix", NAMES_IT.format(old="", new="-om", file="hpc/om.c")) is False
    config = run(recipe.configure(OPENMOSIX, str(top / "config"), str(tree)))
    assert config == "CONFIG_MOSIX=y\n# CONFIG_OFF is not set\nCONFIG_NEW=y\n"
    run(recipe.make(OPENMOSIX, str(tree), 2))
    run(recipe.collect(OPENMOSIX, str(tree), str(top / "kernel.tar")))
    assert (tree / "order").read_text().split() == ["oldconfig", "dep", "bzImage", "modules"]
    found = bundle.load(top / "kernel.tar", "2.4.26-om")
    assert str(found.build) == "2.4.26-om (pool@eyrie) #1"
    assert [name for name, _ in found.boot] == [
        "System.map-2.4.26-om",
        "config-2.4.26-om",
        "vmlinuz-2.4.26-om",
    ]


def test_the_second_patch_that_names_the_kernel_has_no_say(tree: Path) -> None:
    run(recipe.unpack(str(tree.parent / "source.tar"), str(tree)))
    patched(tree, "openmosix", NAMES_IT.format(old="", new="-om", file="hpc/om.c"))
    assert patched(tree, "colinux", NAMES_IT.format(old="", new="-co-0.6", file="arch/co.c")) is True
    assert (tree / "arch/co.c").read_text() == "here\n"
    assert list(tree.rglob("*.rej")) == []
    run(recipe.configure(replace(OPENMOSIX, release="2.4.26-pool"), str(tree.parent / "config"), str(tree)))
    assert re.findall("^EXTRAVERSION.*", (tree / "Makefile").read_text(), re.MULTILINE) == [
        "EXTRAVERSION = -pool"
    ]


def test_any_other_rejected_hunk_is_refused(tree: Path) -> None:
    run(recipe.unpack(str(tree.parent / "source.tar"), str(tree)))
    wrong = NAMES_IT.format(old="", new="-om", file="x").replace("-EXTRAVERSION =", "-SUBLEVEL = 25")
    with pytest.raises(EyrieError, match=r"patch wrong: found .hunks rejected in Makefile"):
        patched(tree, "wrong", wrong)
    both = NAMES_IT.format(old=" -other", new="-om", file="x").replace("/dev/null", "a/make_image.py")
    both = both.replace("b/x", "b/make_image.py").replace(
        "@@ -0,0 +1 @@\n", "@@ -1 +1,2 @@\n-nothing of this\n+x\n"
    )
    with pytest.raises(EyrieError, match=r"hunks rejected in make_image.py"):
        patched(tree, "both", both)


def test_a_hunk_for_a_file_that_is_not_there_is_refused(tree: Path) -> None:
    """patch ignores it, and writes no reject."""
    run(recipe.unpack(str(tree.parent / "source.tar"), str(tree)))
    file = tree.parent / "other"
    file.write_text("--- a/hpc/om.c\n+++ b/hpc/om.c\n@@ -1 +1,2 @@\n here\n+there\n")
    assert "--- a/hpc/om.c" in refused(recipe.patch(str(file), str(tree)))


def test_what_is_no_patch_is_refused(tree: Path) -> None:
    run(recipe.unpack(str(tree.parent / "source.tar"), str(tree)))
    (tree.parent / "text").write_text("no patch\n")
    assert "garbage" in refused(recipe.patch(str(tree.parent / "text"), str(tree)))
    assert "absent" in refused(recipe.patch(str(tree.parent / "absent"), str(tree)))


def test_another_source_is_refused(tree: Path) -> None:
    run(recipe.unpack(str(tree.parent / "source.tar"), str(tree)))
    other = replace(OPENMOSIX, release="2.4.27-om")
    said = refused(recipe.configure(other, str(tree.parent / "config"), str(tree)))
    assert "the source is not 2.4.27" in said
    assert "SUBLEVEL = 26" in said
    subprocess.run(["tar", "-cf", "two.tar", "linux-2.4.26", "config"], cwd=tree.parent, check=True)
    assert "no kernel source" in refused(recipe.unpack(str(tree.parent / "two.tar"), str(tree)))


def test_a_compiler_that_fails_is_quoted(tree: Path) -> None:
    run(recipe.unpack(str(tree.parent / "source.tar"), str(tree)))
    (tree / "make_image.py").write_text("raise SystemExit('undefined reference')")
    assert "undefined reference" in refused(recipe.make(OPENMOSIX, str(tree), 1))


def test_newer_kernels_have_no_dep() -> None:
    newer = replace(OPENMOSIX, release="6.12.117-eyrie", config_target="allnoconfig")
    assert "make -j4 bzImage modules;" in recipe.make(newer, "/t", 4)
    assert "make KCONFIG_ALLCONFIG=/c allnoconfig" in recipe.configure(newer, "/c", "/t")
    old = recipe.make(OPENMOSIX, "/t", 4)
    assert "make -j1 dep && make -j4 bzImage && make -j4 modules;" in old


def test_the_toolchain_is_a_root_of_its_own() -> None:
    command = recipe.inside("/tc", "make 'x'", 10)
    assert command.startswith("exec nice -n 10 chroot /tc /usr/bin/env -i PATH=")
    assert command.endswith("""/bin/sh -euc 'make '"'"'x'"'"''""")


def test_settings_that_were_not_kept_are_named() -> None:
    wanted = "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=y\n"
    assert recipe.lost(wanted, "CONFIG_A=y\nCONFIG_B=y\n") == ("CONFIG_B=m", "CONFIG_D=y")


@pytest.mark.parametrize("change", ["release", "source", "config", "toolchain", "config_target"])
def test_all_that_goes_in_is_in_the_name(change: str) -> None:
    assert replace(OPENMOSIX, **{change: "other"}).identity != OPENMOSIX.identity
    assert replace(OPENMOSIX, patches=("colinux", "openmosix")).identity != OPENMOSIX.identity


def test_a_release_has_numbers() -> None:
    assert recipe.version_parts("2.4.26-om") == (2, 4, 26, "-om")
    assert recipe.version_parts("6.12") == (6, 12, 0, "")
    with pytest.raises(EyrieError, match="release of the kernel"):
        recipe.version_parts("om")
