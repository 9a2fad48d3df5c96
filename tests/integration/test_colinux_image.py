# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's root image boots: a real kernel in QEMU, BusyBox as init; no coLinux and no openMosix are in it.

What stands in: Debian's kernel for coLinux's, a virtio disk for cobd0, a key pressed through QMP for the
Ctrl-Alt-Del that coLinux 0.6 sends.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eyrie.apt_mirror import debian_mirror
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import Recipe
from eyrie.guests.qmp import QmpClient
from eyrie.images import ImageFile, inject, open_image
from eyrie.images.colinux.build import build
from eyrie.images.colinux.changes import Wanted
from tests.unit.images_colinux.guest_base import CLOCK, image, tree

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

# The first root stands in for a kernel that has its disk's driver built in.
FIRST = b"""#!/bin/busybox sh
mount -t devtmpfs dev /dev
for module in failover net_failover virtio_blk virtio_net; do
    [ ! -e /modules/$module.ko ] || insmod /modules/$module.ko
done
mount -t ext3 -o ro /dev/vda /root || poweroff -f
mount --move /dev /root/dev
exec switch_root /root /sbin/init
"""
APPLETS = (
    *("sh", "cat", "dd", "df", "echo", "grep", "hostname", "httpd", "ifconfig", "ip", "mkdir", "mkswap"),
    *("mount", "mv", "poweroff", "rm", "route", "sed", "swapoff", "swapon", "umount"),
)
# Known of the base alone; its line for Ctrl-Alt-Del is what has to go.
INITTAB = """::sysinit:/etc/init.d/rcS
::once:/etc/init.d/tell
::ctrlaltdel:/sbin/reboot
"""
RCS = """#!/bin/sh
mount -t proc proc /proc
mount -o remount,rw /
"""
# What the kernel knows, not what the script says.
TELL = """#!/bin/sh
mkdir -p /tmp/www
{
    hostname
    ip -4 address show dev eth0
    ip route
    cat /proc/swaps /etc/eyrie/guest
} >/tmp/www/told
exec httpd -f -p 8080 -h /tmp/www
"""
LINE = "console=ttyS0 root=/dev/cobd0 ro panic=5 eyrie_pool=lab eyrie_master=10.77.0.10 eyrie_node=21"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Kernel, first root and the guest's root image."""
    for program in ("qemu-system-x86_64", "zstd", "mke2fs"):
        assert shutil.which(program, path="/usr/bin:/usr/sbin"), program
    folder = tmp_path_factory.mktemp("machine")
    built = build_image(Recipe(), debian_mirror).directory
    plain = folder / "plain.cpio"
    subprocess.run(["zstd", "-dqf", built / "initramfs.cpio.zst", "-o", plain], check=True)
    inject(plain, folder / "first.cpio", [ImageFile("/init", 0o755, 0, 0, FIRST)])
    place = tree(
        folder / "tree",
        {
            "etc/inittab": INITTAB,
            "etc/init.d/rcS": RCS,
            "etc/init.d/tell": TELL,
            "etc/fstab": "/dev/hda1 / ext2 defaults 0 1\n",
            "etc/passwd": "root::0:0:root:/root:/bin/sh\n",
        },
    )
    for script in ("rcS", "tell"):
        (place / "etc/init.d" / script).chmod(0o755)
    for name in ("bin", "sbin", "proc", "tmp"):
        (place / name).mkdir()
    (place / "bin/busybox").write_bytes(open_image(plain).extract("/bin/busybox"))
    (place / "bin/busybox").chmod(0o755)
    for applet in APPLETS:
        (place / "bin" / applet).symlink_to("busybox")
    for applet in ("init", "poweroff", "reboot", "swapoff"):
        (place / "sbin" / applet).symlink_to("../bin/busybox")
    base = image(place, folder / "base", mib=96)
    build(base, folder / "root_fs", Wanted())
    return built / "vmlinuz", folder / "first.cpio", folder / "root_fs"


