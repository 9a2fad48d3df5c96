# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Windows desktop: real Wine, the real Windows Python, a real endpoint, and clients of others."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_place import steps, traces
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan
from windows_place import CHECKOUT, NAME, UTF_8, WindowsDesktop, office, windows_desktop

from eyrie.errors import EyrieError
from eyrie.lab.windows import credentials
from eyrie.lab.windows.session import NOBODY, Session

__all__ = ["windows_desktop"]
pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

BINARY = bytes(range(256)) * 2048
TWO = """
plugin: eyrie.pool.lab
name: {name}
subnets: {{hq: {{network: 10.79.6.0/24}}, east: {{network: 10.79.7.0/24}}}}
hosts:
  win-1: {{kind: windows, subnet: hq, address: 10.79.6.21, groups: [windows_desktops]}}
  win-2: {{kind: windows, subnet: east, address: 10.79.7.21, groups: [windows_desktops]}}
"""


@pytest.fixture
def tidy(windows_desktop: WindowsDesktop) -> Iterator[WindowsDesktop]:
    """Put sessions, battery and the power switch back."""
    yield windows_desktop
    if not windows_desktop.answers():
        windows_desktop.power_on()
    windows_desktop.sessions(Session())
    windows_desktop.supply("none")


@pytest.mark.parametrize("code", [0, 1, 255, 1603, 3010, 9009, 0xC000013A])
def test_exit_codes_arrive_whole(windows_desktop: WindowsDesktop, code: int) -> None:
    signed = code - (1 << 32) if code >> 31 else code
    assert windows_desktop.run(f"exit {signed}") == (code, b"", b"")


def test_what_is_no_command_has_windows_code(windows_desktop: WindowsDesktop) -> None:
    assert windows_desktop.run("no-such-program")[0] == 9009


@pytest.mark.parametrize("line", ["powershell -Command exit 0", "powershell.exe -EncodedCommand AA=="])
def test_powershell_is_refused_never_skipped(windows_desktop: WindowsDesktop, line: str) -> None:
    code, out, err = windows_desktop.run(line)
    assert (code, out) == (9009, b"")
    assert b"stand-in of Eyrie's lab" in err


def test_utf_8_both_ways(windows_desktop: WindowsDesktop) -> None:
    assert windows_desktop.run("echo héllo €") == (0, "héllo €\r\n".encode(), b"")
    assert windows_desktop.run("chcp")[1].rstrip().endswith(b"65001")


def test_quotes_as_cmd_takes_them(windows_desktop: WindowsDesktop) -> None:
    assert windows_desktop.run('""cmd" /c "exit 5""')[0] == 5
    assert windows_desktop.run("echo one& (echo two)>&2 & exit 3") == (3, b"one\r\n", b"two\r\n")


def test_binary_input_is_streamed(windows_desktop: WindowsDesktop) -> None:
    turn = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"
    line = f'{windows_desktop.python()} -c "{turn}"'
    assert windows_desktop.run(line, BINARY) == (0, BINARY[::-1], b"")


def test_the_second_client_sees_the_same(windows_desktop: WindowsDesktop) -> None:
    """pypsrp through the lab's proxy: SPNEGO, its own SOAP."""
    wsman = WSMan(
        str(windows_desktop.host.address),
        port=5986,
        username=credentials.USER,
        password=windows_desktop.password,
        auth="negotiate",
        cert_validation=str(windows_desktop.authority),
        proxy=windows_desktop.proxy,
    )
    with wsman, WinRS(wsman, codepage=UTF_8) as shell:
        for line in ("echo héllo& exit 3010", "exit 1603", "powershell x", "set EYRIE_NO_SUCH"):
            process = Process(shell, line)
            process.invoke()
            assert (process.rc, process.stdout, process.stderr) == windows_desktop.run(line)


def test_environment_and_directory(windows_desktop: WindowsDesktop) -> None:
    client = windows_desktop.client()
    shell = client.open_shell(
        codepage=UTF_8, working_directory="C:\\windows", env_vars={"EYRIE_TEST": "a b%&", "PATHEXT": ".exe"}
    )
    command = client.run_command(shell, "cd& set EYRIE& set PATHEXT")
    out, _, code = client.get_command_output(shell, command)
    client.close_shell(shell)
    assert (code, out) == (0, b"C:\\windows\r\nEYRIE_TEST=a b%&\r\nPATHEXT=.exe\r\n")


def running(desktop: WindowsDesktop, program: str) -> int:
    return desktop.said("tasklist").lower().count(program)


