# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way, on the lab's desktop: each has a name, and the next run repairs it.

The MSIs, the agent, Windows Python and Wine's service manager are real. Where Wine cannot say it, a stand-in
does: msiexec's code 1618.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from windows_place import WindowsDesktop, renewed_after_failure, windows_desktop
from windows_role import Role
from winrm.exceptions import WinRMError

from eyrie.artefacts.windows_files import windows_python
from eyrie.guests.image.recipe import cache_root
from eyrie.msi.build import Built, agent_bundle, build, package, read_python
from eyrie.msi.version import parse

__all__ = ["windows_desktop"]
pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

PROGRAMS, DATA = "Program Files/Eyrie", "ProgramData/Eyrie"


@pytest.fixture(scope="session")
def old_package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    """The MSI of an earlier version: the agent of today, which says that it is that one."""
    packed = io.BytesIO(agent_bundle())
    older = io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(older, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == "eyrie/__init__.py":
                data = b'__version__ = "0.0.9"\n'
            target.writestr(entry, data)
    python = read_python(windows_python(cache_root()))
    path = tmp_path_factory.mktemp("msi") / "old.msi"
    return path, build(package(parse("0.0.9"), python, older.getvalue()), path)


@pytest.fixture
def old(windows_desktop: WindowsDesktop, old_package: tuple[Path, Built]) -> dict[str, Any]:
    """That MSI, on the desktop."""
    path, built = old_package
    return {
        "source": windows_desktop.copy_in(path, "deploy/old.msi"),
        "sha256": built.sha256,
        "size": built.size,
        "version": "0.0.9",
        "release": built.release,
        "product_code": built.product_code,
    }


@pytest.fixture
def role(request: pytest.FixtureRequest, windows_desktop: WindowsDesktop, tmp_path: Path) -> Iterator[Role]:
    with renewed_after_failure(request, windows_desktop):
        yield Role(windows_desktop, tmp_path)


@pytest.fixture
def upgrading(role: Role, old: dict[str, Any]) -> Role:
    """A desktop with the older agent."""
    if releases(role) != {old["release"]}:
        gone = role.absent()
        assert gone["desktop"]["outcome"] == "done", gone
        told = role.present(msi=old)
        assert told["desktop"]["outcome"] == "done", told
    return role


@pytest.fixture
def installed(role: Role) -> Role:
    """A desktop with the agent of today."""
    told = role.present()
    assert told["desktop"]["outcome"] == "done", told
    return role


def releases(role: Role) -> set[str]:
    folder = role.desktop.c / PROGRAMS / "versions"
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def image_path(role: Role) -> str:
    return role.desktop.said(r"reg query HKLM\SYSTEM\CurrentControlSet\Services\EyrieAgent /v ImagePath")


def state(role: Role) -> str:
    return role.desktop.run("sc query EyrieAgent")[1].decode()


def kill(run: subprocess.Popen[str]) -> None:
    """End a play at once, with its workers, which are in sessions of their own."""
    doomed = [run.pid]
    for pid in doomed:
        children = Path(f"/proc/{pid}/task/{pid}/children")
        os.kill(pid, signal.SIGSTOP)  # nobody has further children, or is adopted, meanwhile
        doomed += map(int, children.read_text().split())
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    run.communicate()


def eventually(true: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def assert_serves(role: Role) -> None:
    """The wanted release runs, alone, and there is nothing left to do."""
    again = role.present()
    assert not again["changed"] and again["desktop"]["outcome"] == "done", again
    assert releases(role) == {role.msi["release"]} and role.msi["release"] in image_path(role)
    assert "RUNNING" in state(role)


def service_pids(role: Role) -> list[int]:
    """Return the agent's processes, as Linux numbers them."""
    return processes(role, "agent.pyz service")


def processes(role: Role, sign: str) -> list[int]:
    name = role.desktop.lab.topology.host_namespace(role.desktop.host)
    ours = Path(f"/run/netns/{name}").stat().st_ino
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "ns/net").stat().st_ino == ours:
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if sign in command.replace('"', ""):
                    found.append(int(path.name))
        except OSError:  # ended meanwhile
            continue
    return found


@contextmanager
def disconnected(role: Role) -> Iterator[None]:
    """Let every connection to the desktop's WinRM be reset, and none come through."""
    name = role.desktop.lab.topology.host_namespace(role.desktop.host)
    rules = """
table ip broken {
    chain in {
        type filter hook input priority 0
        tcp dport { 5985, 5986 } reject with tcp reset
    }
}
"""
    enter = ["ip", "netns", "exec", name, "nft"]
    subprocess.run([*enter, "-f", "-"], input=rules, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run([*enter, "delete", "table", "ip", "broken"], check=True)


def test_an_upgrade_keeps_identity_and_only_the_new_release(upgrading: Role) -> None:
    token = (upgrading.desktop.c / DATA / "token").read_text()
    assert "0.0.9" in upgrading.desktop.said(r"reg query HKLM\Software\Eyrie\Agent /v Version")
    told = upgrading.present("--diff")
    assert told["changed"] and "+agent: " in told["_text"]
    assert (upgrading.desktop.c / DATA / "token").read_text() == token, "identity outlives an upgrade"
    assert_serves(upgrading)


def test_a_downgrade_has_a_name(installed: Role, old: dict[str, Any]) -> None:
    told = installed.present(msi=old)
    assert told["desktop"]["outcome"] == "a newer version is installed", told
    assert_serves(installed)


@pytest.mark.parametrize("later", [0.3, 4.0])
def test_a_power_cut_in_an_upgrade_leaves_old_or_new(
    upgrading: Role, old: dict[str, Any], later: float
) -> None:
    run = upgrading.start()
    eventually(lambda: upgrading.msi["release"] in releases(upgrading))
    time.sleep(later)
    upgrading.desktop.power_cut()
    kill(run)
    upgrading.desktop.power_on()
    image = image_path(upgrading)
    kept = [each for each in (old["release"], upgrading.msi["release"]) if each in image]
    assert len(kept) == 1, image
    eventually(lambda: "RUNNING" in state(upgrading))
    told = upgrading.present()
    assert told["desktop"]["outcome"] == "done", told
    assert_serves(upgrading)


def test_a_registry_older_than_its_files_is_repaired(upgrading: Role, tmp_path: Path) -> None:
    """The worst of a power cut: Windows still knows the old release, whose files and package are gone."""
    hive = upgrading.desktop.c.parent / "system.reg"

    def go_back() -> None:
        upgrading.desktop.power_cut()
        shutil.copy(tmp_path / hive.name, hive)
        upgrading.desktop.power_on()
        assert "0.0.9" in image_path(upgrading) and "STOPPED" in state(upgrading)

    upgrading.desktop.power_cut()
    shutil.copy(hive, tmp_path)
    upgrading.desktop.power_on()
    assert upgrading.present()["desktop"]["outcome"] == "done"
    go_back()
    told = upgrading.present()
    assert told["desktop"]["outcome"] == "done", told
    assert any("forgetting" in step for step in told["desktop"]["steps"]), told
    assert_serves(upgrading)
    go_back()
    gone = upgrading.absent()
    assert gone["desktop"]["outcome"] == "done", gone
    assert not upgrading.absent()["changed"]


def test_a_power_cut_that_ends_while_the_play_waits_needs_no_further_run(upgrading: Role) -> None:
    run = upgrading.start()
    eventually(lambda: upgrading.msi["release"] in releases(upgrading))
    upgrading.desktop.power_cut()
    upgrading.desktop.power_on()
    told = upgrading.told(run)
    assert told["desktop"]["outcome"] == "done", told
    assert any("connection was lost" in step for step in told["desktop"]["steps"]), told
    assert_serves(upgrading)


def test_a_connection_lost_while_msiexec_runs_is_gone_on_with(upgrading: Role) -> None:
    run = upgrading.start()
    eventually(lambda: processes(upgrading, "msiexec"))
    with disconnected(upgrading):
        # Until its answer has been lost on the way.
        eventually(lambda: not processes(upgrading, "msiexec"))
        time.sleep(5)
    told = upgrading.told(run)
    assert told["desktop"]["outcome"] == "done", told
    assert any("connection was lost" in step for step in told["desktop"]["steps"]), told
    assert_serves(upgrading)


def test_a_killed_agent_is_started_again(installed: Role) -> None:
    for pid in service_pids(installed):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not service_pids(installed))
    told = installed.present()
    assert told["desktop"]["outcome"] == "done", told
    assert_serves(installed)


def test_an_agent_that_an_antivirus_crippled_is_repaired(installed: Role) -> None:
    folder = installed.desktop.c / PROGRAMS / "versions" / installed.msi["release"]
    (folder / "agent.pyz").unlink()
    assert installed.present("--check")["changed"]
    told = installed.present()
    assert told["desktop"]["outcome"] == "done" and told["changed"], told
    assert any("repairing" in step for step in told["desktop"]["steps"])
    assert (folder / "agent.pyz").exists()
    assert_serves(installed)


def test_a_restart_that_is_needed_is_not_made_while_somebody_is_there(installed: Role) -> None:
    key = r'"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"'
    installed.desktop.said(f"reg add {key} /f")
    before = installed.desktop.boot_id()
    try:
        for mode, words in (("never", "not allowed"), ("allowed", "its owner may be there")):
            told = installed.present(reboot=mode)
            assert told["desktop"]["reboot_required"] and words in told["desktop"]["reboot_refused"], told
        assert installed.desktop.boot_id() == before
    finally:
        installed.desktop.said(f"reg delete {key} /f")


def test_a_share_is_a_source(role: Role) -> None:
    """The share is a folder where Wine looks for them: no file server, no logon."""
    share = role.desktop.c.parent / "dosdevices/unc/files/deploy"
    share.mkdir(parents=True)
    try:
        role.absent()
        missing = role.present(msi={**role.msi, "source": r"\\files\deploy\none.msi"})
        assert missing["desktop"]["outcome"] == "the package cannot be fetched", missing
        shutil.copy(role.desktop.c / "deploy/agent.msi", share / "agent.msi")
        told = role.present(msi={**role.msi, "source": r"\\files\deploy\agent.msi"})
        assert told["desktop"]["outcome"] == "done", told
    finally:
        shutil.rmtree(share.parents[1])
    assert_serves(role)


def test_as_many_shells_as_allowed_have_a_name(installed: Role) -> None:
    client = installed.desktop.client()
    with ExitStack() as shells:
        with pytest.raises(WinRMError):
            for _ in range(31):
                shell = client.open_shell()
                shells.callback(client.close_shell, shell)
        told = installed.present()
        assert told.get("unreachable") and "as many shells open" in told["msg"], told
    assert_serves(installed)


@pytest.fixture
def msiexec(windows_desktop: WindowsDesktop) -> Iterator[Callable[..., None]]:
    """Have msiexec end as a test asks, by a stand-in in its place."""
    library = windows_desktop.lab.paths.root("win-1") / "opt/eyrie-lab/lib/desktop_programs"
    shutil.copy(Path(__file__).with_name("windows_msiexec.py"), library / "msiexec.py")
    system, aside = windows_desktop.c / "windows/system32", windows_desktop.c / "of-wine"
    aside.mkdir()
    real = system / "msiexec.exe"
    real.rename(aside / real.name)  # by another name Wine would not know it
    shutil.copy(system / "schtasks.exe", real)  # the launcher of stand-ins goes by its own name

    # Else Wine runs its own, whatever the file is.
    override = r"HKCU\Software\Wine\DllOverrides /v msiexec.exe"
    windows_desktop.said(f"reg add {override} /d native,builtin /f")

    def answer(*ends: tuple[int, str]) -> None:
        (library / "answers.json").write_text(json.dumps(ends))

    yield answer
    windows_desktop.said(f"reg delete {override} /f")
    (aside / real.name).replace(real)
    aside.rmdir()
    (library / "msiexec.py").unlink()
    (library / "answers.json").unlink(missing_ok=True)


def test_a_busy_msiexec_is_tried_again(role: Role, msiexec: Callable[..., None]) -> None:
    role.absent()
    msiexec((1618, ""), (1618, ""))
    told = role.present()
    assert told["desktop"]["outcome"] == "done", told
    busy = [step for step in told["desktop"]["steps"] if "another installation is running" in step]
    assert len(busy) == 2
    assert_serves(role)


def test_a_service_that_will_not_stop_has_a_name_and_is_repaired(
    upgrading: Role, msiexec: Callable[..., None]
) -> None:
    """In the words of Windows: its installer gives up, where Wine's goes on (see the next test)."""
    before = releases(upgrading)
    msiexec((1603, "Error 1921. Service 'Eyrie agent' (EyrieAgent) could not be stopped."))
    told = upgrading.present()
    assert told["desktop"]["outcome"] == "the service does not stop", told
    assert "end the process of the service" in told["msg"]
    assert releases(upgrading) == before
    told = upgrading.present()
    assert told["desktop"]["outcome"] == "done", told
    assert_serves(upgrading)


def test_an_installer_that_leaves_a_stuck_service_behind_brings_the_new_one(upgrading: Role) -> None:
    before, stuck = releases(upgrading), service_pids(upgrading)
    assert stuck
    for pid in stuck:
        os.kill(pid, signal.SIGSTOP)
    try:
        told = upgrading.present()
    finally:
        for pid in stuck:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGCONT)
    assert told["desktop"]["outcome"] == "done", told
    told = upgrading.present()  # removes what the stuck one held
    assert told["desktop"]["outcome"] == "done", told
    assert releases(upgrading).isdisjoint(before)
    assert_serves(upgrading)
