# SPDX-License-Identifier: GPL-3.0-or-later
"""The openMosix tools brought onto a genuine node that lost them: its own programs, packed by a site."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eyrie.images import open_image
from eyrie.lab.node_choice import RAMDISK

if TYPE_CHECKING:
    from tests.live.conftest import Site

pytestmark = pytest.mark.timeout(600)

NODE = "node-4"
VERSION = "0.3.6-2"
PROGRAMS = ("setpe", "mosctl", "mosrun", "migrate")
AWAY = "/tmp/own-tools"


def archive(path: Path, folder: str, programs: tuple[str, ...] = PROGRAMS) -> Path:
    """Pack the ramdisk's own programs."""
    image = open_image(Path(os.environ[RAMDISK]))
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for name in programs:
            data = image.extract(f"/sbin/{name}")
            member = tarfile.TarInfo(f"{folder}{name}")
            member.size, member.mode = len(data), 0o755
            tar.addfile(member, io.BytesIO(data))
    return path


def bring(site: Site, source: Path, *more: str, sha256: str = "") -> tuple[int, str]:
    """Let the action bring an archive; return its exit status and what it said."""
    known = sha256 or hashlib.sha256(source.read_bytes()).hexdigest()
    words = " ".join((f"src={source}", f"sha256={known}", f"version={VERSION}"))
    done = site.module(NODE, "openmosix_programs", "-a", words, *more)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def bare(site: Site) -> Iterator[Site]:
    """A node without tools; it gets its own back."""
    names = " ".join(PROGRAMS)
    site.sh(NODE, f"setpe -off; mkdir -p {AWAY}; cd /sbin; for p in {names}; do mv $p {AWAY}/; done")
    yield site
    site.sh(NODE, f"cp -p {AWAY}/* /sbin/ && rm -rf {AWAY} /etc/openmosix.tools")


def test_programs_are_brought_once(bare: Site, tmp_path: Path) -> None:
    packed = archive(tmp_path / "tools.tgz", "sbin/")
    status, said = bring(bare, packed, sha256="0" * 64)
    assert (status, "wanted " + "0" * 64 in said) == (2, True)
    status, said = bring(bare, packed, "--check")
    assert (status, "CHANGED" in said) == (0, True), said
    assert bare.sh(NODE, "ls /sbin/setpe 2>/dev/null; true") == ""
    status, said = bring(bare, packed)
    assert (status, "CHANGED" in said) == (0, True), said
    assert "disabled" in bare.sh(NODE, "setpe -r 2>&1; true").lower() or bare.sh(
        NODE, "mosctl whois 2>&1; true"
    )
    status, said = bring(bare, packed)
    assert (status, "CHANGED" in said) == (0, False), said


def test_an_archive_that_lacks_a_program_is_no_tools(bare: Site, tmp_path: Path) -> None:
    status, said = bring(bare, archive(tmp_path / "tools.tgz", "sbin/", PROGRAMS[:3]))
    assert (status, "the archive brought no migrate" in said) == (2, True), said
    assert bare.sh(NODE, "cat /etc/openmosix.tools 2>/dev/null; true") == ""


def test_a_source_is_built_in_its_folder_on_the_node(bare: Site, tmp_path: Path) -> None:
    """A genuine node has no compiler: copying stands for one here."""
    packed = archive(tmp_path / "tools.tgz", "openmosix-tools-0.3.6-2/")
    known = hashlib.sha256(packed.read_bytes()).hexdigest()
    words = f"src={packed} sha256={known} version={VERSION} build_command='cp -p * /sbin/'"
    done = bare.module(NODE, "openmosix_programs", "-a", words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert bare.sh(NODE, "cat /etc/openmosix.tools; ls /usr/src 2>/dev/null; true") == VERSION
