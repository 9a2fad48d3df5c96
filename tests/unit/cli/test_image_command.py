# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie image`: every verb on one small archive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyrie.cli.image import app
from eyrie.errors import EyrieError
from eyrie.images.cpio.archive import MAGICS, Record, Segment


@pytest.fixture
def image(tmp_path: Path) -> Path:
    motd = Record(MAGICS[0], 1, 0o100640, 7, 8, 1, 0, (0, 0), (0, 0), b"motd", b"hello\n")
    node = Record(MAGICS[0], 2, 0o20666, 0, 0, 1, 0, (0, 0), (1, 3), b"null", b"")
    (tmp_path / "image").write_bytes(Segment(False, [[motd, node]], None).packed())
    return tmp_path / "image"


def eyrie(*words: object, given: bytes = b"") -> bytes:
    done = CliRunner().invoke(app, [str(word) for word in words], input=given, catch_exceptions=True)
    if isinstance(done.exception, EyrieError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


def test_list_prints_a_line_a_file(image: Path) -> None:
    assert eyrie("list", image) == b"-rw-r----- 7:8 6 /motd\ncrw-rw-rw- 0:0 1, 3 /null\n"
    told = json.loads(eyrie("list", "--json", image))
    assert told["format"] == "cpio newc"
    assert told["files"][0] == {
        "path": "/motd",
        "mode": "100640",
        "uid": 7,
        "gid": 8,
        "size": 6,
        "mtime": 0,
        "target": "",
        "device": None,
    }


def test_a_file_is_added_replaced_extracted_and_removed(image: Path, tmp_path: Path) -> None:
    one, two, three = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    eyrie("add", image, "/a/b", "-", "-o", one, "--mode", "0600", "--owner", "3:4", given=b"\0\xffx")
    assert eyrie("extract", one, "/a/b") == b"\0\xffx"
    assert b"-rw------- 3:4 3 /a/b" in eyrie("list", one)
    (tmp_path / "new").write_bytes(b"new")
    eyrie("replace", one, "/motd", tmp_path / "new", "-o", two)
    assert b"-rw-r----- 7:8 3 /motd" in eyrie("list", two)
    eyrie("remove", two, "/a/b", "/a", "-o", three)
    assert b"/a" not in eyrie("list", three)
    eyrie("extract", three, "/motd", "-o", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"new"


def test_folders_and_symlinks_are_added(image: Path, tmp_path: Path) -> None:
    eyrie("add", image, "/tmp", "--directory", "--mode", "1777", "-o", tmp_path / "1")
    eyrie("add", tmp_path / "1", "/tmp/link", "--symlink", "../motd", "-o", tmp_path / "2")
    assert b"drwxrwxrwt 0:0 0 /tmp\nlrwxrwxrwx 0:0 7 /tmp/link -> ../motd\n" in eyrie("list", tmp_path / "2")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "IMAGE", "/motd", "-"], "replace it"),
        (["add", "IMAGE", "/x"], "exactly one of"),
        (["add", "IMAGE", "/x", "-", "--mode", "rw"], "octal digits"),
        (["add", "IMAGE", "/x", "-", "--mode", "77777"], "octal digits"),
        (["add", "IMAGE", "/x", "-", "--owner", "root"], "two numbers"),
        (["replace", "IMAGE", "/x", "-"], "nothing of that name"),
        (["replace", "IMAGE", "/motd", "/no/such/file"], "No such file"),
        (["remove", "IMAGE", "/x"], "nothing of that name"),
        (["remove", "IMAGE", "/../x"], "without '..'"),
    ],
)
def test_what_cannot_be_done_is_said(image: Path, tmp_path: Path, words: list[str], sentence: str) -> None:
    with pytest.raises(EyrieError, match=sentence):
        eyrie(*(word.replace("IMAGE", str(image)) for word in words), "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over_the_image(image: Path) -> None:
    before = image.read_bytes()
    for words in (["remove", image, "/motd"], ["extract", image, "/motd"]):
        with pytest.raises(EyrieError, match="the image itself"):
            eyrie(*words, "-o", image)
    assert image.read_bytes() == before
