# SPDX-License-Identifier: GPL-3.0-or-later
"""What the installer reads, refuses and sends. Answers are made up after the documentation."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest

from eyrie.errors import EyrieError
from eyrie.guests.colinux import Release
from eyrie.guests.colinux.install import Step, look_line, parse, tap, winpcap
from eyrie.guests.colinux.install import lines as command_lines
from eyrie.guests.colinux.install.model import PROGRAM, RECOVERY, RUNNING, Service
from eyrie.guests.colinux.install.program import SOURCE, build
from eyrie.guests.colinux.install.release_set import check_image, check_kernel, operators_file, read_set
from tests.unit.guests_colinux.colinux_machine import FOLDER, HELPER, wanted

R061 = Release.of("0.6.1")
KERNEL = b"\x7fELF...Linux version 2.4.26-om1-co-0.6.1 (gcc 3.3)"
ANSWER = r"""eyrie-part files
eyrie-folder
eyrie-name colinux-daemon.exe
eyrie-name root_fs
eyrie-file aa11 48128 colinux-daemon.exe
eyrie-file big 1073741824 root_fs
eyrie-file end
eyrie-part driver

HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\CoLinuxDriver
    ImagePath    REG_EXPAND_SZ    \??\C:\coLinux\linux.sys
    Start    REG_DWORD    0x2

SERVICE_NAME: CoLinuxDriver
        TYP                : 1  KERNEL_DRIVER
        STATUS             : 4  RUNNING
                                (STOPPABLE,NOT_PAUSABLE,IGNORES_SHUTDOWN)
        BEENDETER CODE     : 0  (0x0)
eyrie-part service
    FailureActions    REG_BINARY    @RECOVERY@
    ObjectName	REG_SZ	LocalSystem
        TYPE               : 10  WIN32_OWN_PROCESS
        STATE              : 1  STOPPED
eyrie-part events
    EventMessageFile    REG_EXPAND_SZ    C:\coLinux\colinux-daemon.exe
eyrie-part clock

HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\TimeZoneInformation
    ActiveTimeBias    REG_DWORD    0xffffffc4

eyrie-part processes
CommandLine="C:\coLinux\colinux-daemon.exe" --run-service "Eyrie"
Name=colinux-daemon.exe
ProcessId=744

