# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's stand-ins for coLinux and its neighbours: exit codes, texts, states that lie."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator

import pytest
from windows_place import WindowsDesktop, windows_desktop

__all__ = ["windows_desktop"]
pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

LIES = r"Z:\opt\eyrie-lab\colinux"
MINUS_ONE = 0xFFFFFFFF
RELEASES = ["0.6.1", "0.6.4", "0.7.9"]
XML = r"""<colinux><block_device index="0" path="\DosDevices\C:\co\root_fs" enabled="true" />
<image path="C:\co\vmlinux" />
<network index="0" type="bridged" name="none" mac="02:00:00:00:00:01" /></colinux>
"""
AT = 'kernel=C:\\co\\vmlinux\r\ncobd0=C:\\co\\root_fs\r\neth0=pcap-bridge,"none",02:00:00:00:00:01\r\n'


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest, windows_desktop: WindowsDesktop) -> Iterator[str]:
    """A folder with one release, an image, and its configuration; nothing is registered."""
    folder = windows_desktop.c / "co"
    source = windows_desktop.lab.paths.root(windows_desktop.name) / "opt/eyrie-lab/colinux" / request.param
    shutil.copytree(source, folder)
    image = bytearray(8192)
    image[1024 + 0x38 : 1024 + 0x3C] = b"\x53\xef\x01\x00"
    (folder / "root_fs").write_bytes(image)
    (folder / "desk").write_text(XML if request.param < "0.7" else AT)
    yield request.param
    said(windows_desktop, "net stop Guest")
    said(windows_desktop, r"C:\co\colinux-daemon.exe --remove-service Guest")
    said(windows_desktop, r"C:\co\colinux-daemon.exe --remove-driver")
    shutil.rmtree(folder)


def said(desktop: WindowsDesktop, line: str) -> tuple[int, str]:
    code, out, _err = desktop.run(line)
    return code, out.decode()


def config(release: str) -> str:
    return r"-c C:\co\desk" if release < "0.7" else r"@C:\co\desk"


def state(desktop: WindowsDesktop, service: str) -> str:
    return said(desktop, rf"{LIES}\sc.exe query {service}")[1]


@pytest.mark.parametrize(
    "name", [r"0.6.1\colinux-daemon", r"0.7.9\netdriver\tapcontrol", "winpcap", "wmic", "sc"]
)
def test_each_says_that_it_is_a_stand_in(windows_desktop: WindowsDesktop, name: str) -> None:
    code, out = said(windows_desktop, rf"{LIES}\{name}.exe --version")
    assert code == 0 and "a stand-in of Eyrie's lab" in out


def test_driver_by_the_daemons_own_command(windows_desktop: WindowsDesktop, release: str) -> None:
    daemon = r"C:\co\colinux-daemon.exe"
    missing = {"0.6.1": (0, 0), "0.6.4": (MINUS_ONE, MINUS_ONE), "0.7.9": (14, 14)}[release]
    codes = (
        said(windows_desktop, f"{daemon} --status-driver")[0],
        said(windows_desktop, f"{daemon} --remove-driver")[0],
    )
    assert codes == missing
    assert said(windows_desktop, f"{daemon} --install-driver")[0] == 0
    assert "RUNNING" in state(windows_desktop, "CoLinuxDriver")
    assert "current number of monitors: 0" in said(windows_desktop, f"{daemon} --status-driver")[1]
    # Where it is there it is neither started nor updated, and that is called success.
    said(windows_desktop, "net stop CoLinuxDriver")
    code, out = said(windows_desktop, f"{daemon} --install-driver")
    assert code == 0 and "driver already installed" in out
    assert "STOPPED" in state(windows_desktop, "CoLinuxDriver")
    assert said(windows_desktop, f"{daemon} --remove-driver")[0] == 0
    assert "1060" in state(windows_desktop, "CoLinuxDriver")


