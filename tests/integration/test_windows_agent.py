# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's bundle under the real Windows Python, as a service of Wine's service manager.

Not proven here, for Wine does not have it: sessions are SCRIPTED (the lab's wtsapi32.dll), everybody is an
administrator, rights on files and pipes are taken but not enforced, and no crashed service is restarted.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msi_place import PYTHON, machine
from windows_agent_place import (
    BUNDLE,
    NOBODY,
    OWNER,
    PIPE,
    REGISTRY,
    SIDE,
    Desktop,
    agent_config,
    source,
    token,
    watched,
    write_image,
)
from windows_place import WindowsDesktop, renewed_after_failure, windows_desktop  # noqa: F401 - a fixture

from eyrie.agent.bundle import write
from eyrie.artefacts.windows_files import windows_python, windows_qemu
from eyrie.guests.image.recipe import cache_root

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def installed() -> Iterator[Desktop]:
    assert os.geteuid() == 0, "these tests need root"
    with machine() as made:
        desktop = Desktop(made)
        desktop.install()
        yield desktop


@pytest.fixture
def desktop(installed: Desktop) -> Iterator[Desktop]:
    """A desktop with its owner logged on and the service stopped; nothing of the last test is left."""
    installed.sessions(OWNER)
    installed.configure()
    yield installed
    installed.stop()
    installed.gone("agent.pyz")
    shutil.rmtree(installed.data, ignore_errors=True)


def test_the_service_starts_answers_stops_and_leaves_no_process(desktop: Desktop) -> None:
    desktop.start()
    status = desktop.until(watched)
    assert status["name"] == "desk-1"
    assert source(status, "sessions")["detail"] == "session 1 of owner"
    assert source(status, "power")["detail"] == "on mains"
    assert "desktop   desk-1" in desktop.machine.run(PYTHON, "-B", BUNDLE, "status").out
    assert "This desktop" in desktop.agent("why").out
    assert len(desktop.processes("watch --pipe")) == 1
    desktop.stop()
    desktop.gone("agent.pyz")
    assert "the agent is not running on this desktop" in desktop.agent("status", code=1).out
    assert "starts" in desktop.log()
    assert "stop: the guest leaves, then the agent ends" in desktop.log()


def test_it_starts_with_windows_and_a_power_cut_is_in_nobodys_way(desktop: Desktop) -> None:
    desktop.start()
    desktop.machine.off()
    assert desktop.processes("agent.pyz") == []
    desktop.machine.on()
    desktop.machine.await_running()
    assert desktop.until(watched)


def test_a_pause_outlives_restarts(desktop: Desktop) -> None:
    desktop.start()
    assert "left out of the pool: paused by an administrator" in desktop.agent("pause").out
    desktop.stop()
    desktop.start()
    status = desktop.until(lambda status: status["state"] == "disabled")
    assert "paused by an administrator" in status["reason"]
    assert "may serve the pool again" in desktop.agent("resume").out
    assert desktop.until(lambda status: status["state"] != "disabled")
    assert "was not paused" in desktop.agent("resume").out


def test_a_key_ends_idleness_at_once(desktop: Desktop) -> None:
    """Where a guest could be running; before that the helper rests, and nobody's return is urgent."""
    desktop.start()
    seconds: list[float] = []
    while len(seconds) < 3 and min(seconds, default=1.0) >= 1.0:  # a busy machine may be late itself
        desktop.until(lambda status: watched(status) and status["idle_seconds"] > 4)
        seconds.append(float(desktop.side("key", PIPE, "idleness")))
    assert min(seconds) < 1.0, seconds


def test_a_key_is_noticed_long_before_a_guest_is_due(desktop: Desktop) -> None:
    desktop.configure(idle__seconds=600)
    desktop.start()
    desktop.until(lambda status: status["state"] == "idle-wait" and status["idle_seconds"] > 6)
    desktop.side("press")
    status = desktop.until(lambda status: status["idle_seconds"] < 6, 30)
    assert status["idle_reason"] == "sessions: session 1 of owner"


def test_a_helper_that_is_killed_or_hangs_means_busy_until_the_next(desktop: Desktop) -> None:
    desktop.start()
    desktop.until(watched)
    (first,) = desktop.processes("watch --pipe")
    os.kill(first, signal.SIGKILL)
    status = desktop.until(lambda status: not watched(status), 5)
    assert status["state"] not in ("idle-wait", "joined")
    assert "session 1 of owner cannot be watched" in source(status, "sessions")["detail"]
    assert source(status, "presentation")["kind"] == "unknown"
    desktop.until(watched)
    (second,) = desktop.processes("watch --pipe")
    assert second != first
    os.kill(second, signal.SIGSTOP)
    status = desktop.until(lambda status: not watched(status), 15)
    desktop.until(watched)  # by a third one
    assert second not in desktop.processes("watch --pipe")


def test_helpers_end_with_an_agent_that_is_killed(desktop: Desktop) -> None:
    desktop.start()
    desktop.until(watched)
    (service,) = desktop.processes("agent.pyz service")
    os.kill(service, signal.SIGKILL)
    desktop.gone("watch --pipe", 10)
    desktop.machine.off()  # Wine's service manager takes it for running for as long as it lives itself
    desktop.machine.on()


def test_every_session_counts_and_nobody_is_nobody(desktop: Desktop) -> None:
    desktop.start()
    desktop.until(watched)
    desktop.sessions("1 disconnected owner locked rdp\n")
    status = desktop.until(lambda status: not desktop.processes("watch --pipe") and watched(status))
    assert status["idle_seconds"] < 30
    came = time.monotonic()
    desktop.sessions("1 disconnected owner locked rdp\n2 active other locked console\n")
    status = desktop.until(lambda status: len(desktop.processes("watch --pipe")) == 1 and watched(status))
    assert status["idle_seconds"] < time.monotonic() - came + 1, "who comes is here"
    desktop.sessions(NOBODY)
    status = desktop.until(lambda status: source(status, "sessions")["detail"] == "nobody is logged on")
    assert source(status, "presentation")["kind"] == "not-present"
    desktop.gone("watch --pipe")


def test_two_agents_are_refused_by_name(desktop: Desktop) -> None:
    desktop.start()
    words = ("run", "--pipe", r"\\.\pipe\eyrie-second")
    assert "an agent already runs on this desktop" in desktop.agent(*words, code=1).out
    assert desktop.machine.state() == "RUNNING"
    desktop.stop()
    os.truncate(desktop.data / "run" / "agent.lock", 0)


def test_the_service_verb_is_for_the_service_manager(desktop: Desktop) -> None:
    assert "use `run` to see it work" in desktop.agent("service", code=1).out


def test_a_broken_configuration_is_told_and_a_good_one_taken_up(desktop: Desktop) -> None:
    desktop.configure("{")
    desktop.start()
    status = desktop.until(lambda status: status["state"] == "failed")
    assert "valid JSON" in status["reason"]
    assert "agent.json, line 1" in desktop.agent("why").out
    assert "valid JSON" in desktop.log()
    desktop.configure()
    assert desktop.side("reload") == ""
    desktop.until(watched)
    desktop.configure(guest__accel="kvm")
    assert desktop.side("reload") == ""
    status = desktop.until(lambda status: status["state"] == "failed")
    assert "the last good configuration stays in force" in status["reason"]
    assert status["meanwhile"]


def test_the_enrolment_secret_leaves_the_registry(desktop: Desktop) -> None:
    machine = desktop.machine
    assert machine.run("reg", "add", REGISTRY, "/v", "Enrolment", "/d", "a-secret", "/f").code == 0
    assert machine.run("reg", "add", REGISTRY, "/v", "Server", "/d", "https://pool", "/f").code == 0
    desktop.start()
    assert machine.value(REGISTRY, "Enrolment") is None
    assert machine.value(REGISTRY, "Server") == "https://pool"
    assert (desktop.data / "enrolment").read_text() == "a-secret"
    assert "a-secret" not in desktop.log()
    desktop.stop()
    desktop.start()
    assert (desktop.data / "enrolment").read_text() == "a-secret"


def test_purge_stops_the_agent_and_leaves_nothing(desktop: Desktop) -> None:
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\EyrieAgent"
    desktop.start()
    desktop.until(watched)
    assert desktop.machine.run("reg", "query", key).code == 0
    desktop.agent("purge")
    assert not desktop.data.exists()
    assert desktop.machine.run("reg", "query", key).code == 1
    assert desktop.machine.state() == "STOPPED"
    desktop.agent("purge")  # nothing to remove is fine


def test_what_cannot_be_removed_is_told(desktop: Desktop) -> None:
    (desktop.data / "items").mkdir(parents=True)
    (desktop.data / "items" / "held").write_text("x")
    hold = r"import time; held = open(r'C:\ProgramData\Eyrie\items\held'); time.sleep(60)"
    desktop.machine.run(PYTHON, "-c", hold, wait=False)
    end = time.monotonic() + 20
    while not desktop.processes("time.sleep(60)"):
        assert time.monotonic() < end
    time.sleep(1)
    out = desktop.agent("purge", code=1).out
    for each in desktop.processes("time.sleep(60)"):
        os.kill(each, signal.SIGKILL)
    assert r"items\held stays" in out
    assert (desktop.data / "items" / "held").exists()


@pytest.fixture
def guest(desktop: Desktop) -> Iterator[Desktop]:
    """A desktop whose agent runs in the foreground and has a guest that spins."""
    if not (desktop.folder / "image").exists():
        write_image(desktop.folder / "image")
        (desktop.folder / "token").write_text(token(exp=4e9))
        shutil.copytree(windows_qemu(cache_root()), desktop.folder / "qemu")
        for words in (
            "link add office type veth peer name far",  # where only the loopback is, QEMU finds no address
            "address add 10.99.1.20/24 dev office",
            "link set office up",
            "link set far up",
        ):
            subprocess.run(["ip", "-n", desktop.machine.name, *words.split()], check=True)
    yield desktop
    for each in desktop.processes("agent_side.py"):
        os.kill(each, signal.SIGKILL)
    desktop.gone("agent_side.py")
    desktop.gone("qemu-system-x86_64.exe")


def joined(guest: Desktop) -> str:
    pipe = rf"\\.\pipe\eyrie-{time.monotonic_ns()}"
    guest.machine.run(PYTHON, "-B", SIDE, BUNDLE, "agent", r"C:\ProgramData\Eyrie", pipe, wait=False)
    guest.until(lambda status: status["state"] == "joined", 120, pipe)
    assert len(guest.processes("qemu-system-x86_64.exe")) == 1
    return pipe


def test_the_owner_comes_back_to_a_real_guest(guest: Desktop) -> None:
    """The guest is paused in the same step as the eviction begins, and gone when its time is over."""
    pipe = joined(guest)
    seconds = float(guest.side("key", pipe, "evicting"))
    assert seconds < 1.0, seconds
    guest.gone("qemu-system-x86_64.exe", 10)


def test_no_guest_outlives_an_agent_that_is_killed(guest: Desktop) -> None:
    joined(guest)
    (agent,) = guest.processes("agent_side.py")
    os.kill(agent, signal.SIGKILL)
    guest.gone("qemu-system-x86_64.exe", 5)
    guest.gone("watch --pipe", 10)


def test_the_oldest_python_we_promise_runs_it(desktop: Desktop) -> None:
    shutil.copytree(windows_python(cache_root(), "3.8"), desktop.folder / "python38", dirs_exist_ok=True)
    old = r"C:\eyrie\python38\python.exe"
    pipe = r"\\.\pipe\eyrie-old"
    desktop.machine.run(old, "-B", BUNDLE, "run", "--pipe", pipe, wait=False)
    desktop.until(watched, pipe=pipe)
    assert "desktop   desk-1" in desktop.machine.run(old, "-B", BUNDLE, "status", "--socket", pipe).out
    for each in desktop.processes("agent.pyz run"):
        os.kill(each, signal.SIGKILL)


@pytest.fixture
def in_an_office(
    request: pytest.FixtureRequest,
    windows_desktop: WindowsDesktop,  # noqa: F811
    tmp_path: Path,
) -> Iterator[WindowsDesktop]:
    """A desktop of the lab, asked through WinRM, with the agent as its service."""
    with renewed_after_failure(request, windows_desktop):
        yield from with_an_agent(windows_desktop, tmp_path)


def with_an_agent(desktop: WindowsDesktop, tmp_path: Path) -> Iterator[WindowsDesktop]:
    (tmp_path / "agent.json").write_text(json.dumps(agent_config(idle__seconds=600)))
    desktop.copy_in(write(tmp_path / "agent.pyz").path, "eyrie/agent.pyz")
    desktop.copy_in(tmp_path / "agent.json", "ProgramData/Eyrie/agent.json")
    program = desktop.python().replace("python.exe", "pythonw.exe")
    desktop.said(rf'sc create EyrieAgent binPath= "{program} -B {BUNDLE} service" start= auto')
    desktop.said("sc start EyrieAgent")
    yield desktop
    desktop.supply("mains")
    assert desktop.run(f"{desktop.python()} -B {BUNDLE} purge")[0] == 0
    desktop.said("sc delete EyrieAgent")


def told(desktop: WindowsDesktop, seen: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Wait until the status, asked through WinRM, shows something."""
    end = time.monotonic() + 120
    while True:
        code, out, _ = desktop.run(f"{desktop.python()} -B {BUNDLE} status --json")
        status = json.loads(out) if code in (0, 3) else {}
        if status and seen(status):
            return dict(status)
        assert time.monotonic() < end, status
        time.sleep(0.2)


def test_a_desktop_of_the_lab_knows_its_owner_and_its_battery(in_an_office: WindowsDesktop) -> None:
    desktop = in_an_office
    told(desktop, lambda status: status["state"] == "idle-wait" and status["idle_seconds"] > 15)
    desktop.press_key()
    told(desktop, lambda status: status["idle_seconds"] < 15 and "owner" in status["idle_reason"])
    desktop.supply("battery")
    status = told(desktop, lambda status: source(status, "power")["detail"] == "on battery")
    assert (status["idle_seconds"], status["idle_reason"]) == (0, "power: on battery")
    desktop.supply("none")
    told(desktop, lambda status: source(status, "power")["detail"] == "on mains")
    desktop.power_cut()
    desktop.power_on()
    told(desktop, watched)
