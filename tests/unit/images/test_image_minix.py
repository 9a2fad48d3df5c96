# SPDX-License-Identifier: GPL-3.0-or-later
"""Minix v1: what is written is read back, util-linux finds nothing wrong with it, and damage is named."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_samples import empty_minix, filled_minix, minix_faults

from eyrie.errors import EyrieError
from eyrie.images import ImageFile, Remove, inject, open_image
from eyrie.images.minix import MinixFormat
from eyrie.images.minix.read import Reader


@pytest.fixture(scope="module", params=[14, 30])
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return empty_minix(tmp_path_factory.mktemp("minix") / "image", names=request.param)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return filled_minix(empty_minix(tmp_path_factory.mktemp("minix") / "image"))


def modes(image: MinixFormat) -> dict[str, tuple[int, int, int]]:
    return {member.path: (member.mode, member.uid, member.gid) for member in image.list()}


def test_files_keep_content_mode_and_owner(empty: bytes, tmp_path: Path) -> None:
    data = filled_minix(empty)
    assert minix_faults(data, tmp_path / "check") == ""
    image = MinixFormat(data)
    assert modes(image) == {
        "/": (0o40755, 0, 0),
        "/etc": (0o40755, 0, 0),
        "/etc/motd": (0o100644, 0, 0),
        "/etc/ssh": (0o40755, 0, 0),
        "/etc/ssh/key": (0o100600, 7, 8),
        "/bin": (0o40755, 0, 0),
        "/bin/sh": (0o104755, 0, 0),
        "/bin/ash": (0o120777, 0, 0),
        "/tmp": (0o41777, 0, 0),
    }
    assert image.extract("/etc/ssh/key") == b"k" * 3000
    assert image.extract("/bin/sh") == b"x" * 20_000
    assert next(member.target for member in image.list() if member.path == "/bin/ash") == "sh"


def test_replacing_keeps_mode_and_owner_unless_told(filled: bytes) -> None:
    image = MinixFormat(MinixFormat(filled).edited([ImageFile("/etc/ssh/key", data=b"new", must_exist=True)]))
    assert modes(image)["/etc/ssh/key"] == (0o100600, 7, 8)
    assert image.extract("/etc/ssh/key") == b"new"
    told = MinixFormat(MinixFormat(filled).edited([ImageFile("/etc/ssh/key", 0o644, 0, 0, b"new")]))
    assert modes(told)["/etc/ssh/key"] == (0o100644, 0, 0)


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 7 * 1024, 7 * 1024 + 1, 520 * 1024])
def test_every_size_class_comes_back(size: int, tmp_path: Path) -> None:
    empty = empty_minix(tmp_path / "image", blocks=1000)
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    data = MinixFormat(empty).edited([ImageFile("/big", data=content)])
    assert MinixFormat(data).extract("/big") == content
    assert minix_faults(data, tmp_path / "check") == ""
    gone = MinixFormat(data).edited([Remove("/big")])
    assert minix_faults(gone, tmp_path / "check") == ""
    # More than one byte: those of the image's times are anything.
    assert bytes(range(240, 251)) not in gone, "what was removed is still in the image"
    with pytest.raises(EyrieError, match="nothing of that name"):
        MinixFormat(gone).extract("/big")


def test_a_folder_grows_and_its_slots_are_used_again(tmp_path: Path) -> None:
    empty = empty_minix(tmp_path / "image", inodes=512)
    many = [ImageFile(f"/d/file{number}", data=b"") for number in range(400)]
    data = MinixFormat(empty).edited(many)
    assert minix_faults(data, tmp_path / "check") == ""
    assert len(MinixFormat(data).list()) == 402
    again = MinixFormat(data).edited([Remove("/d/file3"), ImageFile("/d/other")])
    assert next(m.size for m in MinixFormat(again).list() if m.path == "/d") == 402 * 32
    assert minix_faults(again, tmp_path / "check") == ""


def test_what_does_not_fit_is_refused_with_what_it_needs(filled: bytes) -> None:
    with pytest.raises(
        EyrieError, match=r"found '\d+ blocks of 1024 bytes and 55 inodes free.*wanted 501 blocks"
    ):
        MinixFormat(filled).edited([ImageFile("/big", data=b"x" * 500 * 1024)])
    with pytest.raises(EyrieError, match=r"and 55 inodes free.*wanted 0 blocks and 56 inodes"):
        MinixFormat(filled).edited([ImageFile(f"/tmp/{number}") for number in range(56)])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (ImageFile("/etc/" + "n" * 31), "at most 30, as this Minix image holds"),
        (ImageFile("/etc/a", uid=65536), "at most 65535:255"),
        (ImageFile("/etc/a", gid=256), "at most 65535:255"),
    ],
)
def test_what_the_format_cannot_express_is_refused(filled: bytes, change: ImageFile, sentence: str) -> None:
    with pytest.raises(EyrieError, match=sentence):
        MinixFormat(filled).edited([change])


def test_injecting_into_gzip_leaves_the_source_alone_and_is_reproducible(
    filled: bytes, tmp_path: Path
) -> None:
    source = tmp_path / "root.gz"
    source.write_bytes(gzip.compress(filled))
    before = source.read_bytes()
    files = [ImageFile("/etc/openmosix.map", 0o644, 0, 0, b"1 10.0.0.1 4\n")]
    inject(source, tmp_path / "one", files)
    inject(source, tmp_path / "two", files)
    assert source.read_bytes() == before
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes()[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
    assert open_image(tmp_path / "one").extract("/etc/openmosix.map") == b"1 10.0.0.1 4\n"
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600


def test_the_source_is_never_the_target(filled: bytes, tmp_path: Path) -> None:
    source, alias = tmp_path / "root", tmp_path / "alias"
    source.write_bytes(filled)
    alias.symlink_to(source)
    for target in (source, alias):
        with pytest.raises(EyrieError, match="never changed in place"):
            inject(source, target, [ImageFile("/a")])
    assert source.read_bytes() == filled


@pytest.mark.parametrize("length", [0, 100, 1500, 2048, 100_000, 360 * 1024 - 1])
def test_a_truncated_image_is_refused(filled: bytes, length: int, tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(filled[:length])
    with pytest.raises(EyrieError, match="cut"):
        open_image(tmp_path / "cut")
    packed = gzip.compress(filled)
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) * length // len(filled)])
    with pytest.raises(EyrieError, match="cut"):
        open_image(tmp_path / "cut.gz")


def put_inode(reader: Reader, path: str, **facts: object) -> bytes:
    """Return the image with other facts in a file's inode."""
    data, number = bytearray(reader.data), reader.names[path]
    at = reader.super.inode_table + (number - 1) * 32
    data[at : at + 32] = dataclasses.replace(reader.inode(number), **facts).packed()  # type: ignore[arg-type]
    return bytes(data)


