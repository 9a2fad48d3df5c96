# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a node says to what is done there; the scripts that need no root of their own are run."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from kernel_samples import GRUB_CFG, GRUBENV, archive, image

from eyrie.errors import EyrieError
from eyrie.kernels import bundle, node, plan
from eyrie.kernels.bootloaders import Edit
from eyrie.kernels.bundle import Bundle
from eyrie.kernels.node import NodeKernels
from eyrie.kernels.plan import Wanted
from eyrie.kernels.release import Build

R = "6.12.9-pool"
OLD = Build("6.12.8-old", "(b@h) #1 Mon")
NODE = NodeKernels(
    running=OLD,
    boot_id="1",
    command_line="BOOT_IMAGE=/boot/vmlinuz-6.12.8-old root=/dev/vda1",
    has_hpc=False,
    texts={"/boot/grub/grub.cfg": GRUB_CFG, "/boot/grub/grubenv": GRUBENV},
    sums={},
    stamp="",
    has_modules=False,
    mounts="rootfs / rootfs rw 0 0\n/dev/vda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n",
    free_kib={"/boot": 500000, "/lib/modules": 500000},
)


@pytest.fixture
def kernel(tmp_path: Path) -> Bundle:
    files = {f"boot/vmlinuz-{R}": image(f"{R} (pool@eyrie) #1 Tue"), f"lib/modules/{R}/x.ko": b"x"}
    return bundle.load(archive(tmp_path / "k.tar", files), R)


@pytest.fixture
def wanted(kernel: Bundle) -> Wanted:
    return Wanted(R, kernel, needs_hpc=True, words=("panic=10",))


def runs(wanted: Wanted) -> NodeKernels:
    """A node after the boot."""
    assert wanted.bundle is not None
    return replace(NODE, running=wanted.bundle.build, has_hpc=True)


def installed(wanted: Wanted) -> NodeKernels:
    assert wanted.bundle is not None
    texts = {**NODE.texts, **plan.install(NODE, wanted).edit.texts}
    return replace(NODE, texts=texts, stamp=wanted.bundle.digest, sums=dict(wanted.bundle.boot))


def test_a_node_with_another_kernel_gets_files_and_entry(wanted: Wanted) -> None:
    assert plan.ails(NODE, wanted) == "runs 6.12.8-old"
    missing = plan.install(NODE, wanted)
    assert missing.files
    assert list(missing.edit.texts) == ["/boot/grub/custom.cfg"]
    assert plan.install(installed(wanted), wanted).is_empty


@pytest.mark.parametrize(
    "change", [{"stamp": "other"}, {"sums": {}}, {"sums": {f"vmlinuz-{R}": "other"}}], ids=str
)
def test_files_that_are_not_as_they_came_are_brought_again(wanted: Wanted, change: dict[str, str]) -> None:
    assert plan.install(replace(installed(wanted), **change), wanted).files


def test_what_ails_a_node_with_the_pools_kernel(wanted: Wanted) -> None:
    there = runs(wanted)
    assert plan.ails(there, wanted) == ""
    assert "no /proc/hpc" in plan.ails(replace(there, has_hpc=False), wanted)
    assert plan.ails(replace(there, has_hpc=False), replace(wanted, needs_hpc=False)) == ""
    assert "another build of it, (x)" in plan.ails(replace(there, running=Build(R, "(x)")), wanted)
    # Without an archive the release is all there is to compare.
    assert plan.ails(replace(there, running=Build(R, "(x)")), replace(wanted, bundle=None)) == ""


def test_a_kernel_that_runs_by_our_entry_but_is_not_the_default_is_to_be_kept(wanted: Wanted) -> None:
    assert not plan.needs_keeping(runs(wanted), wanted)
    there = replace(runs(wanted), texts=installed(wanted).texts)
    assert plan.needs_keeping(there, wanted)
    assert not plan.needs_keeping(there, replace(wanted, release="6.12.10-pool", bundle=None))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"running": Build(R, "(x)")}, "another build of 6.12.9-pool runs on the node"),
        ({"free_kib": {"/boot": 3}}, "room in /boot on the node: found '3 KiB free'"),
        ({"mounts": "/dev/sda1 / ext4 rw\n/dev/mapper/vg-boot /boot ext4 rw\n"}, "/dev/mapper/vg-boot"),
        ({"mounts": "/dev/sda1 / btrfs rw\n"}, "found 'btrfs on /dev/sda1'"),
        ({"texts": {}}, "bootloader of the node: found 'none'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_node_that_could_not_fall_back_is_refused(
    wanted: Wanted, change: dict[str, object], said: str
) -> None:
    with pytest.raises(EyrieError, match=said):
        plan.install(replace(NODE, **change), wanted)


def test_a_room_nobody_knows_is_no_reason(wanted: Wanted) -> None:
    assert plan.install(replace(NODE, free_kib={"/lib/modules": -1}), wanted).files


def test_without_an_archive_another_kernel_is_an_error(wanted: Wanted) -> None:
    with pytest.raises(EyrieError, match=r"an archive of 6.12.9-pool, since the node runs 6.12.8-old"):
        plan.install(NODE, replace(wanted, bundle=None))


