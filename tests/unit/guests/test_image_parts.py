# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts a guest image is made with: packages, modules, archives, manifest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.guests.image import cpio
from eyrie.guests.image.kernel import initramfs, load_order
from eyrie.guests.image.packages import Package, closure, parse_control, parse_plan
from eyrie.guests.image.recipe import (
    ARTEFACTS,
    DEFAULT_EPOCH,
    Recipe,
    epoch_from_environment,
    read_image,
    write_manifest,
)
from eyrie.guests.image.unpack import is_library, is_wanted, merged

SIMULATION = """\
NOTE: This is only a simulation!
Inst gcc-14-base (14.2.0-19 Debian:13.6/stable [amd64])
Inst busybox-static (1:1.37.0-6+b9 Debian:13.6/stable [amd64])
Inst libgcc-s1 (14.2.0-19 Debian:13.6/stable [amd64]) []
Inst x11-common (1:7.7+24+deb13u1 Debian:13.6/stable, Debian-Security:13/stable [all])
Conf gcc-14-base (14.2.0-19 Debian:13.6/stable [amd64])
"""


def test_plan_of_apt_is_read() -> None:
    assert parse_plan(SIMULATION) == [
        "busybox-static_1%3a1.37.0-6+b9_amd64.deb",
        "gcc-14-base_14.2.0-19_amd64.deb",
        "libgcc-s1_14.2.0-19_amd64.deb",
        "x11-common_1%3a7.7+24+deb13u1_all.deb",
    ]


def test_control_is_read() -> None:
    package = parse_control(
        "Package: nftables\nVersion: 1.1.3-1\n"
        "Pre-Depends: dpkg (>= 1.20)\nDepends: libc6 (>= 2.38), a:any | b [amd64], libedit2\n"
        "Provides: nft (= 1), x\n",
        Path("n.deb"),
    )
    assert package.needs == (("dpkg",), ("libc6",), ("a", "b"), ("libedit2",))
    assert package.provides == {"nft", "x"}


def named(name: str, needs: str = "", provides: str = "") -> Package:
    return Package(
        name, "1", Path(name), tuple((each,) for each in needs.split()), frozenset(provides.split())
    )


def test_closure_follows_provides_and_cycles_and_ignores_what_was_not_fetched() -> None:
    known = [
        named("app", "lib virtual absent"),
        named("lib", "app"),
        named("real", "", "virtual"),
        named("other"),
    ]
    assert closure(["app"], {each.name: each for each in known}) == {"app", "lib", "real"}
    assert closure([], {each.name: each for each in known}) == set()


def test_modules_are_ordered() -> None:
    needs = {"net": ["failover"], "failover": ["core"], "core": [], "blk": ["core"]}
    assert load_order(["net", "blk"], needs) == ["core", "failover", "net", "blk"]


@given(st.dictionaries(st.integers(0, 20), st.frozensets(st.integers(0, 20)), min_size=1))
def test_every_module_comes_after_what_it_needs(graph: dict[int, frozenset[int]]) -> None:
    needs = {str(a): [str(b) for b in others if b < a and b in graph] for a, others in graph.items()}
    order = load_order(needs, needs)
    assert sorted(order) == sorted(needs)
    assert all(order.index(other) < order.index(name) for name in needs for other in needs[name])


def test_the_archive_is_what_cpio_reads(tmp_path: Path) -> None:
    archive = initramfs(b"BUSYBOX", b"#!init", {"virtio_blk": b"elf"}, DEFAULT_EPOCH)
    listing = subprocess.run(["cpio", "-itvn", "--quiet"], input=archive, capture_output=True, check=True)
    lines = {line.split(maxsplit=8)[8]: line.split() for line in listing.stdout.decode().splitlines()}
    assert lines["init"][0] == "-rwxr-xr-x"
    assert lines["bin/sh -> busybox"][0] == "lrwxrwxrwx"
    assert {tuple(words[2:4]) for words in lines.values()} == {("0", "0")}
    subprocess.run(["cpio", "-idm", "--quiet"], input=archive, cwd=tmp_path, check=True)
    assert (tmp_path / "modules/order").read_text() == "virtio_blk.ko\n"
    assert (tmp_path / "bin/busybox").read_bytes() == b"BUSYBOX"
    assert (tmp_path / "init").stat().st_mtime == DEFAULT_EPOCH


