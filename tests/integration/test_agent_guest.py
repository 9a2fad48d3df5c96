# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner comes back to a desktop whose guest uses a whole core: a real agent, a real QEMU, real input."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

UNIT = Path(__file__).parents[1] / "unit" / "agent"
sys.path.insert(0, str(UNIT))

from agent_world import config, token  # noqa: E402 - found through the line before
from spinning import write_image  # noqa: E402
from test_agent_idle_sources import KEYBOARD, PRESS, Desk  # noqa: E402
from test_agent_idle_terminal import Pty  # noqa: E402

from eyrie.agent.control import ask  # noqa: E402
from eyrie.errors import EyrieError  # noqa: E402

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="QEMU is not installed"),
]
GRACE = 4.0


class Desktop:
    """A desktop with one keyboard or one terminal, and its agent."""

    def __init__(self, source: str) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="eyrie-"))
        self.master = socket.create_server(("127.0.0.1", 0))
        write_image(self.root / "image")
        (self.root / "token").write_text(token(exp=4e9))
        (self.root / "dev" / "pts").mkdir(parents=True)
        self.pty = Pty(self.root / "dev")
        self.desk = Desk(self.root)
        self.desk.plug("event0", KEYBOARD)
        data = config(
            idle__sources=[source],
            idle__seconds=1,
            evict__grace_seconds=GRACE,
            guest__image=str(self.root / "image"),
            guest__token=str(self.root / "token"),
            guest__user="root",
            guest__accel="tcg",
            guest__memory_mib=64,
            pool__port=self.master.getsockname()[1],
        )
        (self.root / "agent.json").write_text(json.dumps(data))
        program = Path(__file__).with_name("agent_process.py")
        self.process = subprocess.Popen([sys.executable, str(program), str(self.root)])

    def status(self) -> dict[str, Any]:
        return ask(self.root / "run" / "agent.sock", "status")

    def wait_for(self, state: str, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                status = self.status()
            except EyrieError:  # it has only just been started
                status = {"state": "no agent"}
            if status["state"] == state:
                return status
            time.sleep(0.02)
        raise AssertionError(status)

    def joined(self) -> int:
        """Wait until the guest runs at full speed; return its process."""
        pid = int(self.wait_for("joined", 30)["guest"]["pid"])
        spent = cpu(pid)
        while cpu(pid) - spent < 0.2:
            time.sleep(0.02)
        return pid

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.pty.close()
        self.master.close()
        shutil.rmtree(self.root)


def cpu(pid: int) -> float:
    """Return the processor seconds of all threads, to the nanosecond; what is gone uses none."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return total / 1e9


def exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def quiet_after(pid: int, began: float) -> float:
    """Return the seconds from `began` to the last moment the guest was seen using the processor."""
    last, spent = began, cpu(pid)
    while time.monotonic() < last + 0.7:
        time.sleep(0.005)
        now_spent = cpu(pid)
        if now_spent - spent > 0.001:
            last = time.monotonic()
        spent = now_spent
    return last - began


@pytest.fixture
def terminal() -> Iterator[Desktop]:
    desktop = Desktop("terminal")
    yield desktop
    desktop.close()


@pytest.fixture
def keyboard() -> Iterator[Desktop]:
    desktop = Desktop("input_devices")
    yield desktop
    desktop.close()


def test_typing_on_a_terminal_stills_the_guest_within_a_second_and_ends_it_in_time(terminal: Desktop) -> None:
    pid = terminal.joined()
    began = time.monotonic()
    terminal.pty.type()
    assert quiet_after(pid, began) <= 1.0
    assert exists(pid), "ended without a chance to hand its jobs back"
    while exists(pid):
        assert time.monotonic() - began <= GRACE + 0.5
        time.sleep(0.01)
    status = terminal.wait_for("busy", 5)
    assert status["guest"] is None
    assert "typing on" in status["history"][-1]["reason"]


def test_a_key_stills_the_guest_at_once_and_the_first_second_is_the_owners(keyboard: Desktop) -> None:
    for _ in range(3):
        pid = keyboard.joined()
        began = time.monotonic()
        keyboard.desk.send("event0", PRESS)
        assert quiet_after(pid, began) <= 0.3
        stilled = cpu(pid)
        while time.monotonic() - began < 0.9:
            assert cpu(pid) - stilled <= 0.01
            time.sleep(0.01)
        while exists(pid):
            assert time.monotonic() - began <= GRACE + 0.5
            time.sleep(0.01)


def test_an_agent_that_is_killed_takes_its_guest_along(keyboard: Desktop) -> None:
    pid = keyboard.joined()
    keyboard.process.kill()
    keyboard.process.wait(10)
    until = time.monotonic() + 5
    while exists(pid):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_dying_qemu_is_told_and_tried_again(keyboard: Desktop) -> None:
    pid = keyboard.joined()
    os.kill(pid, 9)
    status = keyboard.wait_for("failed", 5)
    assert "the guest ended by itself" in status["reason"]
    assert 0 < status["retry_in_seconds"] <= 10


def test_the_agents_end_ends_the_guest(keyboard: Desktop) -> None:
    pid = keyboard.joined()
    keyboard.process.terminate()
    assert keyboard.process.wait(GRACE + 3) == 0
    assert not exists(pid)
