# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner: what a wish becomes, and what it refuses."""

from __future__ import annotations

import pytest

from eyrie.errors import EyrieError
from eyrie.images import ImageFile, Member, Remove
from eyrie.images.model import Change
from eyrie.images.plan import Attributes, Make, Unlink, plan

MEMBERS = (
    Member("/", 0o40755, 0, 0, 0, 0),
    Member("/etc", 0o40755, 0, 0, 0, 0),
    Member("/etc/motd", 0o100600, 1, 2, 3, 0),
    Member("/conf", 0o120777, 0, 0, 3, 0, target="etc"),
    Member("/here", 0o120777, 0, 0, 9, 0, target="conf/motd"),
    Member("/loop", 0o120777, 0, 0, 4, 0, target="loop"),
    Member("/null", 0o20666, 0, 0, 0, 0, device=(1, 3)),
)


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ([], ()),
        ([Remove("/etc/motd")], (Unlink("/etc/motd"),)),
        ([Remove("/conf")], (Unlink("/conf"),)),
        ([Remove("/etc/motd"), Remove("/etc")], (Unlink("/etc/motd"), Unlink("/etc"))),
        ([ImageFile("//etc/./new", data=b"x")], (Make("/etc/new", 0o100644, 0, 0, b"x"),)),
        (
            [ImageFile("/etc/motd", data=b"x")],
            (Unlink("/etc/motd"), Make("/etc/motd", 0o100600, 1, 2, b"x")),
        ),
        (
            [ImageFile("/a/b/c", 0o600, 5, 6, b"x")],
            (
                Make("/a", 0o40755, 0, 0, b""),
                Make("/a/b", 0o40755, 0, 0, b""),
                Make("/a/b/c", 0o100600, 5, 6, b"x"),
            ),
        ),
        ([ImageFile("/etc", 0o40700)], (Attributes("/etc", 0o40700, 0, 0),)),
        ([ImageFile("/etc", 0o40755)], ()),
        (
            [ImageFile("/conf", 0o120000, data=b"lib")],
            (Unlink("/conf"), Make("/conf", 0o120777, 0, 0, b"lib")),
        ),
    ],
)
def test_wishes_become_steps(changes: list[Change], steps: tuple[object, ...]) -> None:
    assert plan(MEMBERS, changes) == steps


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (ImageFile("/conf/motd"), "through the symlink /conf.*Next: name /etc/motd"),
        (Remove("/conf/motd"), "through the symlink /conf.*Next: name /etc/motd"),
        (ImageFile("/here"), "a symlink to conf/motd.*Next: write /etc/motd, or remove the symlink"),
        (ImageFile("/loop/x"), "loop of symlinks"),
        (ImageFile("/etc/motd/x"), "found 'a regular file', wanted a folder"),
        (ImageFile("/etc"), "found 'a folder', wanted a regular file"),
        (ImageFile("/null"), "found 'a character device', wanted a regular file"),
        (ImageFile("/new", 0o20666), "found 'a character device', wanted a file, folder or symlink"),
        (ImageFile("/new", 0o120777), "wanted a symlink's target"),
        (ImageFile("/new", uid=-1), "wanted numbers from 0"),
        (ImageFile("/etc/motd", must_exist=False), "it exists.*replace it instead"),
        (ImageFile("/etc/new", must_exist=True), "nothing of that name"),
        (Remove("/etc"), "a folder that holds files"),
        (Remove("/"), "not the root itself"),
        (Remove("/etc/../etc/motd"), "without '..'"),
        (ImageFile("/a\nb"), "line ends"),
    ],
)
def test_what_cannot_be_is_refused(change: Change, sentence: str) -> None:
    with pytest.raises(EyrieError, match=sentence):
        plan(MEMBERS, [change])