def test_deleting_a_shell_ends_all_that_runs_in_it(windows_desktop: WindowsDesktop) -> None:
    client = windows_desktop.client()
    shell = client.open_shell()
    client.run_command(shell, "cmd /c ping -n 60 127.0.0.1 >nul")
    deadline = time.monotonic() + 10
    while running(windows_desktop, "ping.exe") == 0:
        assert time.monotonic() < deadline
    client.close_shell(shell)
    deadline = time.monotonic() + 10
    while running(windows_desktop, "ping.exe"):
        assert time.monotonic() < deadline, "it outlived its shell"


def test_ctrl_c_reaches_the_program(windows_desktop: WindowsDesktop) -> None:
    wsman = WSMan(
        str(windows_desktop.host.address),
        port=5986,
        username=credentials.USER,
        password=windows_desktop.password,
        auth="negotiate",
        cert_validation=str(windows_desktop.authority),
        proxy=windows_desktop.proxy,
    )
    with wsman, WinRS(wsman) as shell:
        process = Process(
            shell, f'{windows_desktop.python()} -c "import time; print(1, flush=True); time.sleep(60)"'
        )
        process.begin_invoke()
        process.poll_invoke()
        began = time.monotonic()
        process.signal(SignalCode.CTRL_C)
        process.end_invoke()
    assert b"KeyboardInterrupt" in process.stderr
    assert time.monotonic() - began < 30


def test_http_takes_sealed_messages_only(windows_desktop: WindowsDesktop) -> None:
    wanted = f"CONNECT {windows_desktop.host.address}:5985 HTTP/1.1\r\n\r\n"
    plain = "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(windows_desktop.proxy.rpartition(":")[2]))) as connection:
        connection.sendall(wanted.encode())
        assert b" 200 " in connection.recv(1000)
        connection.sendall(plain.encode())
        answer = connection.recv(4000)
    assert b" 401 " in answer
    assert b"Basic" not in answer


def test_the_way_in_leads_nowhere_else(windows_desktop: WindowsDesktop) -> None:
    with socket.create_connection(("127.0.0.1", int(windows_desktop.proxy.rpartition(":")[2]))) as connection:
        connection.sendall(f"CONNECT {windows_desktop.host.address}:47001 HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 403")


def test_secrets_are_roots_alone(windows_desktop: WindowsDesktop) -> None:
    paths = windows_desktop.lab.paths
    secret = [credentials.password_file(paths), credentials.certificate(paths, windows_desktop.host)]
    assert {path.stat().st_mode & 0o777 for path in secret} == {0o600}
    text = " ".join(path.read_text() for path in windows_desktop.inventory.glob("*.yml"))
    assert windows_desktop.password not in text


