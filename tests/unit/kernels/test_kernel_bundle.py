# SPDX-License-Identifier: GPL-3.0-or-later
"""One archive holds one kernel, the pool's, and nothing else."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from kernel_samples import archive, image

from eyrie.errors import EyrieError
from eyrie.kernels import bundle

R = "2.4.26-om"
FILES = {
    "boot/": b"",
    f"boot/vmlinuz-{R}": image(f"{R} (root@h) #1 Mon"),
    f"boot/System.map-{R}": b"map",
    f"lib/modules/{R}/": b"",
    f"lib/modules/{R}/kernel/net.o": b"net",
    f"lib/modules/{R}/pcmcia/net.o -> ../kernel/net.o": b"",
}


def members(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getnames()


def test_an_archive_is_read_with_build_and_sums(tmp_path: Path) -> None:
    found = bundle.load(archive(tmp_path / "k.tar", FILES), R)
    assert (found.release, found.build.built, found.has_initrd) == (R, "(root@h) #1 Mon", False)
    assert [name for name, _ in found.boot] == [f"System.map-{R}", f"vmlinuz-{R}"]
    names = members(found.archive)
    assert sorted(name.rstrip("/") for name in names) == sorted(
        name.split(" ->")[0].rstrip("/") for name in FILES
    )


def test_the_mark_depends_on_the_files_alone(tmp_path: Path) -> None:
    plain = bundle.load(archive(tmp_path / "k.tar", FILES), R)
    other = archive(tmp_path / "k.tar.xz", dict(reversed([(f"./{n}", d) for n, d in FILES.items()])), "w:xz")
    assert bundle.load(other, R).digest == plain.digest
    changed = FILES | {f"lib/modules/{R}/kernel/net.o": b"new"}
    assert bundle.load(archive(tmp_path / "c.tar", changed), R).digest != plain.digest


@pytest.mark.parametrize(
    "stranger",
    [
        {"etc/passwd": b""},
        {"boot/vmlinuz-2.4.27": b""},
        {f"lib/modules/{R}/../../../etc/passwd": b""},
        {"lib/modules/2.4.27/x.o": b""},
        {"/etc/passwd": b""},
        {f"boot/vmlinuz-{R} -> /etc/passwd": b""},
        {f"boot/initrd.img-{R} -> /etc/passwd": b""},
    ],
)
def test_an_archive_with_anything_else_is_refused(tmp_path: Path, stranger: dict[str, bytes]) -> None:
    with pytest.raises(EyrieError, match="kernel archive"):
        bundle.load(archive(tmp_path / "k.tar", FILES | stranger), R)


def test_another_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EyrieError, match=r"wanted boot/vmlinuz-2.4.27-om, the pool's kernel"):
        bundle.load(archive(tmp_path / "k.tar", FILES), "2.4.27-om")
    renamed = {"boot/vmlinuz-2.4.27-om": FILES[f"boot/vmlinuz-{R}"]}
    with pytest.raises(EyrieError, match=r"release of the kernel in .*found '2.4.26-om', wanted 2.4.27-om"):
        bundle.load(archive(tmp_path / "renamed.tar", renamed), "2.4.27-om")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for name, data in {"empty": b"", "text": b"x" * 2000}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(EyrieError, match="kernel archive"):
            bundle.load(tmp_path / name, R)
    whole = archive(tmp_path / "k.tar", FILES).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:1800])
    with pytest.raises(EyrieError, match="kernel archive"):
        bundle.load(tmp_path / "cut.tar", R)


def test_loose_files_become_an_archive(tmp_path: Path) -> None:
    (tmp_path / "bzImage").write_bytes(image(f"{R} (root@h) #1 Mon"))
    modules = tmp_path / "modules"
    (modules / "kernel").mkdir(parents=True)
    (modules / "kernel/net.o").write_bytes(b"net")
    (modules / "build").symlink_to("/usr/src/linux")
    made = bundle.assemble({"vmlinuz": tmp_path / "bzImage"}, modules, R)
    (tmp_path / "k.tar").write_bytes(made)
    found = bundle.load(tmp_path / "k.tar", R)
    assert found.boot[0][0] == f"vmlinuz-{R}"
    assert [name for name in members(made) if "build" in name] == []
