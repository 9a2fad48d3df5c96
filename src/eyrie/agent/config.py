# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's configuration: read strictly, so that a misspelt key is told and never silently ignored."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eyrie.agent.fields import Reader
from eyrie.agent.idle.calendar import DAYS, Window, parse_time
from eyrie.agent.model import Policy
from eyrie.errors import EyrieError
from eyrie.guests.backend import ColinuxSpec, HubSpec
from eyrie.guests.colinux_names import HELPERS

VERSION = 1
NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?"
WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
NETWORKS = ("outbound", "hub")
SERVICE = r"[A-Za-z0-9._-]{1,64}"
COLINUX_GRACE = 20  # seconds; killed before it has halted, a guest loses what it had not written
ACCOUNT = r"[a-z_][a-z0-9_-]{0,31}"


@dataclass(frozen=True)
class System:
    """What differs in the configuration of one kind of desktop."""

    sources: tuple[str, ...]
    accelerators: tuple[str, ...]
    account: str  # how its users are called
    windows: bool = False
    backends: tuple[str, ...] = ("qemu",)


LINUX = System(
    ("terminal", "logind", "x11", "input_devices", "load", "calendar"), ("auto", "kvm", "tcg"), ACCOUNT
)
WINDOWS = System(
    ("sessions", "power", "presentation", "load", "calendar"),
    ("auto", "whpx", "tcg"),
    r"[^\x00-\x1f\"/\\\[\]:;|=,+*?<>]{1,104}",
    windows=True,
    backends=("qemu", "colinux"),
)


@dataclass(frozen=True)
class IdleConfig:
    """When the owner counts as away."""

    seconds: float
    poll_seconds: float
    sources: tuple[str, ...]
    foreign_cpu_percent: float
    calendar: tuple[Window, ...]
    ignored_users: tuple[str, ...]


@dataclass(frozen=True)
class GuestConfig:
    """What to run, and how much of the desktop it may take."""

    backend: str
    image: str
    image_id: str
    memory_mib: int
    cpus: int
    cpu_percent: int
    user: str
    token: str
    accel: str
    program: str = ""  # of QEMU: Windows alone keeps it among the agent's own items
    hub: HubSpec | None = None
    hub_address: str = ""  # the guest's own in the pool's Ethernet, with the length of its network
    colinux: ColinuxSpec | None = None  # with the backend colinux, to which most of the above means nothing


@dataclass(frozen=True)
class PoolConfig:
    """Whom to join."""

    name: str
    engine: str
    master: str
    port: int


@dataclass(frozen=True)
class Config:
    """The whole of agent.json."""

    name: str
    idle: IdleConfig
    grace_seconds: float
    backoff_first: float
    backoff_max: float
    lease_seconds: int
    start_timeout: float
    guest: GuestConfig
    pool: PoolConfig

    def policy(self) -> Policy:
        """Return the numbers the state machine decides by."""
        return Policy(
            idle_seconds=self.idle.seconds,
            poll_seconds=self.idle.poll_seconds,
            grace_seconds=self.grace_seconds,
            backoff_first=self.backoff_first,
            backoff_max=self.backoff_max,
            start_timeout=self.start_timeout,
            spread=sum(self.name.encode()) % 16 / 15.0,
        )


def own_system() -> System:
    """Return the kind of desktop this is."""
    return WINDOWS if os.name == "nt" else LINUX


