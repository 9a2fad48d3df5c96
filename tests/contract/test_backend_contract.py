# SPDX-License-Identifier: GPL-3.0-or-later
"""One contract for every guest backend: the agent tests' fake keeps it, and real QEMU keeps it too.

On Linux the backend for Linux is tried; tests/integration/test_windows_guest.py runs this file on Windows.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import select
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from eyrie.guests.backend import Backend, Guest, GuestError, GuestSpec, Message


def _helper(name: str) -> ModuleType:
    """Load a helper of the agent's tests, which lives with them."""
    path = Path(__file__).parents[1] / "unit" / "agent" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclasses.dataclass
class Bench:
    """A backend and how to provoke it."""

    backend: Backend
    spec: GuestSpec
    refusing: Callable[[], tuple[Backend, GuestSpec]]
    cpu_moves: bool  # the fake's processor does nothing

    def start(self) -> Guest:
        return self.backend.start(self.spec)


def _spec(folder: Path, **changes: Any) -> GuestSpec:
    spec = GuestSpec(
        name="desk-1",
        image=str(folder / "image"),
        image_id="contract",
        memory_mib=128,
        cpus=1,
        cpu_percent=100,
        user="",
        accel="tcg",
        token=str(folder / "token"),
        run_dir=str(folder / "run"),
        config={"name": "desk-1", "pool": "lab"},
    )
    return dataclasses.replace(spec, **changes)


def _fake_bench(folder: Path) -> Bench:
    module = _helper("fake_backend")

    def refusing() -> tuple[Backend, GuestSpec]:
        backend = module.FakeBackend()
        backend.refuse = "nothing can be started"
        return backend, _spec(folder)

    return Bench(module.FakeBackend(), _spec(folder), refusing, cpu_moves=False)


def _qemu_bench(folder: Path) -> Bench:
    from eyrie.guests.qemu import QemuBackend

    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("QEMU is not installed")
    # A kernel that only spins: the contract is about QEMU, not about what runs in it.
    _helper("spinning").write_image(folder / "image")
    (folder / "token").write_text("no-secret")

    def refusing() -> tuple[Backend, GuestSpec]:
        return QemuBackend("/nowhere/qemu"), _spec(folder)

    return Bench(QemuBackend(), _spec(folder), refusing, cpu_moves=True)


def _colinux_bench(folder: Path) -> Bench:
    """Its Windows is PLAYED: a process of Linux stands for the daemon, with the guest in its threads."""
    from eyrie.guests.backend import ColinuxSpec
    from eyrie.guests.windows.colinux import ColinuxBackend

    windows = _helper("played_colinux").PlayedWindows("ulimit -t 30; while :; do :; done")
    windows.halts = False
    spec = _spec(folder, colinux=ColinuxSpec(r"C:\coLinux", "EyrieGuest", "bridge"))

    def refusing() -> tuple[Backend, GuestSpec]:
        windows.refuses = True
        return ColinuxBackend(windows), spec

    return Bench(ColinuxBackend(windows), spec, refusing, cpu_moves=True)


def _windows_bench(folder: Path) -> Bench:
    import ctypes

    from eyrie.guests.windows.accel import Memory
    from eyrie.guests.windows.job import GuestJob
    from eyrie.guests.windows.qemu import WindowsQemuBackend

    qemu = shutil.which("qemu-system-x86_64")
    assert qemu is not None, "QEMU is not on the PATH"
    _helper("spinning").write_image(folder / "image")
    (folder / "token").write_text("no-secret")

    def backend(program: str) -> WindowsQemuBackend:
        # The firewall is for another test: no guest of these leaves the desktop.
        return WindowsQemuBackend(program, lambda _qemu, _spec: [], GuestJob(), Memory(folder / "memory"))

    def refusing() -> tuple[Backend, GuestSpec]:
        return backend(str(folder / "nowhere" / "qemu.exe")), _spec(folder)

    # Wine 10 answers GetProcessTimes for another process with the caller's own times.
    wine = hasattr(getattr(ctypes, "WinDLL")("ntdll"), "wine_get_version")  # noqa: B009 - on Windows only
    return Bench(backend(qemu), _spec(folder), refusing, cpu_moves=not wine)


BENCHES = {"fake": _fake_bench, "qemu": _qemu_bench, "colinux": _colinux_bench}
if sys.platform == "win32":
    BENCHES = {"fake": _fake_bench, "qemu": _windows_bench}


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.integration] if name == "qemu" else []) for name in BENCHES]
)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return BENCHES[request.param](tmp_path)


@pytest.fixture
def guest(bench: Bench) -> Iterator[Guest]:
    running = bench.start()
    yield running
    running.kill()
    running.close()


def test_a_started_guest_runs_and_has_nothing_to_say_yet(bench: Bench, guest: Guest) -> None:
    assert guest.exit_status() is None
    assert guest.pid > 0
    assert guest.accelerator
    assert select.select([guest.fileno()], [], [], 0) is not None
    began = time.monotonic()
    assert [each for each in guest.messages() if not isinstance(each, Message)] == []
    assert time.monotonic() - began < 0.2


def test_pause_and_resume_hold_the_processor_still(bench: Bench, guest: Guest) -> None:
    guest.pause()
    before = guest.cpu_seconds()
    time.sleep(0.4)
    assert guest.cpu_seconds() - before <= 0.05
    guest.resume()
    if bench.cpu_moves:
        until = time.monotonic() + 10
        while guest.cpu_seconds() - before < 0.2:
            assert time.monotonic() < until, "the guest does not go on"
            time.sleep(0.05)
    assert guest.exit_status() is None


def test_vacate_asks_and_never_waits(bench: Bench, guest: Guest) -> None:
    began = time.monotonic()
    for _ in range(3):
        guest.vacate(5)
    assert time.monotonic() - began < 0.2
    assert guest.exit_status() is None


def test_kill_works_in_a_pause_and_twice(bench: Bench, guest: Guest) -> None:
    guest.pause()
    guest.kill()
    assert guest.exit_status() is not None
    guest.kill()
    spent = guest.cpu_seconds()
    assert guest.cpu_seconds() == spent >= 0
    assert guest.messages() == []
    guest.vacate(1)


def test_close_leaves_nothing_and_the_next_guest_starts(bench: Bench, guest: Guest) -> None:
    guest.kill()
    guest.close()
    guest.close()
    assert not Path(bench.spec.run_dir).exists()
    second = bench.start()
    assert second.exit_status() is None
    second.kill()
    second.close()


def test_what_cannot_be_started_is_a_guest_error(bench: Bench) -> None:
    backend, spec = bench.refusing()
    with pytest.raises(GuestError):
        backend.start(spec)
