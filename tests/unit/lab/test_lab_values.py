# SPDX-License-Identifier: GPL-3.0-or-later
"""Images, seeds, connections and tables: the pure parts."""

from __future__ import annotations

import io
import shlex
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from eyrie.lab import container, inventory, pool, report, seed, ssh
from eyrie.lab.images import MANIFEST, ImageStore, tree_digest
from eyrie.lab.lab import HostStatus
from eyrie.lab.paths import Paths
from eyrie.lab.recipes import RECIPES
from eyrie.lab.topology import parse_text

OFFICE = parse_text(
    """
name: office
subnets: {hq: {network: 10.77.1.0/24}, east: {network: 10.77.2.0/25}}
hosts:
  master: {kind: container, subnet: hq, address: 10.77.1.10, groups: [masters]}
  box: {kind: vm, subnet: east, address: 10.77.2.22, groups: [linux_desktops]}
""",
    "lab.yml",
)
MASTER, BOX = OFFICE.hosts
KEYS = seed.Keys("private", "public", "administrator")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/file").write_text("content")
    (tmp_path / "link").symlink_to("etc/file")
    return tmp_path


DAMAGE = {
    "content": lambda tree: (tree / "etc/file").write_text("contenT"),
    "mode": lambda tree: (tree / "etc/file").chmod(0o600),
    "name": lambda tree: (tree / "etc/file").rename(tree / "etc/fill"),
    "lost": lambda tree: (tree / "link").unlink(),
    "new": lambda tree: (tree / "new").mkdir(),
    "link": lambda tree: ((tree / "link").unlink(), (tree / "link").symlink_to("etc")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_any_damage_changes_an_images_digest(tree: Path, damage: str) -> None:
    before = tree_digest(tree)
    assert tree_digest(tree) == before
    DAMAGE[damage](tree)  # type: ignore[no-untyped-call]
    assert tree_digest(tree) != before


@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"digest": "00"}', None])
def test_an_image_without_its_true_manifest_is_no_image(tmp_path: Path, manifest: str | None) -> None:
    store = ImageStore(tmp_path)
    store.path("container").mkdir()
    if manifest is not None:
        (store.path("container") / MANIFEST).write_text(manifest)
    assert not store.is_good("container")
    digest = tree_digest(store.path("container"))
    (store.path("container") / MANIFEST).write_text(f'{{"digest": "{digest}"}}')
    assert store.is_good("container")


def test_a_changed_recipe_is_another_image() -> None:
    recipe = RECIPES["container"]
    others = [
        replace(recipe, packages=(*recipe.packages, "hello")),
        replace(recipe, customise=recipe.customise + "true\n"),
        replace(recipe, suite="forky"),
    ]
    assert len({recipe.identity, *(other.identity for other in others)}) == 4


def test_a_seed_holds_what_makes_a_host_this_host() -> None:
    files = {file.path: file for file in seed.files(OFFICE, BOX, KEYS, has_security=True)}
    assert "10.77.1.10 master\n10.77.2.22 box\n" in files["etc/hosts"].content
    assert files["etc/ssh/ssh_host_ed25519_key"].mode == 0o600
    assert files["home/owner/.ssh/authorized_keys"].owner == seed.OWNER_ID
    assert "Address=10.77.2.22/25\nGateway=10.77.2.1" in files["etc/systemd/network/10-lab.network"].content
    assert files["etc/apt/sources.list.d/lab.sources"].content.count("URIs: http://10.77.2.1:3142/") == 2
    master = {file.path for file in seed.files(OFFICE, MASTER, KEYS, has_security=False)}
    assert not {"home/owner/.ssh/authorized_keys", "etc/systemd/network/10-lab.network"} & master


def test_a_seeds_archive_unpacks_with_owners_and_modes() -> None:
    with tarfile.open(
        fileobj=io.BytesIO(seed.archive(seed.files(OFFICE, BOX, KEYS, has_security=False)))
    ) as tar:
        keys, directory = tar.getmember("home/owner/.ssh/authorized_keys"), tar.getmember("home/owner/.ssh")
        assert (keys.mode, keys.uid, directory.mode, directory.uid) == (0o600, 1000, 0o700, 1000)
        assert tar.extractfile(keys).read() == b"administrator"  # type: ignore[union-attr]


def test_ansible_and_the_lab_reach_a_host_alike() -> None:
    variables = inventory.variables(OFFICE, BOX)
    own = ssh.command(OFFICE, Paths("office"), BOX, "root", shared=False)
    assert shlex.split(variables["ansible_ssh_common_args"]) == own[1:-3]
    assert (variables["ansible_host"], variables["lab_router"]) == ("10.77.2.22", "10.77.2.1")
    assert {"StrictHostKeyChecking=yes", "UserKnownHostsFile=/var/lib/eyrie-lab/office/known_hosts"} <= set(
        own
    )


def test_shared_connections_of_two_labs_never_meet() -> None:
    ours = {inventory.variables(OFFICE, host)["ansible_control_path"] for host in OFFICE.hosts}
    branch = replace(OFFICE, name="branch")
    theirs = {inventory.variables(branch, host)["ansible_control_path"] for host in branch.hosts}
    assert len(ours | theirs) == 4


def test_mount_points_are_those_below_only() -> None:
    mounts = "a /x/lab/one ext4 rw\nb /x/lab-b/two ext4 rw\nc /x/lab/a\\040b ext4 rw\nd / ext4 rw\n"
    assert container.mount_points(mounts, Path("/x/lab")) == ["/x/lab/one", "/x/lab/a b"]


def test_condor_statuss_lines() -> None:
    text = "slot1@desk-1\tdesk-1\tClaimed\tBusy\t148\t1\nslot1@x\tundefined\tOwner\tIdle\t148\t1\nwarning\n"
    assert [(slot.name, slot.desktop, slot.activity) for slot in pool.parse(text)] == [
        ("slot1@desk-1", "desk-1", "Busy"),
        ("slot1@x", "-", "Idle"),
    ]
    assert pool.parse("") == []


def test_tables_show_every_host_and_slot() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(
        report.host_table("office", [HostStatus(MASTER, "up", 3725.9), HostStatus(BOX, "off", None)])
    )
    console.print(report.slot_table(pool.parse("s\td\tClaimed\tBusy\t148\t1\n")))
    text = console.export_text()
    assert [
        word for word in ("10.77.1.10", "1 h 02 min", "box", "off", "Claimed", "148") if word not in text
    ] == []
