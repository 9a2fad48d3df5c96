# SPDX-License-Identifier: GPL-3.0-or-later
"""The real QEMU for Windows under Wine boots the real guest image, and does what the agent says.

What Wine does not do is not proven here: it takes memory limits and does not enforce them, knows no hard cap
on processor time and no WHPX, and answers GetProcessTimes for another process with the caller's own times (so
Linux is asked what QEMU uses).
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from windows_guest_place import INSIDE, PYTHON, Place, Side, cpu, require_tools, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
IDLE_PRIORITY = 0x40
RUN_DIR = "desktop/drive_c/Program Data/Eyrie, tried/run/guest"
PURE = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py.py")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    require_tools()
    made = Place()
    yield made
    made.close()


@pytest.fixture
def side(place: Place) -> Iterator[Side]:
    started = Side(place)
    yield started
    started.close()
    wait_until(lambda: started.qemu() is None, 10)


def running(side: Side) -> int:
    """Start a guest; return its process as Linux numbers it."""
    side.ask("start")
    pid = side.qemu()
    assert pid is not None
    return pid


def test_a_real_guest_boots_says_hello_and_leaves_when_asked(place: Place, side: Side) -> None:
    began = side.ask("start")
    assert began["accelerator"] == "tcg"
    assert "not enabled" in began["notice"] and "times slower" in began["notice"]
    assert "not limited by Windows: processor time" in began["notice"], "Wine has no cap: it must be told"
    assert side.ask("priority") == IDLE_PRIORITY
    assert side.ask("listening") == [], "once QEMU has called, nobody else can"
    assert side.ask("files") == ["config", "errors", "token"]
    # What Wine makes of the access list: modes of Linux.
    assert stat.S_IMODE((place.root / RUN_DIR).stat().st_mode) & 0o007 == 0
    heard = side.ask("hear", kind="state", word="booting", seconds=120, timeout=150)
    assert heard["heard"][0] == ["hello", "1"], heard
    side.ask("vacate", seconds=1)
    wait_until(lambda: side.ask("status") is not None, 60)
    assert side.ask("status") == 0, side.ask("console")
    assert side.ask("close") is False, "the run directory stays"


def test_pause_takes_the_processor_away_and_resume_gives_it_back(side: Side) -> None:
    pid = running(side)
    spent = cpu(pid)
    wait_until(lambda: cpu(pid) - spent > 0.3, 30)
    assert side.ask("pause") <= 0.8
    time.sleep(0.1)
    spent = cpu(pid)
    time.sleep(1.5)
    assert cpu(pid) - spent <= 0.05
    side.ask("resume")
    wait_until(lambda: cpu(pid) - spent > 0.3, 30)


def test_kill_works_in_a_pause_at_once(side: Side) -> None:
    running(side)
    side.ask("pause")
    killed = side.ask("kill")
    assert killed["seconds"] < 1 and killed["status"] == 9
    wait_until(lambda: side.qemu() is None, 2)
    assert side.ask("close") is False


def test_an_agent_that_is_killed_takes_its_guest_along(side: Side) -> None:
    """The job object does: nothing of the agent's runs any more that could."""
    running(side)
    (agent,) = (
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and b"windows_guest_side" in _words(path) and _words(path).startswith(b"Z:")
    )
    os.kill(agent, signal.SIGKILL)
    wait_until(lambda: side.qemu() is None, 5)
    assert side.process.poll() is None, "what started the agent still runs: it has not ended the guest"


def _words(path: Path) -> bytes:
    try:
        return (path / "cmdline").read_bytes()
    except OSError:
        return b""


def test_who_calls_before_qemu_is_refused_and_the_guest_ended(side: Side) -> None:
    said = side.ask("start_with_intruder")
    assert said.startswith("2 calls: connection to the guest's control port: found 'process ")
    assert "wanted QEMU, process " in said
    assert side.qemu() is None
    assert side.ask("start")["pid"], "the next guest starts"


def test_no_guest_without_the_firewalls_rules(side: Side) -> None:
    with pytest.raises(AssertionError, match="rule missing or altered: Eyrie guest 1"):
        side.ask("start", fenced=True)
    assert side.qemu() is None


def test_the_rules_come_and_go_and_a_guest_starts_only_behind_its_own(side: Side) -> None:
    """By the lab's stand-in for netsh, which writes what Windows would and enforces nothing."""
    side.ask("stranger", words=["name=Games", "dir=out", "action=block", r"program=C:\games.exe"])
    assert side.ask("fence", master="10.99.1.9") == {"made": 5, "left": 0}
    with pytest.raises(AssertionError, match="rule missing or altered: Eyrie guest 2"):
        side.ask("start", fenced=True)
    assert side.ask("fence", master="10.99.1.10") == {"made": 4, "left": 0}
    assert side.ask("fence", master="10.99.1.10") == {"made": 0, "left": 0}
    assert side.ask("start", fenced=True)["pid"]
    side.ask("kill")
    assert side.ask("unfence") == 1, "the stranger's rule stays, and no other"


def test_what_qemu_complains_of_is_told_and_nothing_stays(side: Side) -> None:
    with pytest.raises(AssertionError, match=r"QEMU did not start.*root.squashfs"):
        side.ask("start", image=r"Z:\opt\guest\python")
    assert side.qemu() is None
    with pytest.raises(AssertionError, match=r"guest's run directory.*token"):
        side.ask("start", token=r"C:\no\token")


def test_the_guests_token_has_no_privilege_and_no_administrators_rights(side: Side) -> None:
    told = side.ask("privileges")
    assert told["privileges"] in (["SeChangeNotifyPrivilege"], [])
    assert told["administrators"] == "denials only"


def test_wine_tells_a_process_its_own_times_for_anothers(side: Side) -> None:
    """Why Linux is asked above; when this fails, Wine has learnt it and the contract can be stricter."""
    side.ask("start")
    time.sleep(2)
    guest, own = side.ask("times")
    assert abs(guest - own) < 0.05


def test_the_contract_of_backends_holds_on_windows(place: Place) -> None:
    packages = place.root / INSIDE / "packages"
    packages.mkdir()
    for name in PURE:
        origin = Path(pytest.__file__).parent.parent / name
        copy = shutil.copytree if origin.is_dir() else shutil.copy
        copy(origin, packages / name)
    ini = packages / "pytest.ini"
    ini.write_text("[pytest]\nmarkers =\n    integration: real programs\n")
    script = (
        "import os, sys, pytest\n"
        r"os.environ['PATH'] = r'Z:\opt\guest\qemu;' + os.environ['PATH']" + "\n"
        r"sys.exit(pytest.main(['-q', '-c', r'Z:\opt\guest\packages\pytest.ini', '-p', 'no:cacheprovider',"
        r" '--noconftest', r'Z:\opt\guest\tests\contract\test_backend_contract.py']))" + "\n"
    )
    (packages / "contract.py").write_text(script)
    printed = place.run(PYTHON, "-B", r"Z:\opt\guest\packages\contract.py", timeout=300)
    assert "12 passed" in printed, printed
