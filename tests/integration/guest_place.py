# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace to try guests in: an office with a master's address, and nothing that leads outside."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eyrie.guests.accel import Accelerator
from eyrie.guests.backend import GuestSpec, Message
from eyrie.guests.image.recipe import GuestImage
from eyrie.guests.qemu import QemuBackend, QemuGuest

MASTER = "10.99.1.10"
OTHER_HOST = "10.99.1.77"
PORT = 9618
USER = "nobody"
_CLONE_NEWNET = 0x40000000
_PROGRAMS = (
    "qemu-system-x86_64",
    "setpriv",
    "chrt",
    "ip",
    "nft",
    "mksquashfs",
    "zstd",
    "dpkg-deb",
    "apt-get",
)


def require_tools() -> None:
    """Fail, with the names, when something these tests need is missing: a skipped test proves nothing."""
    assert os.geteuid() == 0, "these tests need root"
    missing = [
        name for name in _PROGRAMS if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None
    ]
    assert not missing, f"these tests need {', '.join(missing)}"


class Namespace:
    """A named network namespace that this process can step into."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ip("netns", "add", name, inside=False)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", "office", "type", "veth", "peer", "name", "far")
        for address in (MASTER, OTHER_HOST):
            self.ip("address", "add", f"{address}/24", "dev", "office")
        self.ip("link", "set", "office", "up")
        self.ip("link", "set", "far", "up")

    def ip(self, *words: str, inside: bool = True) -> None:
        where = ["-n", self.name] if inside else []
        subprocess.run(["ip", *where, *words], check=True, timeout=20)

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets made and processes started in here belong to the namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/proc/thread-self/ns/net").open() as home, Path(f"/run/netns/{self.name}").open() as there:
            assert libc.setns(there.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert libc.setns(home.fileno(), _CLONE_NEWNET) == 0

    def remove(self) -> None:
        self.ip("netns", "delete", self.name, inside=False)


class Watched:
    """A running guest and everything it has said, with the seconds since its start."""

    def __init__(self, guest: QemuGuest, began: float) -> None:
        self.guest = guest
        self.began = began
        self.said: list[tuple[float, Message]] = []

    def wait_for(self, kind: str, word: str = "", *, timeout: float) -> float:
        """Wait until the guest says it; return the time."""
        end = time.monotonic() + timeout
        while True:
            self.listen()
            for when, message in self.said:
                if message.kind == kind and (not word or word in message.words):
                    return when
            assert time.monotonic() < end, f"no {kind} {word} in {timeout} s: {self.said} {self.tail()}"
            assert self.guest.exit_status() is None or self.listen(), f"ended: {self.said}"
            time.sleep(0.02)

    def wait_for_end(self, timeout: float) -> int:
        """Wait until QEMU ends by itself."""
        end = time.monotonic() + timeout
        while (status := self.guest.exit_status()) is None:
            self.listen()
            assert time.monotonic() < end, f"still running after {timeout} s: {self.said} {self.tail()}"
            time.sleep(0.02)
        self.listen()
        return status

    def listen(self) -> bool:
        new = self.guest.messages()
        self.said += [(time.monotonic() - self.began, message) for message in new]
        return bool(new)

    def states(self) -> list[str]:
        return [message.words[0] for _, message in self.said if message.kind == "state"]

    def refusals(self) -> list[str]:
        return [" ".join(message.words) for _, message in self.said if message.kind == "refused"]

    def tail(self) -> str:
        return self.guest.console()[-1500:] if self.guest.exit_status() is None else "(ended)"


@contextmanager
def running(place: Namespace, spec: GuestSpec) -> Iterator[Watched]:
    """Start a guest in `place`; end it whatever happens."""
    began = time.monotonic()
    with place.entered():
        guest = QemuBackend(accelerator=Accelerator("tcg", "")).start(spec)
    try:
        yield Watched(guest, began)
    finally:
        guest.kill()
        guest.close()


def guest_spec(folder: Path, image: GuestImage, token: str, **config: str) -> GuestSpec:
    """Describe a guest of `image` whose files are in `folder`."""
    folder.chmod(0o755)
    (folder / "token").write_text(token)
    shutil.chown(folder / "token", USER)
    (folder / "token").chmod(0o400)
    named = {"name": "desk-1", "pool": "lab", "master": MASTER, "port": str(PORT), "lease_seconds": "60"}
    return GuestSpec(
        name="desk-1",
        image=str(image.directory),
        image_id=image.image_id,
        memory_mib=256,
        cpus=1,
        cpu_percent=100,
        user=USER,
        accel="auto",
        token=str(folder / "token"),
        run_dir=str(folder / "run"),
        config={**named, **config},
    )
