# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows desktop for test_windows_agent.py: Wine's service manager, real Python, the agent's bundle."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

UNIT = Path(__file__).parents[1] / "unit" / "agent"
sys.path.insert(0, str(UNIT))

from agent_world import config, token  # noqa: E402 - found through the line before
from msi_place import PYTHON, Done, Machine  # noqa: E402
from spinning import write_image  # noqa: E402

from eyrie.agent.bundle import write  # noqa: E402

__all__ = ["token", "write_image"]
BUNDLE, SIDE = r"C:\eyrie\agent.pyz", r"C:\eyrie\agent_side.py"
PIPE = r"\\.\pipe\eyrie-agent"
OWNER, NOBODY = "1 active owner unlocked console\n", "1 connected - unlocked console\n"
REGISTRY = r"HKLM\Software\Eyrie\Agent"


def agent_config(**changes: Any) -> dict[str, Any]:
    """Return a configuration without the load as a source: it would be that of the whole host."""
    data = config(
        idle__sources=["sessions", "power", "presentation", "calendar"],
        idle__seconds=3,
        idle__poll_seconds=0.25,
        idle__calendar=[],
        guest__image=r"C:\eyrie\image",
        guest__token=r"C:\eyrie\token",
        guest__user="",
        guest__accel="tcg",
        guest__memory_mib=64,
    )
    data["guest"]["program"] = r"C:\eyrie\qemu\qemu-system-x86_64.exe"
    for path, value in changes.items():
        section, key = path.split("__")
        data[section][key] = value
    return data


class Desktop:
    """A Windows desktop with the agent's files on it."""

    def __init__(self, made: Machine) -> None:
        self.machine = made
        self.folder = made.c / "eyrie"
        self.data = made.c / "ProgramData" / "Eyrie"
        self.folder.mkdir()
        write(self.folder / "agent.pyz")
        shutil.copy(Path(__file__).with_name("windows_agent_side.py"), self.folder / "agent_side.py")
        self.sessions(OWNER)

    def sessions(self, text: str) -> None:
        place = self.machine.c / "windows/eyrie-lab"
        place.mkdir(exist_ok=True)
        (place / ".sessions.new").write_text(text)
        (place / ".sessions.new").rename(place / "sessions")

    def configure(self, text: str | None = None, **changes: Any) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "agent.json").write_text(json.dumps(agent_config(**changes)) if text is None else text)

    def agent(self, *words: str, code: int = 0) -> Done:
        done = self.machine.run(PYTHON, "-B", BUNDLE, *words)
        assert done.code == code, done.out
        return done

    def side(self, *words: str) -> str:
        done = self.machine.run(PYTHON, "-B", SIDE, BUNDLE, *words)
        assert done.code == 0, done.out
        return done.out.strip()

    def status(self, pipe: str = PIPE) -> dict[str, Any]:
        done = self.machine.run(PYTHON, "-B", BUNDLE, "status", "--json", "--socket", pipe)
        assert done.code in (0, 3), done.out
        return dict(json.loads(done.out))

    def until(self, seen: Callable[[dict[str, Any]], object], seconds: float = 40, pipe: str = PIPE) -> Any:
        """Wait until the status shows something."""
        end = time.monotonic() + seconds
        while True:
            answer = self.machine.run(PYTHON, "-B", BUNDLE, "status", "--json", "--socket", pipe)
            status = json.loads(answer.out) if answer.code in (0, 3) else {}
            if status and seen(status):
                return status
            assert time.monotonic() < end, status or answer.out
            time.sleep(0.1)

    def install(self) -> None:
        image = rf'"{PYTHON.replace("python.exe", "pythonw.exe")}" -B "{BUNDLE}" service'
        assert self.machine.run("sc", "create", "EyrieAgent", "binPath=", image, "start=", "auto").code == 0

    def start(self) -> None:
        assert self.machine.run("sc", "start", "EyrieAgent").code == 0
        self.machine.await_running()

    def stop(self) -> None:
        if self.machine.state() == "RUNNING":
            self.machine.run("sc", "stop", "EyrieAgent")
        end = time.monotonic() + 30
        while self.machine.state() not in ("STOPPED", "none"):
            assert time.monotonic() < end
            time.sleep(0.2)

    def processes(self, sign: str) -> list[int]:
        """Return the desktop's processes with a word in their command, as Linux numbers them."""
        ours = Path(f"/run/netns/{self.machine.name}").stat().st_ino
        found = []
        for path in Path("/proc").iterdir():
            try:
                if path.name.isdigit() and (path / "ns/net").stat().st_ino == ours:
                    command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if sign in command:
                        found.append(int(path.name))
            except OSError:  # it has just ended
                continue
        return found

    def gone(self, sign: str, seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while self.processes(sign):
            assert time.monotonic() < end, f"{sign} still runs"
            time.sleep(0.05)

    def log(self) -> str:
        return (self.data / "log" / "agent.log").read_text()


def source(status: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in status["sources"] if each["source"] == name]
    return dict(found)


def watched(status: dict[str, Any]) -> bool:
    return bool(source(status, "sessions")["kind"] == "idle")
