# SPDX-License-Identifier: GPL-3.0-or-later
"""coLinux' backend over a PLAYED Windows: what it believes, what it refuses, what it reports."""

from __future__ import annotations

import importlib.util
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eyrie.guests.backend import ColinuxSpec, GuestError, GuestSpec, Message
from eyrie.guests.windows.colinux import ColinuxBackend, ColinuxGuest, guests

HELPER = "colinux-bridged-net-daemon.exe"


def _played() -> Any:
    """Load a helper of the agent's tests, which lives with them."""
    path = Path(__file__).parents[1] / "agent/played_colinux.py"
    spec = importlib.util.spec_from_file_location("played_colinux", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("played_colinux", module)
    spec.loader.exec_module(module)
    return module.PlayedWindows()


@pytest.fixture
def windows() -> Iterator[Any]:
    made = _played()
    yield made
    made.close()


def spec(**changes: Any) -> GuestSpec:
    colinux = ColinuxSpec(
        **{"folder": r"C:\coLinux", "service": "EyrieGuest", "network": "bridge", **changes}
    )
    return GuestSpec("desk-1", r"C:\coLinux\root_fs", "0.6.1", 128, 1, 100, "", "", "", "", colinux=colinux)


def started(windows: Any, **changes: Any) -> ColinuxGuest:
    return ColinuxBackend(windows).start(spec(**changes))


def until(seen: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ("current number of monitors: 0\r\n", 0),
        ("current number of monitors: a\r\n", 10),  # 0.6.1
        ("daemon: driver is not available\r\n", None),
        ("", None),
    ],
)
def test_the_driver_counts_its_guests(told: str, count: int | None) -> None:
    assert guests(told) == count


def test_a_guest_that_somebody_else_runs_is_told_to_stop_and_not_taken_over(windows: Any) -> None:
    windows.stray = True
    with pytest.raises(GuestError, match=r"before the agent started it.*colinux_start agent"):
        started(windows)
    assert (windows.stops, windows.daemons) == (1, [])
    assert started(windows).exit_status() is None  # it stopped


@pytest.mark.parametrize(
    ("driver", "held", "seen"),
    [
        ("daemon: driver is not available\n", 0, "no answer"),
        ("current number of monitors: {}\n", 1, "1 guests"),
    ],
)
def test_nothing_starts_over_a_driver_that_is_silent_or_holds_a_guest(
    windows: Any, driver: str, held: int, seen: str
) -> None:
    windows.driver, windows.held = driver, held
    with pytest.raises(GuestError, match=seen):
        started(windows)
    assert windows.daemons == []


def test_another_program_behind_the_service_is_stopped_and_refused(windows: Any) -> None:
    windows.wrong_program = True
    with pytest.raises(GuestError, match="another program"):
        started(windows)
    assert windows.stops == 1


def test_a_service_without_a_process_is_refused_whatever_it_says(windows: Any) -> None:
    windows.start = lambda _name: None
    with pytest.raises(GuestError, match=r"state 1 \(1 is STOPPED\) and no process"):
        started(windows)


def test_it_has_joined_when_its_networks_helper_runs_and_is_lost_when_that_is_gone(windows: Any) -> None:
    windows.helpers = set()
    guest = started(windows)
    assert guest.messages() == [Message("state", ("engine-starting",))]
    assert guest.messages() == []
    windows.helpers = {HELPER}
    assert guest.messages() == [Message("state", ("joined",))]
    assert guest.messages() == []
    windows.helpers = set()
    assert guest.messages() == [Message("lost", (f"its network's {HELPER} is gone",))]
    assert guest.messages() == []


def test_anothers_helper_is_none_of_its_own(windows: Any) -> None:
    windows.helpers, windows.strangers = set(), {4711}
    guest = started(windows)
    assert guest.messages() == [Message("state", ("engine-starting",))]
    windows.helpers = {HELPER}
    assert guest.messages() == [Message("state", ("joined",))]


@pytest.mark.parametrize("end", ["pause", "vacate"])
def test_on_its_way_out_it_may_lose_its_network(windows: Any, end: str) -> None:
    windows.halts = False
    guest = started(windows)
    guest.messages()
    guest.pause() if end == "pause" else guest.vacate(20)
    windows.helpers = set()
    assert guest.messages() == []


def test_where_it_is_to_be_asked_it_has_joined_when_it_answers(windows: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ssh:
        address = ssh.getsockname()
    guest = started(windows, answer=address)
    for _ in range(4):
        assert Message("state", ("joined",)) not in guest.messages()
        time.sleep(0.05)
    with socket.create_server(address):
        until(lambda: Message("state", ("joined",)) in guest.messages())
    guest.close()


def test_asked_to_leave_it_shuts_down_and_its_memory_is_told_of(windows: Any) -> None:
    guest = started(windows)
    guest.vacate(20)
    until(lambda: guest.exit_status() is not None)
    assert "terminate" not in windows.daemons[0].calls
    assert guest.released() == "the guest's memory is free again: 512 MiB are, 512 before it started"


def test_a_held_guest_shuts_down_only_when_it_is_let_go(windows: Any) -> None:
    guest = started(windows)
    guest.pause()
    guest.vacate(20)
    until(lambda: windows.stops)
    time.sleep(0.1)
    assert guest.exit_status() is None
    guest.resume()
    until(lambda: guest.exit_status() is not None)


def test_memory_that_the_driver_keeps_is_told_of(windows: Any) -> None:
    guest = started(windows)
    guest.kill()
    windows.held = 1
    began = time.monotonic()
    assert "its driver holds 1 guests; restart the desktop" in guest.released()
    assert time.monotonic() - began < 5
    windows.driver = ""
    assert "not known" in guest.released()