def test_what_would_make_changes_dangerous_is_named(filled: bytes) -> None:
    reader = Reader(filled)
    motd, key = (reader.inode(reader.names[path]) for path in ("/etc/motd", "/etc/ssh/key"))
    free = bytearray(filled)
    free[2048 + reader.names["/etc/motd"] // 8] &= ~(1 << reader.names["/etc/motd"] % 8)
    zone = motd.zones[0] - reader.super.first_zone + 1
    unmarked = bytearray(filled)
    unmarked[reader.super.zone_map + zone // 8] &= ~(1 << zone % 8)
    for data, sentence in (
        (
            put_inode(reader, "/etc/ssh/key", zones=motd.zones),
            r"zone \d+ of /etc/ssh/key.*belongs to /etc/motd too",
        ),
        (bytes(free), r"inode \d+ of /etc/motd: found 'marked as free'"),
        (bytes(unmarked), r"zone \d+ of /etc/motd: found 'marked as free'"),
        (put_inode(reader, "/etc/motd", links=2), "link count of /etc/motd: found 2"),
        (put_inode(reader, "/etc/motd", mode=0o50644), "mode of /etc/motd"),
        (put_inode(reader, "/etc/motd", size=1 << 30), "size of /etc/motd"),
        (
            put_inode(reader, "/etc/ssh/key", zones=(*key.zones[:2], 9999, *key.zones[3:])),
            "zone number: found 9999",
        ),
        (put_inode(reader, "/etc", size=33), "size of folder /etc"),
    ):
        with pytest.raises(EyrieError, match=sentence):
            MinixFormat(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(1024, 9 * 1024), st.integers(0, 255)), min_size=1, max_size=8))
def test_damage_is_named_or_harmless(filled: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(filled)
    for position, value in changes:
        data[position] = value
    try:
        image = MinixFormat(bytes(data))
        for member in image.list():
            if member.mode & 0o170000 == 0o100000:
                image.extract(member.path)
        MinixFormat(image.edited([ImageFile("/etc/new", data=b"x" * 9000), Remove("/bin/ash")]))
    except EyrieError as error:
        assert error.wanted
