# SPDX-License-Identifier: GPL-3.0-or-later
"""A base becomes a guest's root image; e2fsck and debugfs, which are not ours, look at it."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from eyrie.cli.image import app
from eyrie.errors import EyrieError
from eyrie.images.colinux import services
from eyrie.images.colinux.inittab import edited
from tests.unit.images_colinux.guest_base import CLOCK, FILES, SYSV, image, tree

KEY = "ssh-rsa AAAA admin"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    return image(tree(folder / "tree"), folder / "base")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tools") / "tools.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        folder = tarfile.TarInfo("./sbin")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o700
        archive.addfile(folder)
        for name in ("sbin/setpe", "bin/mosctl"):
            member = tarfile.TarInfo(name)
            member.size, member.mode = 5, 0o755
            archive.addfile(member, io.BytesIO(b"a\0b\nc"))
        link = tarfile.TarInfo("bin/mosrun")
        link.type, link.linkname = tarfile.SYMTYPE, "mosctl"
        archive.addfile(link)
    return file


def make(base: Path, target: Path, *words: object) -> str:
    called = ["colinux", str(base), "-o", str(target), *map(str, words)]
    done = CliRunner().invoke(app, called, catch_exceptions=True)
    if isinstance(done.exception, EyrieError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def sound(file: Path) -> None:
    done = subprocess.run(["e2fsck", "-fn", str(file)], env=CLOCK, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def read(file: Path, path: str) -> str:
    command = ["debugfs", "-R", f"cat {path}", str(file)]
    return subprocess.run(command, env=CLOCK, capture_output=True, check=True).stdout.decode()


def stat(file: Path, path: str) -> str:
    command = ["debugfs", "-R", f"stat {path}", str(file)]
    return subprocess.run(command, env=CLOCK, capture_output=True, check=True).stdout.decode()


def test_a_base_becomes_a_guests_image(base: Path, tools: Path, tmp_path: Path) -> None:
    (tmp_path / "map").write_text("1 10.77.0.1 254\n")
    (tmp_path / "keys").write_text(KEY + "\n")
    out = tmp_path / "root_fs"
    words = ("--archive", tools, "--node-table", tmp_path / "map", "--authorized-keys", tmp_path / "keys")
    told = make(base, out, *words)
    sound(out)
    assert read(out, "/etc/inittab") == (
        "# /etc/inittab\nid:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\n"
        "ey::sysinit:/sbin/eyrie-guest start\n~~:S:wait:/sbin/sulogin\nl0:0:wait:/etc/init.d/rc 0\n"
        "1:2345:respawn:/sbin/getty 38400 tty1\n#T0:23:respawn:/sbin/getty -L ttyS0 9600 vt100\n"
        "ca::ctrlaltdel:/sbin/eyrie-halt\n"
    )
    assert read(out, "/etc/fstab") == (
        "/dev/cobd0 / ext3 defaults 0 0\n# of the base\nproc /proc proc defaults 0 0\n"
        "10.77.0.5:/home /home nfs rw 0 0\n"
    )
    assert read(out, "/etc/shadow") == "root:*:12000:0:99999:7:::\nuser:*:12000:0:99999:7:::\n"
    assert "eth0" not in read(out, "/etc/network/interfaces")
    assert read(out, "/etc/openmosix.map") == "1 10.77.0.1 254\n"
    assert read(out, "/root/.ssh/authorized_keys") == KEY + "\n"
    assert "Mode:  0600" in stat(out, "/root/.ssh/authorized_keys")
    assert "Mode:  0755" in stat(out, "/sbin/setpe") and read(out, "/sbin/setpe") == "a\0b\nc"
    assert "Mode:  0755" in stat(out, "/sbin"), "an archive does not change the base's folders"
    assert 'Fast link dest: "mosctl"' in stat(out, "/bin/mosrun")
    assert "Mode:  0755" in stat(out, "/sbin/eyrie-guest") and "Mode:  0755" in stat(out, "/sbin/eyrie-halt")
    for gone in ("/etc/rc2.d/S20gpm", "/etc/rcS.d/S50hwclock.sh"):
        assert f"does not start any more: {gone}\n" in told and "Mode" not in stat(out, gone)
    assert "Mode" in stat(out, "/etc/rc2.d/S20ssh") and "Mode" in stat(out, "/etc/rc6.d/K20gpm")
    assert "is not mounted any more: /dev/hda2 none swap\n" in told
    assert "no node /dev/cobd0 in the base" in told
    assert "nobody logs in" not in told and "no setpe" not in told
    assert f"{out}: ext3, sha256 " in told


def test_what_lacks_is_told(base: Path, tmp_path: Path) -> None:
    told = make(base, tmp_path / "out")
    assert "root has neither password nor key: nobody logs in" in told and "no setpe" in told
    told = make(base, tmp_path / "kept", "--keep-root-password")
    assert "who knows it can do all on every desktop" in told
    assert read(tmp_path / "kept", "/etc/shadow") == FILES["etc/shadow"]


def test_it_is_the_same_every_time_and_twice_is_as_once(base: Path, tmp_path: Path) -> None:
    make(base, tmp_path / "one")
    make(base, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    make(tmp_path / "one", tmp_path / "three")
    sound(tmp_path / "three")
    for path in ("/etc/inittab", "/etc/fstab", "/etc/shadow"):
        assert read(tmp_path / "three", path) == read(tmp_path / "one", path)


def test_a_packed_ext2_base_gets_a_journal_and_more_room(tmp_path: Path) -> None:
    plain = image(
        tree(tmp_path / "tree"), tmp_path / "plain", "-I", "128", "-O", "none,filetype", kind="ext2"
    )
    (tmp_path / "base.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert "ext3" in make(tmp_path / "base.gz", tmp_path / "out", "--size-mib", 24)
    sound(tmp_path / "out")
    assert (tmp_path / "out").stat().st_size == 24 << 20
    dump = subprocess.run(["dumpe2fs", "-h", tmp_path / "out"], env=CLOCK, capture_output=True, check=True)
    assert b"has_journal" in dump.stdout and b"24576" in dump.stdout.split(b"Block count:")[1].split(b"\n")[0]


REFUSED = {
    "a file system of today": ((), "ext4", "wanted ext2 or ext3"),
    "large inodes": (("-I", "256", "-O", "none,has_journal,filetype"), "ext3", "inodes of 256 bytes"),
    "features of today": (
        ("-I", "128", "-O", "none,has_journal,flex_bg"),
        "ext3",
        "incompatible features 0x200",
    ),
    "features that forbid writing": (
        ("-I", "128", "-O", "none,has_journal,huge_file"),
        "ext3",
        "features 0x8 that forbid writing",
    ),
}


@pytest.mark.parametrize(("options", "kind", "told"), REFUSED.values(), ids=REFUSED)
def test_what_no_2_4_kernel_mounts_is_refused(
    options: tuple[str, ...], kind: str, told: str, tmp_path: Path
) -> None:
    made = image(tree(tmp_path / "tree"), tmp_path / "base", *(options or ("-I", "256")), kind=kind)
    with pytest.raises(EyrieError, match=told) as refused:
        make(made, tmp_path / "out")
    assert "mke2fs -t ext3 -I 128" in str(refused.value) and not (tmp_path / "out").exists()


BASES = {
    "no inittab": ({"sbin/init": "x", "etc/passwd": "root:x:0:0::/:/bin/sh\n"}, "no /etc/inittab"),
    "no init": ({"etc/inittab": SYSV}, "no /sbin/init"),
    "no accounts": ({"etc/inittab": SYSV, "sbin/init": "x"}, "neither /etc/shadow nor /etc/passwd"),
    "no sysinit": ({"etc/inittab": "1:2:respawn:x\n", "sbin/init": "x"}, "no line with sysinit"),
    "a broken inittab": ({"etc/inittab": "1:2\n", "sbin/init": "x"}, "line 1: found '1:2'"),
}


@pytest.mark.parametrize(("files", "told"), BASES.values(), ids=BASES)
def test_a_base_that_boots_no_guest_is_refused(files: dict[str, str], told: str, tmp_path: Path) -> None:
    made = image(tree(tmp_path / "tree", files), tmp_path / "base")
    with pytest.raises(EyrieError, match=told):
        make(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bad_input_is_refused(base: Path, tmp_path: Path) -> None:
    (tmp_path / "map").write_text("1 nowhere\n")
    with pytest.raises(EyrieError, match="Bad Table Input"):
        make(base, tmp_path / "out", "--node-table", tmp_path / "map")
    with pytest.raises(EyrieError, match="wanted a tar archive"):
        make(base, tmp_path / "out", "--archive", tmp_path / "map")
    with pytest.raises(EyrieError, match="--size-mib: found 4, wanted at least the base's 8"):
        make(base, tmp_path / "out", "--size-mib", 4)
    with pytest.raises(EyrieError, match="the image itself"):
        make(base, base)
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        member = tarfile.TarInfo("dev/x")
        member.type = tarfile.CHRTYPE
        archive.addfile(member)
    with pytest.raises(EyrieError, match="a device or pipe"):
        make(base, tmp_path / "out", "--archive", tmp_path / "bad.tar")
    assert not (tmp_path / "out").exists()


def test_busybox_shuts_down_what_it_mounted() -> None:
    text, _ = edited("::sysinit:/etc/init.d/rcS\n::askfirst:/bin/sh\n", busybox=True)
    assert text == (
        "::sysinit:/etc/init.d/rcS\n::sysinit:/sbin/eyrie-guest start\n::askfirst:/bin/sh\n"
        "::shutdown:/sbin/swapoff -a\n::shutdown:/bin/umount -a -r\n::ctrlaltdel:/sbin/eyrie-halt\n"
    )
    own = "::sysinit:/etc/init.d/rcS\n::shutdown:/etc/init.d/rcK\n"
    assert "swapoff" not in edited(own, busybox=True)[0]


ACTIONS = st.sampled_from(["sysinit", "respawn", "wait", "ctrlaltdel", "askfirst", "shutdown", "once"])
LINES = st.lists(
    st.builds(
        lambda name, action, process: f"{name}:2345:{action}:{process}",
        st.from_regex(r"[a-zS0-9]{1,4}", fullmatch=True),
        ACTIONS,
        st.sampled_from(["/bin/x", "/sbin/getty -L ttyS0:9600", "/sbin/getty tty1"]),
    )
    | st.sampled_from(["", "# words: of a person", "  # more"]),
    max_size=12,
)


@given(LINES, st.booleans())
def test_any_inittab_starts_one_guest_and_halts_it_and_stays_so(lines: list[str], busybox: bool) -> None:
    text = "\n".join([*lines, "si::sysinit:/etc/rcS"]) + "\n"
    made, _ = edited(text, busybox=busybox)
    live = [line for line in made.splitlines() if line and not line.lstrip().startswith("#")]
    assert [line.split(":")[3] for line in live if ":ctrlaltdel:" in line] == ["/sbin/eyrie-halt"]
    starts = [line.split(":", 3)[3] for line in live if ":sysinit:" in line]
    assert starts[-1] == "/sbin/eyrie-guest start" and starts.count(starts[-1]) == 1
    assert not [line for line in live if "ttyS" in line and ("respawn" in line or "askfirst" in line)]
    assert edited(made, busybox=busybox)[0] == made


def test_links_of_hardware_services_are_known_by_their_name_alone() -> None:
    paths = ["/etc/rc2.d/S20gpm", "/etc/rc.d/rc3.d/S13kudzu", "/etc/rcS.d/S22hwclock.sh"]
    others = [
        "/etc/rc2.d/S20gpmx",
        "/etc/rc2.d/K20gpm",
        "/etc/init.d/gpm",
        "/opt/etc/rc2.d/S20gpm",
        "/etc/rc2.d/S2gpm",
    ]
    paths += [f"/etc/rc2.d/S99{name}" for name in ("gdm", "hotkeys", "pcmcia", "powernowd", "powersaved")]
    assert services.links([*others, *paths]) == sorted(paths)
