# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel for coLinux guests, from a source of a few lines that names itself.

The real patch, make, as and ld run in a toolchain of its own. The genuine 2.4.26 could not be had.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from kernel_samples import MAKEFILE, NAMES_IT
from test_kernel_build import COLLECTIONS, Built, collection  # noqa: F401 - a fixture

from eyrie.errors import EyrieError
from eyrie.kernels import bundle, guest, recipe, release
from eyrie.kernels.recipe import Recipe

R = "2.4.26-om1-co-0.6.1"
GUEST = Recipe(R, "s", ("openmosix", "colinux"), "c", "gcc-3.3", target="colinux")
# What of a kernel coLinux looks at: the entry's name, and the version.
KERNEL = """.globl {symbol}
.text
{symbol}: ret
.data
.ascii "Linux version {release} (pool@eyrie) (gcc version {gcc}) #1 Mon\\n\\0"
"""
VMLINUX = """vmlinux:
\techo vmlinux >> order
\tsed -e 's/@R@/$(R)/' -e "s/@BY@/$$KBUILD_BUILD_USER@$$KBUILD_BUILD_HOST/" kernel.s > named.s
\tas --32 -o kernel.o named.s
\tld -m elf_i386 -e colinux_start -o vmlinux kernel.o
\ttouch System.map
.PHONY: vmlinux
"""
PROGRAMS = (
    *("sh", "make", "patch", "tar", "gzip", "bzip2", "sed", "grep", "cat", "mkdir", "cp", "mv", "rm", "ln"),
    *("touch", "find", "yes", "tail", "env", "as", "ld"),
)
SECOND = """--- a/hpc/om.c
+++ b/hpc/om.c
@@ -1 +1,2 @@
 here
+and colinux
"""


