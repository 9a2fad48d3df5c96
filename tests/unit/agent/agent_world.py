# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop for tests of the whole agent: a real loop and real sockets, a played owner, FAKE guests."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fake_backend import FakeBackend, FakeGuest

from eyrie.agent.cgroup import GuestGroup
from eyrie.agent.clocks import Moment
from eyrie.agent.config import IdleConfig
from eyrie.agent.driver import Driver
from eyrie.agent.idle.base import Idleness, Reading
from eyrie.agent.service import Paths, Service


def token(**claims: object) -> str:
    """Return what looks like a signed token."""
    parts = [{"alg": "HS256"}, claims]
    texts = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts]
    return ".".join([*texts, "c2lnbmF0dXJl"])


def config(**changes: Any) -> dict[str, Any]:
    """Return a good configuration; `section__key=value` changes it."""
    data: dict[str, Any] = {
        "version": 1,
        "name": "desk-1",
        "idle": {
            "seconds": 10,
            "poll_seconds": 0.5,
            "sources": ["terminal", "calendar"],
            "foreign_cpu_percent": 30,
            "calendar": [{"days": ["mon", "fri"], "from": "08:00", "to": "18:00"}],
            "ignored_users": [],
        },
        "evict": {"grace_seconds": 5},
        "backoff": {"first_seconds": 10, "max_seconds": 600},
        "lease_seconds": 60,
        "start_timeout_seconds": 120,
        "guest": {
            "backend": "qemu",
            "image": "/var/lib/eyrie/images/ID",
            "image_id": "ID",
            "memory_mib": 256,
            "cpus": 1,
            "cpu_percent": 100,
            "user": "eyrie-guest",
            "token": "/etc/eyrie/token",
            "accel": "auto",
        },
        "pool": {"name": "lab", "engine": "htcondor", "master": "127.0.0.1", "port": 9618},
    }
    for path, value in changes.items():
        *sections, key = path.split("__")
        place = data
        for section in sections:
            place = place[section]
        place[key] = value
    return data


class Owner:
    """Plays the idle sources: away for so long, or not."""

    def __init__(self) -> None:
        self.idle: float | None = 1000.0
        self.broken: Exception | None = None

    def read(self, now: float) -> Idleness:
        if self.broken is not None:
            raise self.broken
        return Idleness(self.idle, "played by the test")

    def readings(self) -> Iterable[Reading]:
        return ()

    def filenos(self) -> Iterable[int]:
        return ()

    def ready(self, fileno: int, now: float) -> None:
        raise AssertionError("no descriptor was offered")

    def close(self) -> None:
        return


class Desktop:
    """One agent with everything around it; time passes only when told to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # A unix socket's path must be short, and a test's directory is not.
        self.short = Path(tempfile.mkdtemp(prefix="eyrie-"))
        self.master = socket.create_server(("127.0.0.1", 0))
        self.owner = Owner()
        self.backend = FakeBackend()
        self.time = Moment(5000.0, 5000.0, 1.8e9)
        self.paths = Paths(root / "agent.json", root / "state", self.short)
        (root / "image").mkdir()
        (root / "token").write_text(token(exp=4e9))
        self.write_config()
        self.service: Service | None = None

    def write_config(self, **changes: Any) -> None:
        data = config(
            guest__image=str(self.root / "image"),
            guest__token=str(self.root / "token"),
            pool__port=self.master.getsockname()[1],
            **changes,
        )
        self.paths.config.write_text(json.dumps(data))

    def start(self) -> Desktop:
        def watch(_config: IdleConfig, _now: float, _cpu: Callable[[], float]) -> Owner:
            return self.owner

        driver = Driver(lambda _name: self.backend, self.short, GuestGroup(None, ""))
        self.service = Service(self.paths, driver, watch, lambda: self.time)
        old = self.time
        self.time = Moment(old.monotonic + 1000, old.boot + 1000, old.wall + 1000)
        self.service.step()  # the gap makes idle time count from here
        self.passes(20)
        return self

    def passes(self, seconds: float, step: float = 0.5) -> bool:
        """Let time pass in polls; False when the agent would end."""
        going = True
        for _ in range(max(1, round(seconds / step))):
            old = self.time
            self.time = Moment(old.monotonic + step, old.boot + step, old.wall + step)
            assert self.service is not None
            going = self.service.step()
        return going

    def ask(self, command: str, uid: int = 1000) -> dict[str, Any]:
        assert self.service is not None
        return self.service.answer(command, uid)

    @property
    def state(self) -> str:
        return str(self.ask("status")["state"])

    @property
    def guest(self) -> FakeGuest:
        (guest,) = self.backend.alive
        return guest

    def joined(self) -> Desktop:
        self.start()
        self.guest.say("state joined")
        self.passes(0.5)
        assert self.state == "joined"
        return self

    def close(self) -> None:
        if self.service is not None:
            self.service.close()
        self.master.close()
        shutil.rmtree(self.short)