def test_service_is_registered_once(windows_desktop: WindowsDesktop, release: str) -> None:
    daemon = r"C:\co\colinux-daemon.exe"
    code, out = said(windows_desktop, f"{daemon} --install-service Guest")
    assert code == MINUS_ONE and "config not specified" in out
    line = f"{daemon} {config(release)} --install-service Guest"
    assert said(windows_desktop, line)[0] == 0
    assert said(windows_desktop, line)[0] == MINUS_ONE
    entry = said(windows_desktop, r"reg query HKLM\SYSTEM\CurrentControlSet\Services\Guest")[1]
    assert "0x3" in entry and "CoLinuxDriver" in entry and "5A000000" in entry
    assert ("NetworkService" in entry) == (release == "0.6.1")
    assert ("NPF" in entry) == (release == "0.7.9")
    assert said(windows_desktop, f"{daemon} -h")[0] == MINUS_ONE


def test_service_says_running_and_ends_without_a_reason(
    windows_desktop: WindowsDesktop, release: str
) -> None:
    daemon = r"C:\co\colinux-daemon.exe"
    vmlinux = windows_desktop.c / "co/vmlinux"
    said(windows_desktop, rf"{LIES}\winpcap.exe /S")
    said(windows_desktop, f"{daemon} --install-driver")
    said(windows_desktop, f"{daemon} {config(release)} --install-service Guest")
    vmlinux.write_bytes(b"\x7fELF of -co-0.5.0")
    code, _out = said(windows_desktop, "net start Guest")
    time.sleep(1)
    ended = state(windows_desktop, "Guest")
    assert code == 0 and "STOPPED" in ended and "WIN32_EXIT_CODE    : 0 " in ended
    code, out = said(windows_desktop, f"{daemon} -d {config(release)}")
    assert code == (3 if release == "0.7.9" else MINUS_ONE) and "expected kernel API version" in out


def test_guest_marks_its_image_and_is_shut_down_by_a_stop(
    windows_desktop: WindowsDesktop, release: str
) -> None:
    daemon = r"C:\co\colinux-daemon.exe"
    image = windows_desktop.c / "co/root_fs"
    said(windows_desktop, rf"{LIES}\winpcap.exe /S")
    said(windows_desktop, f"{daemon} --install-driver")
    said(windows_desktop, f"{daemon} {config(release)} --install-service Guest")
    said(windows_desktop, "net start Guest")
    time.sleep(1)
    code, out = said(windows_desktop, f"{daemon} --status-driver")
    assert code == 0 and "monitors: 1" in out
    assert image.read_bytes()[1024 + 0x3A] == 0  # mounted
    code, out = said(windows_desktop, f"{daemon} --remove-driver")
    assert code == MINUS_ONE and "monitors are running" in out
    # No adapter is called `none`: the helper is gone, and the service says RUNNING.
    assert "RUNNING" in state(windows_desktop, "Guest")
    assert "bridged" not in said(windows_desktop, "tasklist")[1]
    said(windows_desktop, "net stop Guest")
    deadline = time.monotonic() + 20
    while "STOPPED" not in state(windows_desktop, "Guest") and time.monotonic() < deadline:
        time.sleep(0.5)
    assert image.read_bytes()[1024 + 0x3A] == 1  # clean


@pytest.mark.parametrize(
    ("release_", "tool", "component"), [("0.6.1", "devcon", "TAPdev"), ("0.7.9", "tapcontrol", "TAP0801co")]
)
def test_every_install_of_tap_adds_an_adapter(
    windows_desktop: WindowsDesktop, release_: str, tool: str, component: str
) -> None:
    program = rf"{LIES}\{release_}\netdriver\{tool}.exe"
    inf = rf"{LIES}\{release_}\netdriver\OemWin2k.inf"
    assert "No matching devices" in said(windows_desktop, f"{program} hwids {component}")[1]
    assert said(windows_desktop, f"{program} install nothing.inf {component}")[0] == 2
    assert said(windows_desktop, f"{program} turn")[0] == 3
    for number in (1, 2):
        assert said(windows_desktop, f"{program} install {inf} {component}")[0] == 0
        assert f"{number} matching" in said(windows_desktop, f"{program} hwids {component}")[1]
    name = "TAP" if release_ == "0.6.1" else component
    assert said(windows_desktop, f"{program} remove {name}")[0] == 0
    assert "No matching devices" in said(windows_desktop, f"{program} hwids {component}")[1]
