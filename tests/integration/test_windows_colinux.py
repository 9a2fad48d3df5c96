# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent drives coLinux on the lab's Windows: real Windows Python, services, processes and jobs of Wine.

coLinux 0.6.1, WinPcap and the guest are STAND-INS (they play the guest, and mark its image as in use and as
clean), Wine is of 64 bits: where the agent judges its desktop, processor and version are SCRIPTED.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msi_place import PYTHON, Done, machine
from windows_agent_place import BUNDLE, OWNER, SIDE, Desktop, agent_config

from eyrie.guests.colinux.install import look

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

LIES = r"Z:\opt\eyrie-lab\colinux"
DAEMON, HELPER = "colinux-daemon.exe", "colinux-bridged-net-daemon.exe"
XML = r"""<colinux><block_device index="0" path="\DosDevices\C:\coLinux\root_fs" enabled="true" />
<image path="C:\coLinux\vmlinux" />
<network index="0" type="bridged" name="Intel" mac="02:00:00:00:00:01" /></colinux>
"""
GUEST = {
    "backend": "colinux",
    "folder": r"C:\coLinux",
    "service": "EyrieGuest",
    "network": "bridge",
    "image": r"C:\coLinux\root_fs",
    "image_id": "colinux-0.6.1",
    "answer": {"address": "127.0.0.1", "port": 22},  # where the stand-in of the guest answers
}
GRACE = 20
STATE = 1024 + 0x3A  # of the image's file system: 0 in use, 1 clean


def colinux_config() -> dict[str, Any]:
    """Return an agent.json for the backend colinux."""
    data = agent_config(evict__grace_seconds=GRACE, pool__engine="none")
    return {**data, "guest": GUEST}


class Office(Desktop):
    """A desktop with coLinux as role colinux leaves it to an agent."""

    def prepare(self) -> None:
        self.install()  # what a converge looks for; the agent of these tests runs in the foreground
        shutil.copytree(self.machine.root / "opt/eyrie-lab/colinux/0.6.1", self.machine.c / "coLinux")
        image = bytearray(8192)
        image[1024 + 0x38 : 1024 + 0x3C] = b"\x53\xef\x01\x00"
        (self.machine.c / "coLinux/root_fs").write_bytes(image)
        (self.machine.c / "coLinux/desk.xml").write_text(XML)
        adapter = "[nic0]\nNetConnectionID=LAN1\nDescription=Intel PRO/100 VE\n"
        (self.machine.c / "windows/eyrie-lab/desktop.ini").write_text(adapter)
        for line in (
            rf"{LIES}\winpcap.exe /S",
            rf"C:\coLinux\{DAEMON} --install-driver",
            rf"C:\coLinux\{DAEMON} -c C:\coLinux\desk.xml --install-service EyrieGuest",
        ):
            assert self.cmd(line).code == 0, line

    def cmd(self, line: str) -> Done:
        return self.machine.run("cmd", "/c", *line.split())

    def clean(self) -> bool:
        """Whether the guest's file system was shut down in order."""
        return (self.machine.c / "coLinux/root_fs").read_bytes()[STATE] == 1

    def guests(self) -> list[int]:
        return self.processes(f"{DAEMON} --run-service") or self.processes(f'{DAEMON}" --run-service')

    def owner_stays_until_it_is_gone(self, seconds: float) -> None:
        """Keep the desktop busy: as soon as nobody has touched it for 3 s, it would start the next guest."""
        end = time.monotonic() + seconds
        while self.processes(DAEMON):
            assert time.monotonic() < end, "the guest still runs"
            self.side("press")

    def in_the_pool(self) -> str:
        """Be the agent, in the foreground; return its pipe once it has joined."""
        self.configure(json.dumps(colinux_config()))
        pipe = rf"\\.\pipe\eyrie-{time.monotonic_ns()}"
        self.machine.run(PYTHON, "-B", SIDE, BUNDLE, "agent", r"C:\ProgramData\Eyrie", pipe, wait=False)
        self.until(lambda status: status["state"] == "joined", 120, pipe)
        return pipe