def load(path: Path, system: System | None = None) -> Config:
    """Read and check the file; raises EyrieError naming the key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise EyrieError(
            f"{path}", seen="no such file", wanted="the agent's configuration", next_step="run site.yml"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise EyrieError(f"{path}", seen=str(error), wanted="a readable UTF-8 file") from error
    return parse(text, str(path), system)


def parse(text: str, where: str, system: System | None = None) -> Config:
    """Check the JSON text of a configuration that came from `where`, for this kind of desktop unless told."""
    try:
        data = json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, where))
    except json.JSONDecodeError as error:
        raise EyrieError(
            f"{where}, line {error.lineno}",
            seen=error.msg,
            wanted="valid JSON",
            next_step="correct the file, or run site.yml to write it anew",
        ) from error
    return _config(Reader(data, where), system or own_system())


def _unique(pairs: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    """Build an object, refusing the second of two equal keys (JSON itself would let it win)."""
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise EyrieError(f"{where}: {key}", seen="the key twice", wanted="every key once")
        seen[key] = value
    return seen


def _config(top: Reader, system: System) -> Config:
    top.whole("version", VERSION, VERSION)
    backoff = top.child("backoff")
    first = backoff.number("first_seconds", 1, 86400)
    evict = top.child("evict")
    idle, guest = _idle(top.child("idle"), system), _guest(top.child("guest"), system)
    config = Config(
        name=top.text("name", NAME),
        idle=idle,
        grace_seconds=evict.number("grace_seconds", COLINUX_GRACE if guest.colinux else 0, 600),
        backoff_first=first,
        backoff_max=backoff.number("max_seconds", first, 86400),
        lease_seconds=top.whole("lease_seconds", 10, 86400),
        start_timeout=top.number("start_timeout_seconds", 10, 3600),
        guest=guest,
        pool=_pool(top.child("pool"), ("none",) if guest.colinux else ("htcondor",)),
    )
    backoff.done()
    evict.done()
    top.done()
    return config


def _idle(reader: Reader, system: System) -> IdleConfig:
    idle = IdleConfig(
        seconds=reader.number("seconds", 1, 86400),
        poll_seconds=reader.number("poll_seconds", 0.1, 5),
        sources=reader.words("sources", system.sources),
        foreign_cpu_percent=reader.number("foreign_cpu_percent", 1, 100),
        calendar=tuple(_window(each) for each in reader.children("calendar")),
        ignored_users=reader.texts("ignored_users", system.account),
    )
    reader.done()
    return idle


def _window(reader: Reader) -> Window:
    window = Window(
        days=frozenset(DAYS.index(day) for day in reader.words("days", DAYS)),
        start=parse_time(reader.text("from", r"([01]\d|2[0-3]):[0-5]\d")),
        end=parse_time(reader.text("to", r"([01]\d|2[0-3]):[0-5]\d|24:00")),
    )
    reader.done()
    return window


def _guest(reader: Reader, system: System) -> GuestConfig:
    backend = reader.choice("backend", system.backends)
    guest = _colinux(reader, system) if backend == "colinux" else _qemu(reader, system)
    reader.done()
    return guest


def _colinux(reader: Reader, system: System) -> GuestConfig:
    """Read where role colinux put the guest; memory and network are that one's configuration's."""
    path = reader.windows_path if system.windows else reader.path
    answer = None
    if reader.has("answer"):
        asked = reader.child("answer")
        answer = (asked.address("address"), asked.whole("port", 1, 65535))
        asked.done()
    return GuestConfig(
        backend="colinux",
        image=path("image"),
        image_id=reader.text("image_id", r"[A-Za-z0-9._-]{1,128}"),
        memory_mib=0,
        cpus=1,
        cpu_percent=100,
        user="",
        token="",
        accel="",
        colinux=ColinuxSpec(
            folder=path("folder"),
            service=reader.text("service", SERVICE),
            network=reader.choice("network", tuple(HELPERS)),
            answer=answer,
        ),
    )


def _qemu(reader: Reader, system: System) -> GuestConfig:
    path = reader.windows_path if system.windows else reader.path
    # Left out it is outbound: what reaches the master's pool port and nothing else.
    network = reader.choice("network", NETWORKS) if reader.has("network") else NETWORKS[0]
    hub, hub_address = _hub(reader.child("hub"), system) if network == "hub" else (None, "")
    return GuestConfig(
        backend="qemu",
        image=path("image"),
        image_id=reader.text("image_id", r"[A-Za-z0-9._-]{1,128}"),
        memory_mib=reader.whole("memory_mib", 64, 1048576),
        cpus=reader.whole("cpus", 1, 1024),
        cpu_percent=reader.whole("cpu_percent", 1, 100),
        user=reader.text("user", "" if system.windows else ACCOUNT),
        token=path("token"),
        accel=reader.choice("accel", system.accelerators),
        program=path("program") if system.windows else "",
        hub=hub,
        hub_address=hub_address,
    )


def _hub(reader: Reader, system: System) -> tuple[HubSpec, str]:
    path = reader.windows_path if system.windows else reader.path
    hub = HubSpec(
        address=reader.address("address"),
        port=reader.whole("port", 1, 65535),
        ca=path("ca"),
        certificate=path("certificate"),
        key=path("key"),
        mac=reader.text("mac", r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}"),
    )
    address = reader.text("guest_address", r"[0-9]{1,3}([.][0-9]{1,3}){3}/([89]|[12][0-9]|30)")
    reader.done()
    return hub, address


def _pool(reader: Reader, engines: tuple[str, ...]) -> PoolConfig:
    pool = PoolConfig(
        name=reader.text("name", WORD),
        engine=reader.choice("engine", engines),
        # A desktop's guest has no name service, and a look-up could hold the agent up: addresses only.
        master=reader.address("master"),
        port=reader.whole("port", 1, 65535),
    )
    reader.done()
    return pool
