# SPDX-License-Identifier: GPL-3.0-or-later
"""An office in namespaces: a master with a hub and its tap, desktops, and a switch where we listen."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eyrie.credentials.authority import Authority, WantedCertificate, issue, new_authority
from eyrie.guests.image import cpio
from eyrie.hub.bundle import program
from eyrie.hub.carrier import Carrier, HubLink
from eyrie.hub.guard import guest_mac
from eyrie.hub.main import ask
from eyrie.hub.tls import Identity

MASTER, PORT, TAP, USER = "10.99.1.10", 9620, "eyrie-hub", "nobody"
MASTER_ADDRESS = "10.88.0.254"
_CLONE_NEWNET = 0x40000000
# First program of a guest with nothing but drivers and a shell: it looks around, and tells its console.
INIT = b"""#!/bin/busybox sh
PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
exec </dev/null >/dev/console 2>&1
while read -r module; do insmod "/modules/$module"; done </modules/order
for word in $(busybox cat /proc/cmdline); do
    case $word in hub.*) eval "${word#hub.}" ;; esac
done
[ -z "$mac" ] || busybox ip link set eth0 address "$mac"
busybox ip address add "$me/24" dev eth0
busybox ip link set eth0 up
echo "LOOK ready"
while :; do
    for place in $(echo "$places" | busybox tr , ' '); do
        answer=no
        busybox ping -c 1 -W 1 "$place" >/dev/null 2>&1 && answer=yes
        echo "LOOK $place $answer"
    done
    [ -z "$say" ] || echo "$say" | busybox nc -w 2 "${places##*,}" 7777
    sleep 0.3
done
"""


class Place:
    """A network namespace."""

    def __init__(self, stack: ExitStack, name: str) -> None:
        self.name = f"hub{os.getpid()}-{name}"
        run("ip", "netns", "add", self.name)
        stack.callback(run, "ip", "netns", "delete", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> None:
        run("ip", "-n", self.name, *words)

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets made and threads started in here belong to the namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/proc/thread-self/ns/net").open() as home, Path(f"/run/netns/{self.name}").open() as there:
            assert libc.setns(there.fileno(), _CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert libc.setns(home.fileno(), _CLONE_NEWNET) == 0


class Wire:
    """Everything that went over a link, as bytes."""

    def __init__(self, stack: ExitStack, place: Place, link: str) -> None:
        self.frames: list[bytes] = []
        with place.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self._socket.bind((link, 0))
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        stack.callback(self.close)

    def _listen(self) -> None:
        while not self._done.is_set():
            if select.select([self._socket], [], [], 0.2)[0]:
                self.frames.append(self._socket.recv(70000))

    def saw(self, text: bytes) -> bool:
        return any(text in frame for frame in self.frames)

    def ethertypes(self) -> set[bytes]:
        return {frame[12:14] for frame in self.frames}

    def close(self) -> None:
        self._done.set()
        self._thread.join(2)
        self._socket.close()


class HubOffice:
    """The master, the desktops and the pool's authority."""

    def __init__(self, stack: ExitStack, folder: Path, desktops: Sequence[str]) -> None:
        self._stack, self.folder, self.desktops = stack, folder, list(desktops)
        self.authority = new_authority("lab", datetime.now(UTC))
        (folder / "ca.pem").write_text(self.authority.certificate)
        (folder / "hub.pyz").write_bytes(program())
        self.switch = Place(stack, "switch")
        self.switch.ip("link", "add", "name", "lan", "type", "bridge")
        self.switch.ip("link", "set", "lan", "up")
        self.master = self._host("master", MASTER)
        self.places = {
            name: self._host(name, f"10.99.1.{20 + number}") for number, name in enumerate(desktops)
        }
        self.master.ip("tuntap", "add", "dev", TAP, "mode", "tap", "user", USER)
        self.master.ip("address", "add", f"{MASTER_ADDRESS}/24", "dev", TAP)
        self.master.ip("link", "set", TAP, "up")
        self.log = folder / "hub.log"
        self.tun = folder / "tun"
        os.mknod(self.tun, stat.S_IFCHR | 0o666, os.makedev(10, 200))
        self.tun.chmod(0o666)
        self.hub: subprocess.Popen[bytes] | None = None
        stack.callback(self.stop_hub)

    def _host(self, name: str, address: str) -> Place:
        place, link = Place(self._stack, name), f"to-{name}"[:15]
        place.ip("link", "add", "office", "type", "veth", "peer", "name", link, "netns", self.switch.name)
        place.ip("address", "add", f"{address}/24", "dev", "office")
        place.ip("link", "set", "office", "up")
        self.switch.ip("link", "set", link, "master", "lan", "up")
        return place

    def address(self, desktop: str) -> str:
        """Return the private address of a desktop's guest."""
        return f"10.88.0.{1 + self.desktops.index(desktop)}"

    def identity(
        self, name: str, *, by: Authority | None = None, made: datetime | None = None, hub: bool = False
    ) -> Identity:
        """Make a certificate."""
        wanted = WantedCertificate((MASTER if hub else name,), 30, "server" if hub else "desktop")
        file = self.folder / f"{name}-{time.monotonic_ns()}.pem"
        file.write_text(issue(by or self.authority, wanted, made or datetime.now(UTC)))
        file.chmod(0o644)
        return Identity(str(self.folder / "ca.pem"), str(file), str(file))

    def start_hub(self) -> None:
        """Start the hub's program as an account without any privilege."""
        identity = self.identity("hub", hub=True)
        guests = [
            {"name": name, "macs": [guest_mac("lab", name)], "address": self.address(name)}
            for name in self.desktops
        ]
        config = {
            "version": 1,
            "pool": "lab",
            "listen": {"address": MASTER, "port": PORT},
            "ca": identity.ca,
            "certificate": identity.certificate,
            "key": identity.key,
            "tap": TAP,
            "mtu": 1500,
            "flood_per_second": 500,
            "revoked": [],
            "status": str(self.folder / "run" / "status"),
            "guests": guests,
        }
        (self.folder / "run").mkdir(exist_ok=True)
        (self.folder / "run").chmod(0o777)
        (self.folder / "run" / "status").unlink(missing_ok=True)
        (self.folder / "hub.json").write_text(json.dumps(config))
        drop = ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups", "--inh-caps=-all"]
        python = ["/usr/bin/python3", "-I", str(self.folder / "hub.pyz")]
        # What Debian's udev lets everybody open, and other systems root alone.
        tun = ["unshare", "--mount", "sh", "-c", f'mount --bind {self.tun} /dev/net/tun; exec "$@"', "sh"]
        words = [*tun, *drop, "--no-new-privs", *python, "run", "--config", str(self.folder / "hub.json")]
        with self.log.open("ab") as log:
            self.hub = subprocess.Popen(self.master.command(*words), stderr=log)
        eventually(lambda: (self.folder / "run" / "status").exists(), 20)

    def stop_hub(self) -> None:
        if self.hub is not None:
            self.hub.terminate()
            self.hub.wait(10)
            self.hub = None

    def state(self) -> dict[str, Any]:
        return ask(str(self.folder / "run" / "status"))

    def carrier(self, desktop: str, identity: Identity) -> tuple[Carrier, socket.socket]:
        """Start a desktop's carrier; return it and the end that is QEMU's."""
        near, far = socket.socketpair()
        carrier = Carrier(HubLink(MASTER, PORT, identity), near)
        with self.places[desktop].entered():
            carrier.start()
        self._stack.callback(carrier.join, 10)
        self._stack.callback(carrier.stop)
        return carrier, far