def until(seen: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture(scope="module")
def made() -> Iterator[Office]:
    assert os.geteuid() == 0, "these tests need root"
    with machine() as one:
        office = Office(one)
        office.prepare()
        yield office


@pytest.fixture
def office(made: Office) -> Iterator[Office]:
    made.sessions(OWNER)
    yield made
    for each in made.processes("agent_side.py"):
        os.kill(each, signal.SIGKILL)
    made.gone("agent_side.py")
    made.gone(DAEMON)
    shutil.rmtree(made.data, ignore_errors=True)


def test_it_joins_is_stopped_in_order_for_its_owner_and_comes_back(office: Office) -> None:
    pipe = office.in_the_pool()
    assert len(office.guests()) == 1 and not office.clean()
    assert office.status(pipe)["guest"]["accelerator"] == "colinux"
    seconds = float(office.side("key", pipe, "evicting"))
    assert seconds < 1.0, seconds
    assert office.guests(), "held, and not ended"
    office.owner_stays_until_it_is_gone(GRACE - 5)
    assert office.clean()
    office.gone(HELPER, 3)
    office.until(lambda status: status["state"] == "joined", 60, pipe)
    assert len(office.guests()) == 1
    told = office.status(pipe)["history"]
    assert [each["state"] for each in told][-3:] == ["joined", "evicting", "joined"]


def test_one_that_does_not_shut_down_is_killed_when_its_time_is_over(office: Office) -> None:
    pipe = office.in_the_pool()
    (guest,) = office.guests()
    os.kill(guest, signal.SIGSTOP)
    began = time.monotonic()
    office.side("key", pipe, "evicting")
    office.owner_stays_until_it_is_gone(GRACE + 10)
    assert time.monotonic() - began > GRACE - 4
    assert not office.clean(), "the power was cut for it"
    office.gone(HELPER, 3)
    office.until(lambda status: status["state"] == "joined", 60, pipe)


def test_no_guest_outlives_an_agent_that_is_killed(office: Office) -> None:
    office.in_the_pool()
    (agent,) = office.processes("agent_side.py")
    os.kill(agent, signal.SIGKILL)
    office.gone(DAEMON, 5)


def test_one_that_somebody_else_started_is_stopped_in_order_and_then_the_agents(office: Office) -> None:
    assert office.cmd("net start EyrieGuest").code == 0
    until(office.guests)
    (stranger,) = office.guests()
    office.in_the_pool()
    (guest,) = office.guests()
    assert guest != stranger


def test_its_zone_is_read_as_reg_tells_it(office: Office) -> None:
    """Wine tells none by itself: that counts as busy."""
    ask = f"reg query {look.CLOCK} /v ActiveTimeBias"

    def bias() -> int | None:
        said = f"eyrie-part clock\n{office.cmd(ask).out}\neyrie-part end\n"
        return look.parse(said, "desk-1", r"C:\coLinux", HELPER).bias

    assert bias() is None
    assert (
        office.cmd(f"reg add {look.CLOCK} /v ActiveTimeBias /t REG_DWORD /d {-60 % (1 << 32)} /f").code == 0
    )
    assert bias() == -60


HELD = r"""
import sys, time
sys.path.insert(0, r"C:\eyrie\agent.pyz")
from eyrie.guests.backend import ColinuxSpec, GuestSpec
from eyrie.guests.windows.colinux import ColinuxBackend
from eyrie.guests.windows.colinux_desktop import WindowsDesktop
from eyrie.guests.windows.job import GuestJob
wanted = ColinuxSpec(r"C:\coLinux", "EyrieGuest", "bridge")
spec = GuestSpec("d", "", "", 0, 1, 100, "", "", "", "", colinux=wanted)
guest = ColinuxBackend(WindowsDesktop(GuestJob())).start(spec)
time.sleep(1)
began = time.monotonic()
guest.pause()
held = time.monotonic() - began
guest.vacate(20)
time.sleep(4)
print("held", guest.exit_status() is None, held < 0.5)
guest.resume()
end = time.monotonic() + 20
while guest.exit_status() is None and time.monotonic() < end:
    time.sleep(0.1)
print("ended", guest.exit_status() is not None)
print(guest.released())
guest.close()
"""


def test_a_held_guest_does_nothing_until_it_is_let_go(office: Office) -> None:
    (office.folder / "held.py").write_text(HELD)
    done = office.machine.run(PYTHON, "-B", r"C:\eyrie\held.py")
    assert "held True True" in done.out and "ended True" in done.out, done.out
    assert "the guest's memory is free again" in done.out
    assert office.clean()


CONVERGE = r"""
import os, sys
os.environ["PROCESSOR_ARCHITECTURE"] = sys.argv[1]
sys.path.insert(0, r"C:\eyrie\agent.pyz")
from eyrie.agent.converge.command import converge_command
converge_command(check=True, text=open(r"C:\eyrie\spec.json").read())
"""


def converged(office: Office, architecture: str) -> dict[str, Any]:
    done = office.machine.run(PYTHON, "-B", r"C:\eyrie\converge.py", architecture)
    return dict(json.loads(done.out))


def test_a_converge_takes_it_on_a_32_bit_windows_7_alone(office: Office) -> None:
    """Processor and version are SCRIPTED: an environment variable, and what Wine is told to say."""
    spec = {
        "version": 1,
        "agent_version": "",
        "agent": colinux_config(),
        "token": "",
        "items": [],
        "ca": "",
        "firewall": True,
    }
    (office.folder / "spec.json").write_text(json.dumps(spec))
    (office.folder / "converge.py").write_text(CONVERGE)
    key = r"HKCU\Software\Wine\AppDefaults\python.exe"
    refused = converged(office, "AMD64")
    assert "not a 32-bit desktop" in [each["name"] for each in refused["problems"]]
    office.cmd(f"reg add {key} /v Version /d win7 /f")
    try:
        taken = converged(office, "x86")
    finally:
        office.cmd(f"reg delete {key} /f")
    assert taken["facts"]["windows"]["version"].startswith("6.1")
    assert taken["problems"] == [] and taken["changed"]