def elf(
    folder: Path, symbol: str = "colinux_start", version: str = R, gcc: str = "3.3.6", *words: str
) -> bytes:
    (folder / "k.s").write_text(KERNEL.format(symbol=symbol, release=version, gcc=gcc))
    subprocess.run(["as", "--32", "-o", "k.o", "k.s"], cwd=folder, check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-e", symbol, *words, "-o", "k", "k.o"], cwd=folder, check=True)
    return (folder / "k").read_bytes()


def toolchain(folder: Path) -> Path:
    """Pack this machine's programs, with their libraries, as the root that a build runs in."""
    files: set[Path] = set()
    for name in PROGRAMS:
        found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True)
        files.add(Path(found.stdout.strip()))
        told = subprocess.run(
            ["ldd", found.stdout.strip()], capture_output=True, text=True, check=True
        ).stdout
        files |= {Path(word) for word in told.split() if word.startswith("/")}
    with tarfile.open(folder / "toolchain.tar", "w", dereference=True) as tar:
        for file in sorted(files):
            tar.add(file, str(file).lstrip("/"))
        for name in ("sh", "env"):  # where a script of the recipe looks for it
            tar.add(Path(f"/usr/bin/{name}"), f"bin/{name}")
            tar.add(Path(f"/usr/bin/{name}"), f"usr/bin/{name}")
        device = tarfile.TarInfo("tmp")
        device.type, device.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(device)
    return folder / "toolchain.tar"


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    tree = tmp_path / "linux-2.4.26"
    tree.mkdir()
    (tree / "Makefile").write_text(MAKEFILE + VMLINUX)
    line = KERNEL.format(symbol="colinux_start", release="@R@", gcc="3.3.6").replace("pool@eyrie", "@BY@")
    (tree / "kernel.s").write_text(line)
    with tarfile.open(tmp_path / "source.tar", "w") as tar:
        tar.add(tree, tree.name)
    (tmp_path / "openmosix").write_text(NAMES_IT.format(old="", new="-om1", file="hpc/om.c"))
    colinux = (NAMES_IT.format(old="", new="-co-0.6.1", file="arch/co.c") + SECOND).encode()
    with tarfile.open(tmp_path / "coLinux-0.6.1.tar.gz", "w:gz") as tar:
        for name, data in {"patch/linux": colinux, "README": b"no patch\n"}.items():
            member = tarfile.TarInfo(f"coLinux-0.6.1/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (tmp_path / "config").write_text("CONFIG_MOSIX=y\n")
    return {
        "release": R,
        "target": "colinux",
        "source": str(tmp_path / "source.tar"),
        "patches": [str(tmp_path / "openmosix"), str(tmp_path / "coLinux-0.6.1.tar.gz")],
        "config": str(tmp_path / "config"),
        "toolchain": str(toolchain(tmp_path)),
        "directory": str(tmp_path / "build-host"),
        "dest": str(tmp_path / "store"),
    }


@pytest.mark.slow  # packs and unpacks a toolchain
@pytest.mark.usefixtures("collection")
@pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")
def test_a_guests_kernel_is_built_in_its_toolchain(given: dict[str, Any]) -> None:
    first = Built(given).result
    told = first["kernel_build"]
    assert first["changed"]
    assert [Path(path).name for path in told["settled_rejects"]] == ["coLinux-0.6.1.tar.gz"]
    assert told["build"] == "(pool@eyrie) #1 Mon"
    kernel, modules = Path(told["kernel"]), Path(told["modules"])
    assert kernel.parent.name == f"colinux-{R}" and kernel.name == "vmlinux"
    seen = subprocess.run(["file", "-b", kernel], capture_output=True, text=True, check=True).stdout
    assert "ELF 32-bit LSB executable, Intel 80386" in seen and "not stripped" in seen
    with tarfile.open(modules) as tar:
        assert f"lib/modules/{R}/kernel/net.o" in tar.getnames()
        assert not [name for name in tar.getnames() if not name.startswith("lib")]
    times = [path.stat().st_mtime_ns for path in (kernel, modules)]
    again = Built(given)
    assert (again.result["changed"], again.asked) == (False, 0)
    assert [path.stat().st_mtime_ns for path in (kernel, modules)] == times
    kernel.unlink()
    assert Built(given, check=True).result["changed"] and not kernel.exists()
    assert Built(given).result["changed"] and kernel.exists(), "from the archive, without another build"


@pytest.mark.slow  # packs and unpacks a toolchain
@pytest.mark.usefixtures("collection")
@pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")
def test_the_patches_the_other_way_round_are_refused(given: dict[str, Any]) -> None:
    given["patches"].reverse()
    with pytest.raises(AnsibleActionFail, match=r"--- a/hpc/om\.c"):
        Built(given)
    assert not Path(given["dest"]).exists() or list(Path(given["dest"]).glob("*/vmlinux")) == []


def test_the_order_of_what_is_made() -> None:
    made = recipe.make(GUEST, "/t", 4)
    assert "make -j1 dep && make -j4 vmlinux && make -j4 modules;" in made and "bzImage" not in made
    packed = recipe.collect(GUEST, "/t", "/k.tar")
    assert f"cp vmlinux /t/.eyrie.out/boot/vmlinux-{R}\n" in packed and "strip" not in packed
    assert "make -j2 vmlinux modules;" in recipe.make(replace(GUEST, release="2.6.33-co-0.7.9"), "/t", 2)


def test_the_target_is_in_the_name_and_nodes_kernels_keep_theirs() -> None:
    bare = replace(GUEST, target="bare")
    assert bare.identity != GUEST.identity
    assert Recipe("2.4.26-om", "s", ("openmosix", "colinux"), "c", "gcc-3.3").identity == "a638faf75b5c6bd3"


REFUSED = {
    "another name": (replace(GUEST, release="2.4.26-om1"), "such as 2.4.26-om1-co-0.6.1"),
    "no patch": (replace(GUEST, patches=()), "openMosix's, then coLinux's"),
    "no toolchain": (replace(GUEST, toolchain=""), "wanted gcc 3.3"),
}


@pytest.mark.parametrize(("wanted", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_become_a_guests_kernel_is_refused(wanted: Recipe, told: str) -> None:
    with pytest.raises(EyrieError, match=told):
        recipe.refuse_impossible(wanted)
    recipe.refuse_impossible(replace(wanted, target="bare"))


def test_a_kernel_is_asked_for_entry_version_and_compiler(tmp_path: Path) -> None:
    assert release.of_elf(elf(tmp_path), "x").release == R
    assert (
        release.of_elf(elf(tmp_path, "co_start", "2.6.33-co-0.7.9", "4.1.2"), "x").built
        == "(pool@eyrie) #1 Mon"
    )
    for data, told in (
        (elf(tmp_path, gcc="3.4.2"), "compiler of x: found 'gcc version 3.4.2', wanted gcc 3.3"),
        (elf(tmp_path, "startup_32"), "found 'none of its symbols'"),
        (elf(tmp_path, "colinux_start", R, "3.3.6", "-s"), "found 'no symbols'"),
        (elf(tmp_path).replace(b"Linux version", b"Linux Version"), "found 'no version'"),
        (b"\x1f\x8b packed", "no ELF file"),
        (b"\x7fELF", "no ELF file"),
        (elf(tmp_path)[:80], "x: found"),
        (Path("/bin/sh").read_bytes(), "found 'EM_"),
    ):
        with pytest.raises(EyrieError) as refused:
            release.of_elf(data, "x")
        assert told in str(refused.value)


def test_an_archive_holds_the_kernel_of_its_target(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "k.tar", "w") as tar:
        for name, data in {f"boot/vmlinux-{R}": elf(tmp_path), f"lib/modules/{R}/a.o": b"a"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    found = bundle.load(tmp_path / "k.tar", R, "vmlinux")
    assert guest.parts(found) == guest.parts(found)
    assert guest.parts(found)["vmlinux"] == elf(tmp_path)
    with pytest.raises(EyrieError, match=rf"wanted boot/vmlinuz-{R}"):
        bundle.load(tmp_path / "k.tar", R)
    with pytest.raises(EyrieError, match="release of the kernel"):
        bundle.load(renamed(tmp_path), "2.4.26-om2-co-0.6.1", "vmlinux")


def renamed(folder: Path) -> Path:
    with tarfile.open(folder / "other.tar", "w") as tar:
        tar.add(folder / "k", "boot/vmlinux-2.4.26-om2-co-0.6.1")
    return folder / "other.tar"
