# SPDX-License-Identifier: GPL-3.0-or-later
"""Two genuine nodes, one behind a router, are guests of a hub and form one cluster."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from eyrie.hub.guard import guest_mac
from eyrie.images import ImageFile, inject
from eyrie.lab.node_choice import given
from eyrie.lab.node_seed import files
from eyrie.lab.node_vm import INIT_OPTIONS
from eyrie.lab.seed import Keys
from eyrie.lab.ssh import NODE_ALGORITHMS
from tests.integration.hub_office import MASTER_ADDRESS, HubOffice, Place, Wire, run

pytestmark = pytest.mark.timeout(900)

BOOT_SECONDS, UP_SECONDS, MIGRATION_SECONDS = 240.0, 120.0, 120.0
NAMES = ("desk-1", "desk-2")
TABLE = "1 10.88.0.1 2\n"
BURN = "echo 'while :; do i=1; done' > /tmp/burn; sh /tmp/burn > /dev/null 2>&1 < /dev/null & echo $!"


class Node:
    """A genuine node whose only cable is what the desktop's carrier hands to the hub."""

    def __init__(self, stack: ExitStack, office: HubOffice, name: str, keys: Path) -> None:
        self.address, self._office, self._keys = office.address(name), office, keys
        images = given(os.environ)
        assert images
        ramdisk = office.folder / f"{name}.gz"
        secret = Keys(
            administrator=(keys / "key.pub").read_text(),
            host_private=(keys / "host").read_text(),
            host_public=(keys / "host.pub").read_text(),
        )
        seeds = [ImageFile(f"/{each.path}", each.mode, 0, 0, each.content.encode()) for each in files(secret)]
        inject(images.ramdisk, ramdisk, seeds)
        _, qemu = office.carrier(name, office.identity(name))
        network = f"{self.address}::{MASTER_ADDRESS}:255.255.255.0:{name}::none"
        options = f"root=/dev/ram0 rw init=/sbin/init noapic panic=5 ip={network} {INIT_OPTIONS}"
        command = ["qemu-system-i386", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std"]
        command += [
            "-accel",
            "tcg,tb-size=64",
            "-m",
            "128",
            "-serial",
            f"file:{office.folder}/{name}.console",
        ]
        command += ["-kernel", str(images.kernel), "-initrd", str(ramdisk), "-append", options]
        command += ["-netdev", f"stream,id=hub,server=off,addr.type=fd,addr.str={qemu.fileno()}"]
        command += ["-device", f"rtl8139,netdev=hub,mac={guest_mac('lab', name)}"]
        self._process = subprocess.Popen(command, pass_fds=[qemu.fileno()], stdin=subprocess.DEVNULL)
        qemu.close()
        stack.callback(self._process.wait, 10)
        stack.callback(self._process.kill)

    def try_sh(self, line: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a line there, from the master through the hub."""
        settings = {
            **NODE_ALGORITHMS,
            "IdentityFile": f"{self._keys}/key",
            "UserKnownHostsFile": f"{self._keys}/known",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": "5",
        }
        options = [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]
        words = self._office.master.command("ssh", "-F", "none", *options, "-l", "root", self.address, line)
        return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=120)

    def sh(self, line: str, stdin: str = "") -> str:
        done = self.try_sh(line, stdin)
        assert done.returncode == 0, f"{self.address}: {line}: {done.stderr}"
        return done.stdout.strip()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.fixture
def office(stack: ExitStack) -> HubOffice:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eyrie-hub-", dir="/var/tmp")))
    folder.chmod(0o755)
    made = HubOffice(stack, folder, NAMES)
    made.start_hub()
    return made


def behind_a_router(stack: ExitStack, office: HubOffice, desktop: str) -> Place:
    """Move a desktop's cable to another subnet; return the router."""
    far, router, cable = Place(stack, "far"), Place(stack, "router"), f"to-{desktop}"[:15]
    far.ip("link", "add", "name", "lan", "type", "bridge")
    far.ip("link", "set", "lan", "up")
    office.switch.ip("link", "set", cable, "netns", far.name)
    far.ip("link", "set", cable, "master", "lan", "up")
    for leg, switch, address in (("near", office.switch, "10.99.1.1"), ("far", far, "10.99.2.1")):
        router.ip("link", "add", leg, "type", "veth", "peer", "name", leg, "netns", switch.name)
        router.ip("address", "add", f"{address}/24", "dev", leg)
        router.ip("link", "set", leg, "up")
        switch.ip("link", "set", leg, "master", "lan", "up")
    with router.entered():
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
    place = office.places[desktop]
    place.ip("address", "flush", "dev", "office")
    place.ip("address", "add", "10.99.2.21/24", "dev", "office")
    place.ip("route", "add", "default", "via", "10.99.2.1")
    office.master.ip("route", "add", "10.99.2.0/24", "via", "10.99.1.1")
    return router


def made_keys(folder: Path, addresses: list[str]) -> Path:
    """An administrator's key and the host key of all nodes, as an sshd of 2004 reads them."""
    for name in ("key", "host"):
        run("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", str(folder / name))
    public = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known").write_text("".join(f"{address} {public}\n" for address in addresses))
    return folder


def until(what: str, condition: Callable[[], object], seconds: float) -> float:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() < begin + seconds, f"within {seconds:.0f} s not: {what}"
        time.sleep(0.5)
    return time.monotonic() - begin


def test_nodes_on_both_sides_of_a_router_form_one_cluster_through_the_hub(
    stack: ExitStack, office: HubOffice, tmp_path: Path
) -> None:
    router = behind_a_router(stack, office, "desk-2")
    wire = Wire(stack, router, "far")
    keys = made_keys(tmp_path, [office.address(name) for name in NAMES])
    near, far = (Node(stack, office, name, keys) for name in NAMES)
    for node in (near, far):
        until(f"{node.address} answers", lambda: node.try_sh("true").returncode == 0, BOOT_SECONDS)  # noqa: B023
        node.sh("setpe -W -f - && mosctl setspeed 10000 && mosctl nolstay", TABLE)
    until(
        "each sees the other",
        lambda: near.sh("mosctl isup 2") == far.sh("mosctl isup 1") == "yes",
        UP_SECONDS,
    )
    pid = near.sh(BURN)
    until("a migration", lambda: near.sh(f"cat /proc/{pid}/where") == "2", MIGRATION_SECONDS)
    assert far.sh("ls /proc/hpc/remote") != ""
    near.sh(f"kill -9 {pid}")
    assert len(wire.frames) > 100, "else the next line would prove nothing"
    assert not any(wire.saw(bytes((10, 88, 0, last))) for last in (1, 2)), "the office sees private addresses"
