# SPDX-License-Identifier: GPL-3.0-or-later
"""Tried from inside, as the guest's root: it reaches the master's pool port, and nothing else.

Both fences are tried alone: the one inside without the desktop's rules, and the desktop's after the guest's
root has torn down the one inside. A guest with neither must reach everything, or they would prove nothing.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from guest_place import MASTER, OTHER_HOST, PORT, USER, Namespace, guest_spec, require_tools, running

from eyrie.apt_mirror import debian_mirror
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import GuestImage, Recipe
from eyrie.guests.isolation import host_rules

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

LOOPBACK_PORT = 7001
PLACES = {
    "pool": f"{MASTER} {PORT}",
    "master-ssh": f"{MASTER} 22",
    "office-host": f"{OTHER_HOST} {PORT}",
    "desktop-loopback": f"10.0.2.2 {LOOPBACK_PORT}",
}
# Runs in place of the engine. nc says by its status whether the connection came about; the name server knows
# whether a query came through.
SCRIPT = """
look() {{
    for place in {places}; do
        name=${{place%%=*}} address=${{place#*=}}
        answer=no
        timeout 6 nc -w 4 "${{address%:*}}" "${{address#*:}}" </dev/null >/dev/null 2>&1 && answer=yes
        echo "LOOK $1 $name $answer"
    done
    timeout 6 nslookup "$1.example" 10.0.2.3 >/dev/null 2>&1
}}
engine_run() {{
    echo $$ >$ENGINE_PID
    {{
        echo "LOOK as $(id -u)"
        look fenced
        nft flush ruleset && look flushed
        echo LOOK done
    }} >/dev/console 2>&1
    sleep 300
}}
"""


@pytest.fixture(scope="module")
def image() -> Iterator[GuestImage]:
    """Build an image whose engine is our script; a shipped image has no such thing."""
    require_tools()
    with tempfile.TemporaryDirectory(prefix="eyrie-overlay-", dir="/var/tmp") as name:
        engine = Path(name) / "etc/eyrie/engine.sh"
        engine.parent.mkdir(parents=True)
        places = " ".join(f"{key}={place.replace(' ', ':')}" for key, place in PLACES.items())
        ours = (files("eyrie.guests.image") / "data/engine.sh").read_text()
        engine.write_text(ours + SCRIPT.format(places=places))
        built = build_image(Recipe(overlay=Path(name)), debian_mirror)
        yield built
        shutil.rmtree(built.directory)


def name_server() -> str:
    """Return the address QEMU passes its guest's name queries on to."""
    for line in Path("/etc/resolv.conf").read_text().splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and ":" not in words[1]:
            return words[1]
    return "127.0.0.1"


class Office:
    """What a guest could reach but must not: listeners on every address, and a name server."""

    def __init__(self, place: Namespace) -> None:
        self.place = place
        self.queries: list[bytes] = []
        self._sockets: list[socket.socket] = []
        with place.entered():
            for address, port in [
                (MASTER, PORT),
                (MASTER, 22),
                (OTHER_HOST, PORT),
                ("127.0.0.1", LOOPBACK_PORT),
            ]:
                self._sockets.append(socket.create_server((address, port), backlog=16))
            if not name_server().startswith("127."):
                place.ip("address", "add", f"{name_server()}/32", "dev", "lo")
            self._names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._names.bind((name_server(), 53))
        for listener in self._sockets:
            threading.Thread(target=self._greet, args=(listener,), daemon=True).start()
        threading.Thread(target=self._note, daemon=True).start()

    def _greet(self, listener: socket.socket) -> None:
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return

    def _note(self) -> None:
        while True:
            try:
                self.queries.append(self._names.recv(512))
            except OSError:
                return

    def asked(self, phase: str) -> bool:
        return any(phase.encode() in query for query in self.queries)

    def close(self) -> None:
        for each in [*self._sockets, self._names]:
            each.close()


@contextmanager
def office(rules: str) -> Iterator[Office]:
    place = Namespace(f"eyrie-test-{os.getpid()}")
    with ExitStack() as stack:
        stack.callback(place.remove)
        made = Office(place)
        stack.callback(made.close)
        if rules:
            subprocess.run(place.command("nft", "-f", "-"), input=rules, text=True, check=True, timeout=20)
        yield made


def look_around(image: GuestImage, rules: str) -> dict[str, set[str]]:
    """Boot the guest; return, for the time before and after its root flushed its rules, what it reached."""
    with (
        tempfile.TemporaryDirectory(prefix="eyrie-guest-", dir="/var/tmp") as folder,
        office(rules) as around,
        running(around.place, guest_spec(Path(folder), image, "a.b.c", lease_seconds="600")) as guest,
    ):
        guest.wait_for("state", "engine-starting", timeout=120)
        text = ""
        for _ in range(900):
            text += guest.guest.console()
            if "LOOK done" in text:
                break
            assert guest.guest.exit_status() is None, text
            threading.Event().wait(0.2)
        assert "LOOK done" in text, text
        lines = text.replace("\r", "").splitlines()
        assert "LOOK as 0" in lines, "the script was not root"
        lines.remove("LOOK as 0")
        looks = [line.split()[1:] for line in lines if line.startswith("LOOK ")]
        reached: dict[str, set[str]] = {"fenced": set(), "flushed": set()}
        assert len(looks) == 2 * len(PLACES) + 1
        for phase, *answer in looks[:-1]:
            reached[phase] |= {answer[0]} if answer[1] == "yes" else set()
        for phase, names in reached.items():
            names |= {"dns"} if around.asked(phase) else set()
        return reached


def test_the_fence_inside_holds_alone(image: GuestImage) -> None:
    reached = look_around(image, rules="")
    assert reached["fenced"] == {"pool"}
    assert reached["flushed"] == {*PLACES, "dns"}, (
        "without any fence all must be in reach, else this proves nothing"
    )


def test_the_desktops_fence_holds_against_the_guests_root(image: GuestImage) -> None:
    reached = look_around(image, host_rules(USER, MASTER, PORT))
    assert reached == {"fenced": {"pool"}, "flushed": {"pool"}}