class QemuGuest:
    """A guest of the guest image's kernel; its second root tells its console what it reaches."""

    def __init__(
        self,
        stack: ExitStack,
        office: HubOffice,
        image: Path,
        desktop: str,
        qemu: socket.socket,
        **words: str,
    ) -> None:
        self.console = office.folder / f"{desktop}-{time.monotonic_ns()}.log"
        root = office.folder / "root.cpio"
        first = (image / "initramfs.cpio.zst").read_bytes()
        first += bytes(-len(first) % 4)  # where the kernel looks for the next archive
        root.write_bytes(first + cpio.archive([cpio.file("init", INIT, executable=True)], 0))
        asked = {"me": office.address(desktop), **words}
        append = " ".join(f"hub.{key}={value}" for key, value in asked.items())
        command = [
            "nice",
            "qemu-system-x86_64",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
        ]
        command += ["-machine", "q35", "-accel", "tcg,tb-size=64", "-cpu", "max,-cx16", "-m", "160"]
        command += ["-kernel", f"{image}/vmlinuz", "-initrd", str(root), "-serial", f"file:{self.console}"]
        command += [
            "-append",
            f"console=ttyS0 quiet panic=-1 cryptomgr.notests tsc=reliable no_timer_check {append}",
        ]
        command += ["-netdev", f"stream,id=hub,server=off,addr.type=fd,addr.str={qemu.fileno()}"]
        command += ["-device", f"virtio-net-pci,netdev=hub,mac={guest_mac('lab', desktop)},romfile="]
        self.process = subprocess.Popen(command, pass_fds=[qemu.fileno()], stdin=subprocess.DEVNULL)
        qemu.close()
        stack.callback(self.end)

    def looks(self) -> list[tuple[str, str]]:
        """Return what it has reached so far, and what not."""
        with contextlib.suppress(FileNotFoundError):
            lines = self.console.read_text(errors="replace").replace("\r", "").splitlines()
            return [
                (words[1], words[2]) for words in map(str.split, lines) if words[:1] == ["LOOK"] and words[2:]
            ]
        return []

    def wait_for(self, place: str, answer: str, *, more: int = 1, seconds: float = 240) -> None:
        """Wait for further looks with this outcome."""
        before = self.looks().count((place, answer))
        eventually(lambda: self.looks().count((place, answer)) >= before + more, seconds, self.console)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def eventually(true: Callable[[], bool], seconds: float, console: Path | None = None) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        said = console.read_text(errors="replace")[-1500:] if console and console.exists() else ""
        assert time.monotonic() < end, f"it did not happen in {seconds} s. {said}"
        time.sleep(0.05)


def run(*words: str) -> None:
    """Run a short command."""
    subprocess.run(words, check=True, timeout=20)
