# SPDX-License-Identifier: GPL-3.0-or-later
"""cpio: read what GNU cpio writes, write what it reads, in one archive or several."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.images import ImageFile, Remove, inject, open_image
from eyrie.images.cpio import CpioFormat


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An archive by GNU cpio: folders, a hard link, a symlink, a pipe."""
    tree = tmp_path_factory.mktemp("tree")
    (tree / "etc").mkdir(mode=0o750)
    (tree / "etc/motd").write_bytes(b"hello\n")
    (tree / "etc/motd").chmod(0o640)
    (tree / "etc/again").hardlink_to(tree / "etc/motd")
    (tree / "link").symlink_to("etc/motd")
    os.mkfifo(tree / "pipe", 0o600)
    return cpio(["-o", "-H", "newc", "-R", "7:8"], b"etc\netc/motd\netc/again\nlink\npipe\n", tree)


def cpio(options: list[str], given: bytes, folder: Path) -> bytes:
    command = ["cpio", "--quiet", *options]
    return subprocess.run(command, input=given, capture_output=True, check=True, cwd=folder).stdout


def unpacked(archive: bytes, folder: Path) -> Path:
    folder.mkdir()
    cpio(["-i", "-d", "--no-preserve-owner"], archive, folder)
    return folder


def test_what_gnu_cpio_wrote_is_listed(packed: bytes) -> None:
    found = {m.path: (oct(m.mode), m.uid, m.gid, m.size, m.target) for m in CpioFormat(packed).list()}
    assert found == {
        "/etc": ("0o40750", 7, 8, 0, ""),
        "/etc/again": ("0o100640", 7, 8, 6, ""),
        "/etc/motd": ("0o100640", 7, 8, 6, ""),
        "/link": ("0o120777", 7, 8, 8, "etc/motd"),
        "/pipe": ("0o10600", 7, 8, 0, ""),
    }
    assert CpioFormat(packed).extract("/etc/motd") == b"hello\n"


def test_gnu_cpio_unpacks_what_was_added(packed: bytes, tmp_path: Path) -> None:
    changes = [ImageFile("/root/.ssh", 0o40700), ImageFile("/root/.ssh/keys", 0o600, data=b"key")]
    tree = unpacked(CpioFormat(packed).edited(changes), tmp_path / "tree")
    assert (tree / "root/.ssh/keys").read_bytes() == b"key"
    assert (tree / "root/.ssh").stat().st_mode & 0o777 == 0o700
    assert (tree / "etc/motd").read_bytes() == b"hello\n"


@pytest.mark.parametrize("gone, left", [("motd", "again"), ("again", "motd")])
def test_a_hard_links_other_name_keeps_the_content(
    packed: bytes, gone: str, left: str, tmp_path: Path
) -> None:
    changed = CpioFormat(packed).edited([Remove(f"/etc/{gone}")])
    assert (unpacked(changed, tmp_path / "tree") / "etc" / left).read_bytes() == b"hello\n"
    replaced = CpioFormat(packed).edited([ImageFile(f"/etc/{gone}", data=b"new")])
    assert CpioFormat(replaced).extract(f"/etc/{left}") == b"hello\n"
    assert CpioFormat(replaced).extract(f"/etc/{gone}") == b"new"


def test_of_several_archives_the_last_counts_and_the_first_stays(packed: bytes, tmp_path: Path) -> None:
    second = CpioFormat(packed).edited([ImageFile("/etc/motd", data=b"second")])
    both = packed + b"\0" * 8 + gzip.compress(second)
    (tmp_path / "both").write_bytes(both)
    image = open_image(tmp_path / "both")
    assert image.format == "cpio newc, 2 archives, gzip"
    assert image.extract("/etc/motd") == b"second"
    inject(tmp_path / "both", tmp_path / "out", [ImageFile("/etc/new", data=b"n")])
    out = (tmp_path / "out").read_bytes()
    assert out.startswith(packed + b"\0" * 8)
    assert open_image(tmp_path / "out").extract("/etc/new") == b"n"
    gone = CpioFormat(out).edited([Remove("/etc/motd")])
    assert "/etc/motd" not in [member.path for member in CpioFormat(gone).list()]


def test_the_same_changes_give_the_same_bytes(packed: bytes) -> None:
    changes = [ImageFile("/a/b", data=b"x"), Remove("/pipe")]
    assert CpioFormat(packed).edited(changes) == CpioFormat(packed).edited(changes)
    assert CpioFormat(packed).edited([]) == packed


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: data[:50], "truncated"),
        (lambda data: data[: data.index(b"hello")], "truncated"),
        (lambda data: data[: data.index(b"TRAILER") - 110], "wanted 070701 or 070702"),
        (lambda data: data + b"\xfd7zXZ\0rest", "packed with xz"),
        (lambda data: data.replace(b"etc/motd", b"../tc/md"), r"without NUL and '\.\.'"),
    ],
)
def test_damage_is_named(packed: bytes, damage: object, sentence: str) -> None:
    with pytest.raises(EyrieError, match=sentence):
        CpioFormat(damage(packed))  # type: ignore[operator]


def test_a_name_too_long_is_refused(packed: bytes) -> None:
    with pytest.raises(EyrieError, match="at most 255 a name"):
        CpioFormat(packed).edited([ImageFile("/" + "n" * 256)])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_is_named_or_harmless(packed: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(packed)
    for position, value in changes:
        data[position % len(data)] = value
    try:
        image = CpioFormat(bytes(data))
        CpioFormat(image.edited([ImageFile("/etc/new", data=b"x")])).list()
    except EyrieError as error:
        assert error.thing
