# SPDX-License-Identifier: GPL-3.0-or-later
"""ext2/3/4 through e2fsprogs: odd names, modes and owners, room, damage."""

from __future__ import annotations

import gzip
import random
import subprocess
from pathlib import Path

import pytest
from image_samples import empty_ext

from eyrie.errors import EyrieError
from eyrie.images import ImageFile, Remove, inject, open_image
from eyrie.images.ext.superblock import read_super

ODD = '/odd dir/it\'s "quoted" <2> $(x) \\ ü'
FILES = [
    ImageFile("/etc/motd", 0o640, 7, 70_000, b"hello\n"),
    ImageFile("/bin/ash", 0o120777, data=b"busybox"),
    ImageFile("/bin/far", 0o120777, data=b"/a" * 50),
    ImageFile("/tmp", 0o41777),
    ImageFile(ODD, 0o4755, 0, 0, b"\0\xff" * 2000),
]


@pytest.fixture(scope="module")
def ext2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ext")
    empty_ext(folder / "empty", "ext2")
    inject(folder / "empty", folder / "image", FILES)
    return folder / "image"


def listing(image: Path) -> dict[str, tuple[str, int, int, str]]:
    members = open_image(image).list()
    return {m.path: (oct(m.mode), m.uid, m.gid, m.target) for m in members if m.path != "/lost+found"}


def test_files_keep_content_mode_and_owner_under_any_name(ext2: Path) -> None:
    assert listing(ext2) == {
        "/": ("0o40755", 0, 0, ""),
        "/etc": ("0o40755", 0, 0, ""),
        "/etc/motd": ("0o100640", 7, 70_000, ""),
        "/bin": ("0o40755", 0, 0, ""),
        "/bin/ash": ("0o120777", 0, 0, "busybox"),
        "/bin/far": ("0o120777", 0, 0, "/a" * 50),
        "/tmp": ("0o41777", 0, 0, ""),
        "/odd dir": ("0o40755", 0, 0, ""),
        ODD: ("0o104755", 0, 0, ""),
    }
    assert open_image(ext2).extract(ODD) == b"\0\xff" * 2000
    assert open_image(ext2).format == "ext2"


@pytest.mark.parametrize("kind", ["ext3", "ext4"])
def test_the_whole_family_is_understood_and_reproducible(kind: str, tmp_path: Path) -> None:
    empty_ext(tmp_path / "plain", kind, kib=4096)
    (tmp_path / "empty").write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    before = (tmp_path / "empty").read_bytes()
    inject(tmp_path / "empty", tmp_path / "one", FILES)
    inject(tmp_path / "empty", tmp_path / "two", FILES)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "empty").read_bytes() == before
    image = gzip.decompress((tmp_path / "one").read_bytes())
    assert read_super(image, len(image)).written == 1_000_000_000, "the clock is the image's, not today's"
    assert open_image(tmp_path / "one").format == f"{kind}, gzip"
    assert open_image(tmp_path / "one").extract("/etc/motd") == b"hello\n"


def test_replaced_and_removed_files_leave_a_sound_file_system(ext2: Path, tmp_path: Path) -> None:
    changes = [ImageFile("/etc/motd", data=b"new"), Remove("/bin/ash"), Remove("/bin/far"), Remove("/bin")]
    open_image(ext2).save(changes, tmp_path / "out")
    found = listing(tmp_path / "out")
    assert found["/etc/motd"] == ("0o100640", 7, 70_000, "")
    assert "/bin" not in found
    check = ["/usr/sbin/e2fsck", "-fn", str(tmp_path / "out")]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0


def test_what_does_not_fit_is_refused_with_what_it_needs(ext2: Path, tmp_path: Path) -> None:
    with pytest.raises(
        EyrieError, match=r"found '\d+ blocks of 1024 bytes .* wanted 2000 blocks and 1 inodes"
    ):
        inject(ext2, tmp_path / "out", [ImageFile("/big", data=b"x" * 2_048_000)])
    with pytest.raises(EyrieError, match=r"wanted 0 blocks and 64 inodes"):
        inject(ext2, tmp_path / "out", [ImageFile(f"/tmp/{number}") for number in range(64)])
    with pytest.raises(EyrieError, match="at most 255"):
        inject(ext2, tmp_path / "out", [ImageFile("/" + "n" * 256)])
    assert list(tmp_path.iterdir()) == []


def test_an_image_to_be_recovered_or_truncated_is_refused(ext2: Path, tmp_path: Path) -> None:
    data = bytearray(ext2.read_bytes())
    (tmp_path / "cut").write_bytes(data[:-1024])
    with pytest.raises(EyrieError, match="truncated"):
        open_image(tmp_path / "cut")
    data[1024 + 96] |= 4
    (tmp_path / "journal").write_bytes(data)
    with pytest.raises(EyrieError, match="journal that was never played back"):
        open_image(tmp_path / "journal")


@pytest.mark.parametrize("seed", range(6))
def test_damage_is_named_or_harmless(ext2: Path, seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    data = bytearray(ext2.read_bytes())
    for _ in range(30):
        data[dice.randrange(1024, 60_000)] = dice.randrange(256)
    (tmp_path / "image").write_bytes(data)
    try:
        open_image(tmp_path / "image").list()
        inject(tmp_path / "image", tmp_path / "out", [ImageFile("/etc/new", data=b"x")])
    except EyrieError as error:
        assert "image" in error.thing