CommandLine=D:\andLinux\colinux-daemon.exe
Name=colinux-daemon.exe
ProcessId=745
eyrie-part end
""".replace("@RECOVERY@", "80510100" + "00" * 8 + "0300000014000000" + "0100000060EA0000" * 3)


def test_an_answer_is_read_whatever_the_language() -> None:
    seen = parse(ANSWER.replace("\n", "\r\n"), "desk-1", FOLDER, HELPER)
    assert seen.folder and seen.files == {"colinux-daemon.exe": "aa11", "root_fs": ""}
    assert seen.driver == Service(RUNNING, r"C:\coLinux\linux.sys", 2)
    assert seen.service and (seen.service.state, seen.service.account) == (1, "LocalSystem")
    assert seen.service.recovery == RECOVERY
    assert (seen.daemons, seen.helpers) == (1, 0)  # another installation's daemon is none of ours
    assert seen.events.endswith("colinux-daemon.exe")
    assert seen.bias == -60


@pytest.mark.parametrize(("told", "bias"), [("0x1e0", 480), ("0x0", 0), ("", None), ("480", None)])
def test_a_clock_that_is_not_told_is_not_known(told: str, bias: int | None) -> None:
    assert parse(ANSWER.replace("0xffffffc4", told), "desk-1", FOLDER, HELPER).bias == bias


def test_an_answer_without_its_end_is_none() -> None:
    with pytest.raises(EyrieError, match="answer of desktop desk-1"):
        parse(ANSWER.replace("eyrie-part end", ""), "desk-1", FOLDER, HELPER)
    empty = "eyrie-part files\neyrie-part driver\n[SC] FAILED 1060:\neyrie-part service\neyrie-part end\n"
    seen = parse(empty, "desk-1", FOLDER, HELPER)
    assert (seen.folder, seen.driver, seen.service, seen.events) == (False, None, None, "")


def test_lines_fit_and_have_balanced_brackets() -> None:
    want = wanted()
    steps = [Step(verb, "x") for verb in ("make-folder", "remove-driver", "install-service", "remove-folder")]
    for line in (look_line(FOLDER, "Eyrie", HELPER), *(command_lines.line(step, want) for step in steps)):
        assert len(line) < 8000 and line.count("(") == line.count(")")
    agent = wanted(start="agent")
    told = [
        command_lines.line(Step(verb), agent)
        for verb in ("hold-service", "configure-service", "set-recovery")
    ]
    assert told == [
        "sc config Eyrie start= disabled",
        "sc config Eyrie start= demand obj= LocalSystem",
        'sc failure Eyrie reset= 86400 actions= ""',
    ]
    assert "-c C:\\coLinux\\desk.xml" in command_lines.line(steps[2], want)
    assert "@C:\\coLinux\\desk.conf" in command_lines.line(steps[2], wanted("0.7.9"))


def test_text_is_written_in_lines_that_cmd_takes() -> None:
    rows = ["x" * 1000] * 20
    written = command_lines.write("F", rows)
    assert all(len(line) <= 8000 for line in written)
    assert [part.split(" echo ")[0] for line in written for part in line.split("& ")] == [">F", *[">>F"] * 19]


def archive(folder: Path, **files: bytes) -> Path:
    names = {"colinux-daemon.exe": b"d", "linux.sys": b"s", "vmlinux": KERNEL, HELPER: b"h"}
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in {**names, **files}.items():
            if content:
                packed.writestr(name.upper() if name == "linux.sys" else name, content)
    return path


def test_three_files_of_one_version_or_none(tmp_path: Path) -> None:
    files = read_set(archive(tmp_path), R061, HELPER)
    assert sorted(files) == sorted(["colinux-daemon.exe", "linux.sys", "vmlinux", HELPER])
    with pytest.raises(EyrieError, match=r"without linux\.sys"):
        read_set(archive(tmp_path, **{"linux.sys": b""}), R061, HELPER)
    with pytest.raises(EyrieError, match=r"kernel for coLinux 0\.6\.1"):
        read_set(archive(tmp_path), Release.of("0.7.9"), HELPER)
    own = KERNEL + b" own"
    assert read_set(archive(tmp_path, vmlinux=b""), R061, HELPER, own)["vmlinux"] == own


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x1f\x8b\x08", "gzip"),
        (b"BZh9", "bzip2"),
        (b"MZ", "begins with 4d5a"),
        (b"\x7fELF Linux version 2.4.26-om1", "no -co-RELEASE"),
        (b"\x7fELF Linux version 2.6.33.7-co-0.7.9", "a kernel for coLinux 0.7.9"),
    ],
)
def test_kernels_that_cannot_boot_are_refused(content: bytes, says: str) -> None:
    with pytest.raises(EyrieError, match=re.escape(says)):
        check_kernel(content, R061)


def test_images_that_cannot_be_mounted_are_refused(tmp_path: Path) -> None:
    image = tmp_path / "root_fs"
    image.write_bytes(b"BZh9" + bytes(4096))
    with pytest.raises(EyrieError, match="bzip2"):
        check_image(image)
    image.write_bytes(bytes(4096))
    with pytest.raises(EyrieError, match="no ext2"):
        check_image(image)
    image.write_bytes(bytes(1024 + 0x38) + b"\x53\xef" + bytes(1024))
    check_image(image)


def test_a_file_is_taken_with_its_sum_alone(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x")
    digest = hashlib.sha256(b"x").hexdigest()
    assert operators_file(str(file), digest, "") == file
    for wrong in ("", "ab" * 32):
        with pytest.raises(EyrieError, match="SHA-256"):
            operators_file(str(file), wrong, "")


def test_the_program_needs_a_compiler_that_is_named(tmp_path: Path) -> None:
    with pytest.raises(EyrieError, match="gcc-mingw-w64-i686"):
        build(tmp_path, "no-such-compiler-gcc")
    assert "eyrie-put: whole" in SOURCE.read_text() and PROGRAM == "eyrie-files.exe"


CLASS = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Class\{4D36E972-E325-11CE-BFC1-08002BE10318}"
NETWORK = CLASS.replace("Class", "Network")


def taps(*names: str, component: str = "tap0801co", ours: bool = False) -> tap.Seen:
    rows = ["eyrie-part class"]
    for number, _name in enumerate(names, 5):
        rows += [rf"{CLASS}\{number:04}", f"    ComponentId    REG_SZ    {component}"]
        rows += [f"    NetCfgInstanceId    REG_SZ    {{{number}}}", rf"{CLASS}\{number:04}\Ndi"]
    rows += ["eyrie-part network "]
    for number, name in enumerate(names, 5):
        rows += [rf"{NETWORK}\{{{number}}}\Connection", f"    Name    REG_SZ    {name}"]
    rows += ["eyrie-part rest", *(["eyrie-ours", "eyrie-folder"] if ours else []), "eyrie-part end"]
    return tap.parse("\r\n".join(rows) + "\r\n", "desk-1", tap.Driver.of(Release.of("0.7.9")))


def test_tap_is_looked_for_before_one_is_added() -> None:
    assert tap.present(taps(), "TAP") == ["install", "rename"]
    assert tap.present(taps("LAN-Verbindung 3"), "TAP") == ["rename"]
    assert tap.present(taps("TAP"), "TAP") == tap.present(taps("TAP", "other"), "TAP") == []
    assert tap.present(taps("OpenVPN", component="tapdev"), "TAP") == ["install", "rename"]
    with pytest.raises(EyrieError, match="one, two"):
        tap.present(taps("one", "two"), "TAP")


def test_tap_of_others_stays() -> None:
    assert tap.absent(taps("TAP")) == []
    assert tap.absent(taps("TAP", ours=True)) == ["remove", "forget"]
    assert tap.absent(taps(ours=True)) == ["forget"]
    with pytest.raises(EyrieError, match="TAP, theirs"):
        tap.absent(taps("TAP", "theirs", ours=True))
    assert tap.Driver.of(R061) == tap.Driver("TAPdev", "devcon.exe", "TAP")
    with pytest.raises(EyrieError, match="answer of desktop"):
        tap.parse("nonsense", "desk-1", tap.Driver.of(R061))


def pcap(npf: str = "", npcap: str = "", rest: str = "") -> winpcap.Seen:
    text = f"eyrie-part npf \n{npf}\neyrie-part npcap \n{npcap}\neyrie-part rest \n{rest}\neyrie-part end\n"
    return winpcap.parse(text.replace("\n", "\r\n"), "desk-1")


RUNS = "        TYPE               : 1  KERNEL_DRIVER\n        STATE              : 4  RUNNING\n"


def test_winpcap_that_is_there_is_used_and_stays() -> None:
    assert winpcap.present(pcap(RUNS), installer=False, silent=False) == []
    stopped = RUNS.replace("4  RUNNING", "1  STOPPED")
    assert winpcap.present(pcap(stopped), installer=False, silent=False) == ["start"]
    assert winpcap.absent(pcap(RUNS)) == []


def test_winpcap_is_installed_where_a_build_is_silent_and_named_as_a_step_by_hand_elsewhere() -> None:
    with pytest.raises(EyrieError, match="install it there by hand"):
        winpcap.present(pcap(npcap=RUNS), installer=False, silent=False)
    with pytest.raises(EyrieError, match="one that asks"):
        winpcap.present(pcap(), installer=True, silent=False)
    assert winpcap.present(pcap(), installer=True, silent=True) == ["install"]
    key = '    UninstallString    REG_SZ    "C:\\Program Files\\WinPcap\\uninstall.exe"'
    rest = f"eyrie-ours\neyrie-folder\n{key}"
    ours = pcap(RUNS, rest=rest)
    assert winpcap.absent(ours) == ["uninstall", "forget"]
    assert ours.uninstaller == r"C:\Program Files\WinPcap\uninstall.exe"
    assert winpcap.absent(pcap(rest="eyrie-folder")) == ["forget"]
