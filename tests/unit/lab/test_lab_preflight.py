# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine lacks is said before anything is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyrie.errors import EyrieError
from eyrie.lab import preflight
from eyrie.lab.preflight import GIB


def test_only_root() -> None:
    preflight.check_root(0)
    with pytest.raises(EyrieError, match=r"namespaces.*user 1000.*wanted root.*sudo"):
        preflight.check_root(1000)


def test_missing_programs_are_named_with_their_packages() -> None:
    wanted = preflight.programs(["container", "vm"])
    preflight.check_programs(wanted, lambda program: f"/usr/bin/{program}")
    missing = {"systemd-nspawn", "qemu-img", "ssh"}
    with pytest.raises(EyrieError) as caught:
        preflight.check_programs(wanted, lambda program: None if program in missing else "/usr/bin/x")
    assert "qemu-img, ssh, systemd-nspawn" in str(caught.value)
    assert "apt-get install openssh-client qemu-utils systemd-container" in str(caught.value)


def test_a_lab_of_containers_needs_no_qemu() -> None:
    assert not {"qemu-system-x86", "qemu-utils"} & set(preflight.programs(["container"]).values())


def test_missing_features_are_named() -> None:
    preflight.refuse_missing_features([])
    with pytest.raises(EyrieError, match=r"kernel lacks nft, overlay.*modprobe nf_tables overlay"):
        preflight.refuse_missing_features(["nft", "overlay"])


A, B = Path("/var/lib/lab"), Path("/var/cache/lab")


@pytest.mark.parametrize(
    ("free", "fails"),
    [
        ({A: (1, 3 * GIB), B: (1, 3 * GIB)}, ""),
        ({A: (1, 3 * GIB - 1), B: (1, 3 * GIB - 1)}, "3.0 GiB"),
        ({A: (1, GIB), B: (2, 2 * GIB)}, ""),
        ({A: (1, GIB), B: (2, 2 * GIB - 1)}, "2.0 GiB"),
    ],
)
def test_room_is_counted_per_disk(free: dict[Path, tuple[int, int]], fails: str) -> None:
    needs = {A: 1.0, B: 2.0}
    if not fails:
        preflight.check_room(needs, free.__getitem__)
        return
    with pytest.raises(EyrieError, match=f"no room on the disk.*wanted {fails}"):
        preflight.check_room(needs, free.__getitem__)


def test_room_on_a_path_that_does_not_exist_yet(tmp_path: Path) -> None:
    preflight.check_room({tmp_path / "a" / "b": 0.0})
    with pytest.raises(EyrieError, match="GiB free"):
        preflight.check_room({tmp_path / "a" / "b": 1e9})


def test_what_is_there_needs_no_room() -> None:
    assert preflight.needed_gib(0, []) == 0
    assert (
        preflight.needed_gib(3, ["container"]) > preflight.needed_gib(3, []) > preflight.needed_gib(1, []) > 0
    )
