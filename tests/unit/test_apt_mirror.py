# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror is read from whatever form apt's configuration has."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyrie.apt_mirror import debian_mirror
from eyrie.errors import EyrieError

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
"""

READABLE = {
    "one line": ({"sources.list": "deb http://mirror.example/debian trixie main\n"}, None),
    "https and options": (
        {"sources.list": "deb [arch=amd64 signed-by=/k] https://mirror.example/debian/ trixie main # us"},
        "https://mirror.example/debian",
    ),
    "deb822": ({"sources.list.d/debian.sources": DEB822}, None),
    "deb822 with CRLF": ({"sources.list.d/debian.sources": DEB822.replace("\n", "\r\n")}, None),
    "deb822 with continued fields": (
        {
            "sources.list.d/a.sources": "Types: deb\nURIs:\n http://mirror.example/debian\nSuites: sid\n"
            "Components:\n main\n"
        },
        None,
    ),
    "source packages only are passed over": (
        {
            "sources.list": "deb-src http://src.example/debian trixie main\n"
            "deb http://mirror.example/debian trixie main\n"
        },
        None,
    ),
    "disabled stanza is passed over": (
        {
            "sources.list.d/a.sources": "Enabled: no\n" + DEB822.replace("mirror.example", "off.example"),
            "sources.list.d/b.sources": DEB822,
        },
        None,
    ),
    "commented line is passed over": (
        {
            "sources.list": "# deb http://off.example/debian trixie main\n"
            "deb http://mirror.example/debian trixie main"
        },
        None,
    ),
    "security and third parties are no mirror": (
        {
            "sources.list": "deb http://security.example/debian-security trixie-security main\n",
            "sources.list.d/a.list": "deb [signed-by=/k.gpg] https://tool.example/repo stable main\n"
            "deb https://tool.example/pg trixie-pgdg main\n",
            "sources.list.d/debian.sources": DEB822,
        },
        None,
    ),
    "files apt ignores are ignored": (
        {
            "sources.list.d/debian.sources": DEB822,
            "sources.list.d/aa.list.off": "deb http://off.example/debian trixie main",
        },
        None,
    ),
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return root


@pytest.mark.parametrize(("files", "mirror"), READABLE.values(), ids=READABLE)
def test_mirror_is_found(tmp_path: Path, files: dict[str, str], mirror: str | None) -> None:
    assert debian_mirror(write(tmp_path, files)) == (mirror or "http://mirror.example/debian")


def test_local_list_of_mirrors_is_followed(tmp_path: Path) -> None:
    mirrors = tmp_path / "mirrors" / "debian.list"
    source = DEB822.replace("http://mirror.example/debian/", f"mirror+file:{mirrors}")
    write(
        tmp_path,
        {
            "mirrors/debian.list": "# ours\nhttps://mirror.example/debian\tpriority:1\n",
            "sources.list.d/debian.sources": source,
        },
    )
    assert debian_mirror(tmp_path) == "https://mirror.example/debian"


UNREADABLE = {
    "nothing at all": ({}, "enabled `deb` source"),
    "only a medium": ({"sources.list": "deb cdrom:[Debian]/ trixie main"}, "enabled `deb` source"),
    "a list of mirrors over the net": (
        {"sources.list": "deb mirror+http://mirror.example/list trixie main"},
        r"mirror\+http://mirror.example/list",
    ),
    "only others' packages": (
        {"sources.list": "deb http://tool.example/debian nodistro main"},
        "enabled `deb` source",
    ),
}


@pytest.mark.parametrize(("files", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_missing_mirror_says_what_to_add(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(EyrieError, match=words) as caught:
        debian_mirror(write(tmp_path, files))
    assert "--mirror" in str(caught.value)
