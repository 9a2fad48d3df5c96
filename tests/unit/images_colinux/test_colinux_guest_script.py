# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest does with its boot line, run by dash and BusyBox, with programs that note how they are called.

BusyBox's shell takes its own hostname, ifconfig and swapon before any on the PATH, and would change this
machine: functions stand before them, and no script here has a capability, whoever runs the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib import resources
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.guests.colinux.boot import Identity, words

SCRIPT = resources.files("eyrie.images.colinux") / "data/eyrie-guest.sh"
SHELLS = [["dash"], *([["busybox", "sh"]] if shutil.which("busybox") else [])]
POWERLESS = [
    shutil.which("setpriv") or "setpriv",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--ambient-caps=-all",
]
NOTED = ("hostname", "ifconfig", "route", "swapon", "udhcpc", "ip")
WORDS = "eyrie_pool=lab eyrie_name=desk-1 eyrie_address=10.77.0.21/24 eyrie_gateway=10.77.0.1"
FULL = f"root=/dev/cobd0 ro {WORDS} eyrie_node=21 eyrie_master=10.77.0.10"


def test_no_script_here_could_change_this_machine() -> None:
    """The guard of all the others: with BusyBox on a PATH of its own, the host's name would be another."""
    words = [*(POWERLESS if os.geteuid() == 0 else []), "grep", "CapEff", "/proc/self/status"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[1], 16) == 0