def test_ansible_works_at_once(windows_desktop: WindowsDesktop) -> None:
    environment = {**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    argv = ["ansible", "-i", str(windows_desktop.inventory), "win-1", "-m", "raw", "-a", "ver& exit 3010"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT)
    assert "win-1 | FAILED | rc=3010" in done.stdout, done.stdout + done.stderr
    assert "Microsoft Windows 10.0." in done.stdout


SERVICE = textwrap.dedent("""\
    import ctypes, sys, time
    from ctypes import wintypes as w
    a = ctypes.WinDLL("advapi32")
    MAIN = ctypes.WINFUNCTYPE(None, w.DWORD, w.LPVOID)
    HANDLER = ctypes.WINFUNCTYPE(w.DWORD, w.DWORD, w.DWORD, w.LPVOID, w.LPVOID)
    class Status(ctypes.Structure):
        _fields_ = [(n, w.DWORD) for n in ("type", "state", "accepts", "exit", "own", "check", "wait")]
    class Entry(ctypes.Structure):
        _fields_ = [("name", w.LPWSTR), ("main", MAIN)]
    a.RegisterServiceCtrlHandlerExW.restype = w.LPVOID
    a.SetServiceStatus.argtypes = [w.LPVOID, w.LPVOID]
    stopping = []
    def note(text):
        with open(r"C:\\\\service.log", "a") as file:
            file.write(text + "\\n")
    def say(state):
        a.SetServiceStatus(handle, ctypes.byref(Status(0x10, state, 1 if state == 4 else 0, 0, 0, 0, 0)))
    @HANDLER
    def handler(control, event, data, context):
        if control == 1:
            note("stop")
            stopping.append(1)
        return 0
    @MAIN
    def main(count, arguments):
        global handle
        handle = a.RegisterServiceCtrlHandlerExW("EyrieTest", handler, None)
        say(4)
        note("start")
        while not stopping:
            time.sleep(0.05)
        say(1)
    a.StartServiceCtrlDispatcherW((Entry * 2)(Entry("EyrieTest", main), Entry()))
    """)


@pytest.fixture
def service(tidy: WindowsDesktop, tmp_path: Path) -> Iterator[WindowsDesktop]:
    (tmp_path / "service.py").write_text(SERVICE)
    tidy.copy_in(tmp_path / "service.py", "service.py")
    (tidy.c / "service.log").unlink(missing_ok=True)
    program = tidy.python().replace("python.exe", "pythonw.exe")
    tidy.said(f'sc create EyrieTest binPath= "{program} -B C:\\service.py" start= auto')
    yield tidy
    if not tidy.answers():
        tidy.power_on()
    tidy.run("sc stop EyrieTest")
    tidy.said("sc delete EyrieTest")


def log(desktop: WindowsDesktop, wanted: list[str]) -> None:
    path, deadline = desktop.c / "service.log", time.monotonic() + 30
    while (seen := path.read_text().split() if path.exists() else []) != wanted:
        assert time.monotonic() < deadline, f"{seen}, wanted {wanted}"
        time.sleep(0.1)


def test_services_start_with_windows_and_stop_before_it(service: WindowsDesktop) -> None:
    service.said("sc start EyrieTest")
    log(service, ["start"])
    service.said("sc stop EyrieTest")
    log(service, ["start", "stop"])
    service.power_off()
    with pytest.raises(EyrieError, match="power-on"):
        service.boot_id()
    service.power_on()
    log(service, ["start", "stop", "start"])
    before = service.boot_id()
    service.said("shutdown /r /t 0 /d p:4:1")
    service.await_other_boot(before)
    log(service, ["start", "stop", "start", "stop", "start"])


def test_a_power_cut_asks_nobody(service: WindowsDesktop) -> None:
    service.said("sc start EyrieTest")
    log(service, ["start"])
    service.said(r"reg add HKLM\Software\EyrieTest /f")
    service.power_cut()
    assert not service.answers()
    service.power_on()
    log(service, ["start", "start"])
    service.said(r"reg delete HKLM\Software\EyrieTest /f")  # Wine alone would have lost it


ASK = textwrap.dedent("""\
    import ctypes, json, struct
    from ctypes import wintypes as w
    wts, user, kernel = (ctypes.WinDLL(name) for name in ("wtsapi32", "user32", "kernel32"))
    class Info(ctypes.Structure):
        _fields_ = [("id", w.DWORD), ("name", w.LPWSTR), ("state", ctypes.c_int)]
    class Last(ctypes.Structure):
        _fields_ = [("size", w.UINT), ("time", w.DWORD)]
    def query(session, kind):
        data, size = w.LPVOID(), w.DWORD()
        assert wts.WTSQuerySessionInformationW(None, session, kind, ctypes.byref(data), ctypes.byref(size))
        return ctypes.string_at(data.value, size.value)
    last = Last(8)
    user.GetLastInputInfo(ctypes.byref(last))
    infos, count, found = ctypes.POINTER(Info)(), w.DWORD(), []
    assert wts.WTSEnumerateSessionsW(None, 0, 1, ctypes.byref(infos), ctypes.byref(count))
    wts.WTSQueryUserToken.argtypes = [w.ULONG, w.LPVOID]
    for info in infos[: count.value]:
        token = w.HANDLE()
        found.append([info.id, info.name, info.state, query(info.id, 5).decode("utf-16")[:-1],
            struct.unpack_from("<i", query(info.id, 25), 16)[0], query(info.id, 29)[0],
            wts.WTSQueryUserToken(info.id, ctypes.byref(token))])
    power = (ctypes.c_ubyte * 12)()
    kernel.GetSystemPowerStatus(power)
    idle = (kernel.GetTickCount() - last.time) & 0xFFFFFFFF
    print(json.dumps({"idle_ms": idle, "sessions": found, "power": list(power)[:3]}))
    """)
ACTIVE, CONNECTED, DISCONNECTED, LISTEN = 0, 1, 4, 6
SERVICES = [0, "Services", DISCONNECTED, "", -1, 0, 0]
LISTENER = [65536, "RDP-Tcp", LISTEN, "", -1, 0, 0]


def asked(desktop: WindowsDesktop, tmp_path: Path) -> dict[str, object]:
    (tmp_path / "ask.py").write_text(ASK)
    desktop.copy_in(tmp_path / "ask.py", "ask.py")
    answer: dict[str, object] = json.loads(desktop.said(f"{desktop.python()} C:\\ask.py"))
    return answer


@pytest.mark.parametrize("pause", [0, 3])
def test_windows_notices_the_owners_key(windows_desktop: WindowsDesktop, tmp_path: Path, pause: int) -> None:
    """A desktop nobody ever touched tells its uptime, so both bounds count."""
    pressed = windows_desktop.press_key()
    time.sleep(pause)
    idle = asked(windows_desktop, tmp_path)["idle_ms"]
    assert isinstance(idle, int)
    assert pause * 1000 - 100 <= idle <= (time.monotonic() - pressed) * 1000 + 100


@pytest.mark.parametrize(
    ("sessions", "seen"),
    [
        ([Session()], [[1, "Console", ACTIVE, "owner", 1, 0, 1]]),
        ([Session(locked=True)], [[1, "Console", ACTIVE, "owner", 0, 0, 1]]),
        (list(NOBODY), [[1, "Console", CONNECTED, "", -1, 0, 0]]),
        (
            [Session(state="disconnected"), Session(2, user="ünal", remote=True)],
            [[1, "", DISCONNECTED, "owner", 1, 0, 1], [2, "RDP-Tcp#2", ACTIVE, "ünal", 1, 1, 1]],
        ),
        ([], []),
    ],
    ids=["one", "locked", "nobody", "rdp", "none"],
)
def test_sessions_are_as_scripted(
    tidy: WindowsDesktop, tmp_path: Path, sessions: list[Session], seen: list[object]
) -> None:
    tidy.sessions(*sessions)
    assert asked(tidy, tmp_path)["sessions"] == [SERVICES, *seen, LISTENER]


@pytest.mark.skipif(not Path("/sys/class/power_supply").is_dir(), reason="this kernel knows no batteries")
def test_windows_notices_the_battery(tidy: WindowsDesktop, tmp_path: Path) -> None:
    seen = []
    for source in ("mains", "battery", "none"):
        tidy.supply(source)
        power = asked(tidy, tmp_path)["power"]
        assert isinstance(power, list)
        seen.append(power)
    assert [each[0] for each in seen] == [1, 0, 1]
    assert seen[2][1] == 128  # no battery


def test_the_stand_ins_answer_like_windows(windows_desktop: WindowsDesktop) -> None:
    add = 'netsh advfirewall firewall add rule name="Eyrie test" dir=out action=block program="C:\\a b.exe"'
    show = 'netsh advfirewall firewall show rule name="Eyrie test"'
    assert "No rules match" in windows_desktop.run(show)[1].decode()
    assert windows_desktop.said(add) == "Ok."
    assert "C:\\a b.exe" in windows_desktop.said(show)
    assert "Deleted 1 rule(s)." in windows_desktop.said(show.replace("show", "delete"))
    assert windows_desktop.run(show)[0] == 1
    hashed = windows_desktop.said("certutil -hashfile C:\\windows\\win.ini SHA256").splitlines()
    assert len(hashed[1]) == 64
    assert hashed[2] == "CertUtil: -hashfile command completed successfully."


def test_a_task_runs_beside_its_shell_and_keeps_its_result(windows_desktop: WindowsDesktop) -> None:
    create = 'schtasks /create /tn EyrieTest /tr "cmd /c exit 1603" /sc once /st 00:00 /ru SYSTEM /f'
    windows_desktop.said(create)
    windows_desktop.said("schtasks /run /tn EyrieTest")
    deadline = time.monotonic() + 30
    while "1603" not in (told := windows_desktop.said("schtasks /query /tn EyrieTest /fo list /v")):
        assert time.monotonic() < deadline, told
    windows_desktop.said("schtasks /delete /tn EyrieTest /f")
    assert windows_desktop.run("schtasks /query /tn EyrieTest")[0] == 1


def test_many_commands_at_once(windows_desktop: WindowsDesktop) -> None:
    seen: dict[int, int] = {}

    def one(code: int) -> None:
        seen[code] = windows_desktop.run(f"exit {code}")[0]

    threads = [threading.Thread(target=one, args=(code,)) for code in range(3001, 3007)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {code: code for code in range(3001, 3007)}


def test_up_again_changes_nothing(windows_desktop: WindowsDesktop) -> None:
    boot = windows_desktop.boot_id()
    steps(windows_desktop.lab).clear()
    windows_desktop.lab.up()
    assert steps(windows_desktop.lab) == []
    assert windows_desktop.boot_id() == boot


def test_two_desktops_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Measured and printed: the goal is at most 20 s a desktop, which a busy machine may miss."""
    lab = office(tmp_path, f"{NAME}-2", TWO)
    try:
        began = time.monotonic()
        lab.up()
        both = time.monotonic() - began
        one, two = (WindowsDesktop(lab, tmp_path, name) for name in ("win-1", "win-2"))
        assert one.run("hostname")[1].strip().lower() == b"win-1"
        assert two.run("hostname")[1].strip().lower() == b"win-2"
        assert two.said("ping -n 1 10.79.6.21").count("TTL=63") == 1
        assert one.boot_id() != two.boot_id()
        began = time.monotonic()
        one.power_cut()
        one.power_on()
        with capsys.disabled():
            again = time.monotonic() - began
            sys.stderr.write(f"\ntwo Windows desktops up in {both:.1f} s, one again in {again:.1f} s\n")
    finally:
        lab.down()
    assert traces(f"{NAME}-2") == set()