class Running:
    """A guest that runs."""

    def __init__(self, process: subprocess.Popen[bytes], qmp: socket.socket, port: int) -> None:
        self.process, self.port = process, port
        self._console = bytearray()
        threading.Thread(target=self._listen, daemon=True).start()
        self._socket = qmp
        self._client = QmpClient(qmp)
        self._client.handshake(20)

    def told(self, seconds: float = 150) -> str:
        """Ask the guest at the address that it was given."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.said()[-3000:]
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as stream:
                    stream.settimeout(10)
                    stream.sendall(b"GET /told HTTP/1.0\r\n\r\n")
                    answer = b"".join(iter(lambda: stream.recv(4096), b""))
            except OSError:
                answer = b""
            if answer.startswith(b"HTTP/1.") and b"200 OK" in answer:
                return answer.split(b"\r\n\r\n", 1)[1].decode()
            time.sleep(0.5)
        raise AssertionError(f"no answer at its address: {self.said()}")

    def press(self) -> tuple[str, float]:
        """Press Ctrl-Alt-Del; return why the machine ended, as QEMU says, and after how long."""
        began = time.monotonic()
        keys = [{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")]
        self._client.execute("send-key", 10, keys=keys)
        self._socket.settimeout(90)
        rest = b""
        while block := self._socket.recv(65536):
            rest += block
        self.process.wait(30)
        events = [json.loads(line) for line in rest.splitlines()]
        (reason,) = [each["data"]["reason"] for each in events if each.get("event") == "SHUTDOWN"]
        return reason, time.monotonic() - began

    def _listen(self) -> None:
        assert self.process.stdout is not None
        while block := os.read(self.process.stdout.fileno(), 4096):
            self._console += block

    def said(self) -> str:
        return self._console.decode(errors="replace")

    def hear(self, words: str, seconds: float = 20) -> None:
        """Wait for words on its console."""
        end = time.monotonic() + seconds
        while words not in self.said():
            assert time.monotonic() < end, f"{words!r} not in: {self.said()[-3000:]}"
            time.sleep(0.3)


@contextmanager
def booted(machine: tuple[Path, Path, Path], disk: Path, words: str) -> Iterator[Running]:
    kernel, first, _ = machine
    control = disk.with_suffix(".qmp")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # QEMU 7.2 emulates cmpxchg16b such that today's kernel crashes.
    command = [
        "qemu-system-x86_64",
        "-accel",
        "tcg",
        "-cpu",
        "max,-cx16",
        "-m",
        "160",
        "-nographic",
        "-nodefaults",
        "-no-reboot",
    ]
    command += ["-kernel", str(kernel), "-initrd", str(first), "-append", f"{LINE} {words}"]
    command += ["-drive", f"file={disk},format=raw,if=virtio", "-serial", "stdio"]
    # Only who has exactly this address is reached.
    net = (
        f"user,id=n,net=10.77.0.0/24,host=10.77.0.1,restrict=on,hostfwd=tcp:127.0.0.1:{port}-10.77.0.21:8080"
    )
    command += ["-netdev", net, "-device", "virtio-net-pci,netdev=n", "-vga", "std"]
    command += ["-qmp", f"unix:{control},server=on,wait=off"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        with socket.socket(socket.AF_UNIX) as qmp:
            for _ in range(100):
                try:
                    qmp.connect(str(control))
                    break
                except OSError:
                    time.sleep(0.1)
            yield Running(process, qmp, port)
    finally:
        process.kill()
        process.wait(30)


def sound(disk: Path) -> bool:
    done = subprocess.run(["e2fsck", "-fn", str(disk)], env=CLOCK, capture_output=True, check=False)
    return done.returncode == 0 and b"recover" not in done.stdout


def test_a_guest_reads_its_boot_line_and_halts_cleanly(
    machine: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    disk = tmp_path / "desk"
    shutil.copyfile(machine[2], disk)
    own = "eyrie_name=desk-1 eyrie_address=10.77.0.21/24 eyrie_gateway=10.77.0.1"
    with booted(machine, disk, own) as guest:
        told = guest.told()
        assert told.startswith("desk-1\n")
        assert "inet 10.77.0.21/24" in told and "default via 10.77.0.1 dev eth0" in told
        assert "\n/eyrie-swap." in told, "swap is on"
        assert told.endswith("node=21\nmaster=10.77.0.10\n")
        guest.hear("eyrie: making ")
        reason, seconds = guest.press()
        assert reason == "guest-shutdown", f"not a reset: {guest.said()}"
        guest.hear("eyrie: halting")
        assert seconds < 60
    assert sound(disk), "its file system was left as after a power cut"
    # The same image on another desktop: its swap is there already, its name is the other's.
    with booted(machine, disk, own.replace("desk-1", "desk-2")) as guest:
        told = guest.told()
        assert told.startswith("desk-2\n") and "name=desk-2\n" in told
        guest.hear("eyrie: guest desk-2 of pool lab is up")
        assert "eyrie: making " not in guest.said()
        assert guest.press()[0] == "guest-shutdown"
    assert sound(disk)


def test_a_guest_with_a_broken_line_is_no_member_and_still_halts(
    machine: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    disk = tmp_path / "desk"
    shutil.copyfile(machine[2], disk)
    with booted(machine, disk, "eyrie_name=desk-1 eyrie_address=10.77.0.21") as guest:
        guest.hear("eyrie: refused: eyrie_address=10.77.0.21 is not such as", 150)
        assert guest.press()[0] == "guest-shutdown"
    assert sound(disk)
    names = {member.path for member in open_image(disk).list()}
    assert not [name for name in names if name.startswith(("/etc/eyrie", "/eyrie-swap"))]