class Guest:
    """A root folder, and the programs that a guest has."""

    def __init__(self, folder: Path, *, without: tuple[str, ...] = ("ip",)) -> None:
        self.root, self.bin = folder / "root", folder / "bin"
        self.noted = folder / "noted"
        for name in ("proc", "etc", "proc/hpc/admin"):
            (self.root / name).mkdir(parents=True)
        self.bin.mkdir()
        self.noted.touch()
        for name in NOTED:
            if name not in without:
                self.program(name, f'echo "{name} $*" >>{self.noted}')
        self.program("df", 'echo "Filesystem 1k"; echo "/dev/a/very/long/name"; echo " 9 9 400000 1% /"')
        self.program("mkswap", f'echo mkswap >>{self.noted}; echo swap >"$1"')
        self.program("dd", 'for w; do case $w in of=*) echo "$*" >"${w#of=}";; esac; done')
        (self.root / "proc/meminfo").write_text("MemTotal: 130500 kB\nMemFree: 1 kB\n")
        (self.root / "proc/swaps").write_text("Filename Type\n")
        (self.root / "eyrie_name=other").touch()  # what a pattern on the line would find
        for name in ("cat", "mv", "rm", "grep", "sed", "mkdir"):
            (self.bin / name).symlink_to(f"/bin/{name}")

    def program(self, name: str, body: str) -> None:
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)

    def run(self, line: str, verb: str = "start", shell: list[str] | None = None) -> tuple[int, str]:
        (self.root / "proc/cmdline").write_text(line)
        program = [str(shutil.which((shell or SHELLS[0])[0])), *(shell or SHELLS[0])[1:]]
        own = "".join(f'{each.name}() {{ {each} "$@"; }}\n' for each in self.bin.iterdir())
        called = [*program, "-c", f"{own}set -- {verb} {self.root}\n. {SCRIPT}"]
        done = subprocess.run(
            [*(POWERLESS if os.geteuid() == 0 else []), *called],
            env={"PATH": str(self.bin)},
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout

    def calls(self) -> list[str]:
        return self.noted.read_text().splitlines()

    def file(self, name: str) -> str:
        return (self.root / name).read_text()


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    return Guest(tmp_path)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_guest_takes_name_address_and_gateway(guest: Guest, shell: list[str]) -> None:
    (guest.root / "etc/hosts").write_text("127.0.0.1 localhost\n10.77.0.9 old # eyrie\n10.1.1.1 nfs\n")
    status, told = guest.run(FULL + "\n", shell=shell)
    assert status == 0
    assert told.endswith("eyrie: guest desk-1 of pool lab is up at 10.77.0.21/24\n")
    assert guest.calls() == [
        "hostname desk-1",
        "ifconfig lo 127.0.0.1 up",
        "ifconfig eth0 10.77.0.21 netmask 255.255.255.0 up",
        "route del default",
        "route add default gw 10.77.0.1",
        "mkswap",
        f"swapon {guest.root}/eyrie-swap.128",
    ]
    assert guest.file("etc/hostname") == "desk-1\n"
    assert guest.file("etc/hosts") == (
        "127.0.0.1 localhost\n10.1.1.1 nfs\n10.77.0.21 desk-1 # eyrie\n10.77.0.10 eyrie-master # eyrie\n"
    )
    assert guest.file("etc/eyrie/guest") == (
        "pool=lab\nname=desk-1\naddress=10.77.0.21/24\ngateway=10.77.0.1\nnode=21\nmaster=10.77.0.10\n"
    )


def test_a_second_start_says_the_same_and_makes_no_swap_again(guest: Guest) -> None:
    guest.run(FULL)
    before = {path: path.read_bytes() for path in guest.root.rglob("*") if path.is_file()}
    assert guest.run(FULL)[0] == 0
    assert {path: path.read_bytes() for path in guest.root.rglob("*") if path.is_file()} == before
    assert guest.calls().count("mkswap") == 1


def test_an_image_copied_to_another_desktop_becomes_that_ones_guest(guest: Guest) -> None:
    guest.run(FULL)
    guest.run("ro eyrie_pool=lab eyrie_name=desk-2 eyrie_address=10.77.0.22/24")
    assert guest.file("etc/hosts") == "127.0.0.1 localhost\n10.77.0.22 desk-2 # eyrie\n"
    assert "desk-1" not in guest.file("etc/eyrie/guest")


def test_without_an_address_it_asks_for_one(guest: Guest) -> None:
    status, told = guest.run("eyrie_pool=lab eyrie_name=desk-1")
    assert (status, "by DHCP" in told) == (0, True)
    assert "udhcpc -n -i eth0" in guest.calls()
    assert "127.0.0.1 desk-1 # eyrie" in guest.file("etc/hosts")
    guest.program("udhcpc", "exit 1")
    status, told = guest.run("eyrie_pool=lab eyrie_name=desk-1")
    assert status == 1 and "no address was given to eth0" in told


def test_where_there_is_ip_alone_it_serves(tmp_path: Path) -> None:
    guest = Guest(tmp_path, without=("ifconfig", "route"))
    assert guest.run(FULL)[0] == 0
    assert guest.calls()[1:5] == [
        "ip link set lo up",
        "ip address add 10.77.0.21/24 dev eth0",
        "ip link set eth0 up",
        "ip route replace default via 10.77.0.1",
    ]


REFUSED = {
    "nothing of ours": ("root=/dev/cobd0 ro", "no eyrie_pool and eyrie_name"),
    "no name": ("eyrie_pool=lab", "no eyrie_pool and eyrie_name"),
    "an empty line": ("", "/proc/cmdline cannot be read"),
    "an unknown word": (f"{WORDS} eyrie_colour=red", "eyrie_colour=red is not known"),
    "a word twice": (f"{WORDS} eyrie_name=x", "eyrie_name stands there twice"),
    "a name that is a command": ("eyrie_pool=lab eyrie_name=$(reboot)", "is no name"),
    "a pattern": ("eyrie_pool=lab eyrie_name=*", "eyrie_name=* is no name"),
    "a name that is an option": ("eyrie_pool=lab eyrie_name=-F", "is no name"),
    "an address without a length": ("eyrie_pool=l eyrie_name=n eyrie_address=10.77.0.21", "is not such as"),
    "a length too long": ("eyrie_pool=l eyrie_name=n eyrie_address=10.77.0.21/33", "is not such as"),
    "no length": ("eyrie_pool=l eyrie_name=n eyrie_address=10.77.0.21/", "is not such as"),
    "two lengths": ("eyrie_pool=l eyrie_name=n eyrie_address=10.77.0.21/24/24", "is not such as"),
    "an octet too large": ("eyrie_pool=l eyrie_name=n eyrie_address=10.77.0.256/24", "is not such as"),
    "three octets": ("eyrie_pool=l eyrie_name=n eyrie_address=10.77.21/24", "is not such as"),
    "a gateway that is none": (WORDS.replace("=10.77.0.1", "=gate"), "eyrie_gateway=gate is no address"),
    "a gateway alone": ("eyrie_pool=l eyrie_name=n eyrie_gateway=10.77.0.1", "without eyrie_address"),
    "node 0": (f"{WORDS} eyrie_node=0", "no node's number"),
    "node 65535": (f"{WORDS} eyrie_node=65535", "no node's number"),
    "a node that is none": (f"{WORDS} eyrie_node=x", "no node's number"),
    "a master that is none": (f"{WORDS} eyrie_master=10.0.0", "eyrie_master=10.0.0 is no address"),
}


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize(("line", "why"), REFUSED.values(), ids=REFUSED)
def test_a_line_that_cannot_be_changes_nothing(guest: Guest, line: str, why: str, shell: list[str]) -> None:
    status, told = guest.run(line, shell=shell)
    assert status == 1
    assert told.startswith("eyrie: refused: ") and why in told
    assert guest.calls() == [] and not (guest.root / "etc/eyrie").exists()


def test_a_card_that_takes_no_address_is_told(guest: Guest) -> None:
    guest.program("ifconfig", '[ "$1" = lo ]')
    status, told = guest.run(FULL)
    assert status == 1 and "refused: eth0 does not take 10.77.0.21/24" in told
    assert not (guest.root / "etc/eyrie/guest").exists(), "who is not up is nobody"


def test_swap_follows_memory_and_room(guest: Guest) -> None:
    def sized() -> str:
        guest.run(FULL)
        (file,) = guest.root.glob("eyrie-swap.*")
        return f"{file.name} {file.stat().st_size}"

    assert sized().startswith("eyrie-swap.128 ")
    guest.program("df", 'echo Filesystem; echo "/dev/x 9 9 20480 1% /"')
    (guest.root / "proc/meminfo").write_text("MemTotal: 262144 kB\n")
    guest.program("mkswap", 'grep -q "count=10$" "$1" && echo "small" >"$1"')
    assert sized() == "eyrie-swap.256 6", "half of what is free, and none of the old size"
    (guest.root / "eyrie-swap.256").unlink()
    guest.program("df", 'echo Filesystem; echo "/dev/x 9 9 15000 1% /"')
    assert "no swap: 15000 KiB are free" in guest.run(FULL)[1]
    guest.program("df", 'echo Filesystem; echo "/dev/x 9 9 400000 1% /"')
    guest.program("dd", 'for w; do case $w in of=*) echo half >"${w#of=}";; esac; done; exit 1')
    assert "no swap: it could not be made" in guest.run(FULL)[1]
    assert list(guest.root.glob("eyrie-swap*")) == []


def test_status_fails_where_openmosix_has_another_number(guest: Guest) -> None:
    assert guest.run(FULL, "status")[0] == 1
    (guest.root / "proc/hpc/admin/mospe").write_text("21\n")
    assert guest.run(FULL, "status") == (
        0,
        "name=desk-1 pool=lab address=10.77.0.21/24 node=21 number=21\n",
    )
    assert guest.run("eyrie_pool=lab eyrie_name=x", "status")[0] == 0, "no number was given"


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@pytest.mark.slow  # starts a shell for each
@given(
    pool=NAMES,
    name=NAMES,
    address=st.builds(lambda number, length: (number, length), st.integers(0, 2**32 - 1), st.integers(1, 32)),
    node=st.none() | st.integers(1, 65534),
)
def test_every_line_we_write_is_understood(
    pool: str, name: str, address: tuple[int, int], node: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The netmask is the one that Python computes."""
    interface = IPv4Interface(f"{IPv4Address(address[0])}/{address[1]}")
    try:
        line = " ".join(words(Identity(pool, name, interface, interface.ip, node)))
    except EyrieError:
        return
    guest = Guest(tmp_path_factory.mktemp("guest"))
    assert guest.run(line)[0] == 0
    assert f"ifconfig eth0 {interface.ip} netmask {interface.netmask} up" in guest.calls()
    assert f"node={node or ''}\n" in guest.file("etc/eyrie/guest")