@pytest.mark.parametrize("release", ["", "../../etc", "2.4.26 -om", "2.4.26;reboot", "om"])
def test_what_is_no_release_gets_nowhere(release: str) -> None:
    with pytest.raises(EyrieError, match="release of the kernel"):
        Wanted(release, None, needs_hpc=True)


@pytest.mark.parametrize("word", ["a b", "a;b", "$(reboot)", "'", "{", ""])
def test_what_is_no_word_gets_nowhere(word: str) -> None:
    with pytest.raises(EyrieError, match="word for the kernel's command line"):
        Wanted(R, None, needs_hpc=True, words=(word,))


@pytest.mark.parametrize("shell", [["sh"], ["bash", "--posix"]])
def test_a_machine_is_read_in_one_go(shell: list[str]) -> None:
    script = node.read_script("1.2.3-none", ["vmlinuz-1.2.3-none"])
    output = subprocess.run([*shell, "-c", script], capture_output=True, text=True, check=True).stdout
    found = node.parse(output, "1.2.3-none")
    assert found.running.release == Path("/proc/sys/kernel/osrelease").read_text().strip()
    assert (found.has_modules, found.stamp, found.sums) == (False, "", {})
    assert found.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert found.boot_file_system[0]


def test_files_are_read_to_the_last_byte() -> None:
    shown = "".join(
        f"@@eyrie file {path}\n{text}\n@@eyrie end\n"
        for path, text in {
            "/proc/version": "Linux version 2.4.26-om (a@b) (gcc) #2 SMP Sun\n",
            "/boot/grub/menu.lst": "no line end",
            "/boot/grub/default": "",
            "/etc/lilo.conf": "\n\ntwo=2\n\n",
            "/lib/modules/2.4.26-om/.eyrie": "mark\n",
        }.items()
    )
    answers = (
        "hpc=1\nboot_id=btime 5\nmodules=1\nfree=/boot /dev/a_long_name 9 5 4 50% /boot\nsum=ab /boot/x\n"
    )
    found = node.parse(f"{answers}{shown}done=1\n".replace("\n", "\r\n"), "2.4.26-om")
    assert found.texts == {
        "/boot/grub/menu.lst": "no line end",
        "/boot/grub/default": "",
        "/etc/lilo.conf": "\n\ntwo=2\n\n",
    }
    assert (found.stamp, found.has_hpc, found.boot_id) == ("mark", True, "btime 5")
    assert (found.free_kib, found.sums) == ({"/boot": 4}, {"x": "ab"})
    with pytest.raises(EyrieError, match="wanted a whole answer"):
        node.parse(answers + shown, "2.4.26-om")


def sh(script: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", "-c", script], input=stdin, capture_output=True, check=False)


def test_files_are_written_whole_with_the_mode_they_had(tmp_path: Path) -> None:
    old, new, gone = tmp_path / "old it's", tmp_path / "new", tmp_path / "gone"
    for file in (old, gone):
        file.write_text("before\n")
    old.chmod(0o600)
    texts = {str(old): "it's $HOME %s \\n\n", str(new): "made", str(gone): ""}
    assert sh(plan.edit_script(Edit(texts, ("true",)))).returncode == 0
    assert (old.read_text(), new.read_text()) == ("it's $HOME %s \\n\n", "made")
    assert old.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old it's"]


def test_a_command_that_fails_puts_everything_back(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("before\n")
    done = sh(plan.edit_script(Edit({str(old): "x", str(new): "y"}, ("true", "echo no lilo >&2; false"))))
    assert (done.returncode, done.stderr) == (1, b"no lilo\n")
    assert old.read_text() == "before\n"
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def here(script: str, root: Path) -> str:
    """Let a script see another folder as /boot and /lib/modules."""
    for folder in ("/lib/modules", "/boot"):
        script = script.replace(f" {folder}", f" {root}{folder}")
    return script


def test_an_archive_is_put_in_place_and_taken_away(tmp_path: Path, kernel: Bundle) -> None:
    (tmp_path / "boot").mkdir()
    stale = tmp_path / f"boot/initrd.img-{R}"
    stale.write_text("of an earlier try")
    for _again in range(2):
        done = sh(here(plan.install_script(R, kernel), tmp_path), kernel.archive)
        assert done.returncode == 0, done.stderr
        files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
        assert files == [f"boot/vmlinuz-{R}", "k.tar", f"lib/modules/{R}/.eyrie", f"lib/modules/{R}/x.ko"]
    assert (tmp_path / f"lib/modules/{R}/.eyrie").read_text() == kernel.digest + "\n"
    assert sh(here(plan.remove_script(R), tmp_path)).returncode == 0
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["boot", "k.tar", "lib", "modules"]


def test_an_archive_that_arrives_damaged_changes_nothing(tmp_path: Path, kernel: Bundle) -> None:
    (tmp_path / "boot").mkdir()
    position = kernel.archive.index(b"HdrS")
    damaged = kernel.archive[:position] + b"XXXX" + kernel.archive[position + 4 :]
    done = sh(here(plan.install_script(R, kernel), tmp_path), damaged)
    assert (done.returncode, done.stderr) == (1, f"vmlinuz-{R} arrived damaged\n".encode())
    assert list((tmp_path / "boot").iterdir()) == []
    assert not (tmp_path / f"lib/modules/{R}").exists()
