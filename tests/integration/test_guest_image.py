# SPDX-License-Identifier: GPL-3.0-or-later
"""Real images: the same bytes each time, small, whole, and built again when the cache is damaged."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_place import require_tools

from eyrie.apt_mirror import debian_mirror
from eyrie.artefacts.file_set import digest as file_digest
from eyrie.guests.image.build import build_image, copy_image
from eyrie.guests.image.recipe import ARTEFACTS, GuestImage, Recipe, cache_root

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def image() -> GuestImage:
    require_tools()
    return build_image(Recipe(), debian_mirror)


@pytest.fixture
def kept(image: GuestImage, tmp_path: Path) -> Iterator[GuestImage]:
    """The cached image, put back as it was whatever a test does to it; its copy is `tmp_path / "kept"`."""
    copy = copied(image, tmp_path / "kept")
    yield image
    copy_image(copy, image.directory)


def test_the_image_is_small_and_holds_no_daemon_but_the_engine(image: GuestImage) -> None:
    assert sum((image.directory / name).stat().st_size for name in ARTEFACTS) <= 25_000_000
    squashfs = str(image.directory / "root.squashfs")
    listing = subprocess.run(
        ["unsquashfs", "-lln", squashfs], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split() for line in listing.splitlines() if "squashfs-root" in line]
    paths = {words[5].removeprefix("squashfs-root") for words in lines}
    assert {"/usr/sbin/condor_startd", "/usr/sbin/init", "/etc/eyrie/engine.sh"} <= paths
    for unwanted in ("sshd", "dbus-daemon", "systemd", "condor_master", "condor_schedd", "python3"):
        assert not [path for path in paths if path.endswith(f"/{unwanted}")]
    assert not [
        path for path in paths if path.startswith(("/usr/share/man", "/usr/share/doc", "/usr/share/locale"))
    ]
    assert not [words for words in lines if "s" in words[0].lower()[1:]], "a program with the set-user-id bit"


def test_a_damaged_cache_is_noticed_and_the_same_inputs_make_the_same_bytes(
    kept: GuestImage, tmp_path: Path
) -> None:
    repaired = built_over_a_damage(kept)
    if repaired.manifest["packages"] != kept.manifest["packages"]:  # the archive has newer ones by now
        kept = copied(repaired, tmp_path / "newer")
        repaired = built_over_a_damage(repaired)
    else:
        kept = GuestImage(tmp_path / "kept", kept.image_id, kept.manifest)
    assert repaired.image_id == kept.image_id
    for name in ARTEFACTS:
        assert file_digest(repaired.directory / name) == file_digest(kept.directory / name), name


def built_over_a_damage(image: GuestImage) -> GuestImage:
    with (image.directory / "root.squashfs").open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"rot")
    heard: list[str] = []
    repaired = build_image(Recipe(), debian_mirror, say=heard.append)
    assert "damaged" in heard[0] and "root.squashfs" in heard[0]
    return repaired


def copied(image: GuestImage, place: Path) -> GuestImage:
    copy_image(image, place)
    return GuestImage(place, image.image_id, image.manifest)


def test_the_command_builds_shows_and_uses_the_cache(image: GuestImage, tmp_path: Path) -> None:
    command = [shutil.which("eyrie") or "eyrie", "guest"]
    place = tmp_path / "out"
    done = subprocess.run(
        [*command, "build", "--output", place], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == {"image": str(place), "image_id": image.image_id}
    assert done.stderr == "", "the cached image needs no work"
    shown = subprocess.run(
        [*command, "show", place], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert f"image {image.image_id}" in shown and "package condor " in shown
    (place / "vmlinuz").write_bytes(b"other")
    refused = subprocess.run(
        [*command, "show", place], capture_output=True, text=True, check=False, timeout=60
    )
    assert refused.returncode == 1 and "vmlinuz" in refused.stderr


def test_an_unknown_package_is_told_and_leaves_nothing(image: GuestImage) -> None:
    before = {path.name for path in (cache_root() / "guest-images").iterdir()}
    done = subprocess.run(
        ["eyrie", "guest", "build", "--package", "no-such-package-at-all"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert "no-such-package-at-all" in done.stderr and "Traceback" not in done.stderr
    assert {path.name for path in (cache_root() / "guest-images").iterdir()} == before