def test_the_archive_depends_on_its_content_only() -> None:
    one = cpio.archive([cpio.file("a", b"x")], 5)
    assert one == cpio.archive([cpio.file("a", b"x")], 5)
    assert one != cpio.archive([cpio.file("a", b"x")], 6)
    assert len(one) % 4 == 0


@pytest.mark.parametrize(
    ("path", "library", "wanted"),
    [
        ("usr/lib/x86_64-linux-gnu/libc.so.6", True, True),
        ("usr/lib/libcondor_utils_23_9_6.so", True, True),
        ("usr/share/doc/condor/copyright", False, False),
        ("usr/share/man/man1/povray.1.gz", False, False),
        ("usr/share/povray-3.7/include/colors.inc", False, True),
        ("usr/lib/systemd/system/condor.service", False, False),
    ],
)
def test_what_is_unpacked(path: str, library: bool, wanted: bool) -> None:
    assert (is_library(path), is_wanted(path)) == (library, wanted)


def test_paths_of_before_the_usr_merge() -> None:
    assert merged("lib64/ld-linux-x86-64.so.2") == "usr/lib64/ld-linux-x86-64.so.2"
    assert merged("usr/bin/x") == "usr/bin/x"


@pytest.mark.parametrize("name", ["", "../x", "a b", "povray;id", "Povray", "-o"])
def test_package_names_are_checked(name: str) -> None:
    with pytest.raises(EyrieError, match="package of the guest image"):
        Recipe((name,))


def test_the_recipe_names_the_image_whatever_the_order(tmp_path: Path) -> None:
    assert Recipe(("b-package", "a-package", "b-package")).hash() == Recipe(("a-package", "b-package")).hash()
    assert Recipe(("a-package",)).hash() != Recipe().hash()
    assert Recipe(epoch=1).hash() != Recipe().hash()
    (tmp_path / "file").write_text("one")
    first = Recipe(overlay=tmp_path).hash()
    (tmp_path / "file").write_text("two")
    assert len({first, Recipe(overlay=tmp_path).hash(), Recipe().hash()}) == 3


@pytest.mark.parametrize(("text", "epoch"), [(None, DEFAULT_EPOCH), ("0", 0), ("1700000000", 1700000000)])
def test_epoch(monkeypatch: pytest.MonkeyPatch, text: str | None, epoch: int) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    if text is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    assert epoch_from_environment() == epoch


@pytest.mark.parametrize("text", ["", "yesterday", "-1", "4294967296"])
def test_bad_epoch(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(EyrieError, match="SOURCE_DATE_EPOCH"):
        epoch_from_environment()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    for name in ARTEFACTS:
        (tmp_path / name).write_bytes(name.encode())
    write_manifest(tmp_path, "6.12", ("povray",), {"povray": "3.7", "condor": "23.9"})
    return tmp_path


def test_a_whole_image_is_read(image: Path) -> None:
    read = read_image(image)
    assert len(read.image_id) == 64
    assert list(read.manifest["packages"]) == ["condor", "povray"]
    assert read.manifest["artefacts"]["vmlinuz"]["size"] == len("vmlinuz")


@pytest.mark.parametrize("name", ARTEFACTS)
def test_a_damaged_image_is_told(image: Path, name: str) -> None:
    (image / name).write_bytes(b"flipped")
    with pytest.raises(EyrieError, match=f"{name}.*eyrie guest build"):
        read_image(image)


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({"artefacts": {"vmlinuz": 1}})])
def test_a_broken_manifest_is_told(image: Path, text: str) -> None:
    (image / "manifest.json").write_text(text)
    with pytest.raises(EyrieError, match=r"manifest\.json"):
        read_image(image)


def test_a_missing_file_is_told(image: Path) -> None:
    (image / "root.squashfs").unlink()
    with pytest.raises(EyrieError, match="no such file"):
        read_image(image)
