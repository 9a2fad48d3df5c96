# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with one Windows desktop for a whole test run: what one can do to it, and how its owner behaves."""

from __future__ import annotations

import base64
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab_place import Recorder, traces
from winrm.exceptions import WinRMOperationTimeoutError
from winrm.protocol import Protocol

from eyrie.artefacts.windows_files import windows_python
from eyrie.lab import Lab, namespaces
from eyrie.lab.model import Host
from eyrie.lab.paths import CACHE, Paths
from eyrie.lab.topology import load
from eyrie.lab.windows import credentials, desktop, way_in
from eyrie.lab.windows.session import Session

CHECKOUT = Path(__file__).parents[2]
NAME = f"it-win-{os.getpid()}"  # two test runs may go on at once
OFFICE = """
plugin: eyrie.pool.lab
name: {name}
subnets: {{hq: {{network: 10.79.8.0/24}}}}
hosts:
  win-1: {{kind: windows, subnet: hq, address: 10.79.8.21, groups: [windows_desktops]}}
"""
UTF_8 = 65001
BOOT_SECONDS = 120.0
Seen = tuple[int, bytes, bytes]


@dataclass(frozen=True)
class WindowsDesktop:
    """One Windows desktop of a lab that is up."""

    lab: Lab
    inventory: Path
    """For `ansible -i`."""

    name: str = "win-1"

    @property
    def host(self) -> Host:
        return self.lab.host(self.name)

    @property
    def c(self) -> Path:
        """Drive C: as this machine sees it."""
        return self.lab.paths.root(self.name) / desktop.DRIVE

    @property
    def proxy(self) -> str:
        port = way_in.port_file(self.lab.paths).read_text()
        return f"http://127.0.0.1:{port}"

    @property
    def password(self) -> str:
        return credentials.password_file(self.lab.paths).read_text()

    @property
    def authority(self) -> Path:
        return credentials.authority(self.lab.paths)

    def client(self) -> Protocol:
        """A client of WinRM that is not ours: pywinrm, over HTTPS."""
        return Protocol(
            f"https://{self.host.address}:5986/wsman",
            transport="ntlm",
            username=credentials.USER,
            password=self.password,
            ca_trust_path=str(self.authority),
            proxy=self.proxy,
            read_timeout_sec=70,
            operation_timeout_sec=60,
        )

    def run(self, line: str, given: bytes | None = None, timeout: float = 300) -> Seen:
        """Run a line by cmd.exe through WinRM."""
        client = self.client()
        shell = client.open_shell(codepage=UTF_8)
        try:
            command = client.run_command(shell, line, console_mode_stdin=given is None)
            if given is not None:
                for start in range(0, len(given), 90_000):
                    client.send_command_input(shell, command, given[start : start + 90_000])
                client.send_command_input(shell, command, b"", end=True)
            return _collect(client, shell, command, timeout)
        finally:
            client.close_shell(shell)

    def said(self, line: str) -> str:
        """Run a line that must succeed; return what it prints."""
        code, out, err = self.run(line)
        assert code == 0, f"{line}: {code}\n{out.decode()}\n{err.decode()}"
        return out.decode().strip()

    def copy_in(self, source: Path, target: str) -> str:
        """Put a file or a folder onto drive C: (`target` without the drive); return its Windows path."""
        path = self.c / target
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = ["cp", "-r", "--no-target-directory", str(source), str(path)]
        subprocess.run(copy, check=True)
        return "C:\\" + target.replace("/", "\\")

    def copy_out(self, path: str) -> bytes:
        """Read a file of drive C:, through cmd.exe and the desktop's own Python."""
        code = f"import base64; print(base64.b64encode(open({path!r}, 'rb').read()).decode())"
        return base64.b64decode(self.said(f'{self.python()} -c "{code}"'))

    def python(self) -> str:
        """The Windows path of a Python for the tests; not the one that an agent's MSI brings."""
        place = self.c / "python"
        if not place.exists():
            self.copy_in(windows_python(CACHE), "python")
        return "C:\\python\\python.exe"

    def press_key(self) -> float:
        """The owner presses a key; return when (time.monotonic)."""
        return self.lab.touch(self.name)

    def sessions(self, *sessions: Session) -> None:
        """Say who is logged in; nothing: the services alone."""
        self.lab.sessions(self.name, sessions)

    def supply(self, source: str) -> None:
        """Let it run on `mains` or `battery`, or have no battery (`none`)."""
        self.lab.supply(self.name, source)

    def power_cut(self) -> None:
        self.lab.power_cut(self.name)

    def power_off(self) -> None:
        self.lab.power_off(self.name)

    def power_on(self) -> None:
        self.lab.power_on(self.name)

    def boot_id(self) -> str:
        return desktop.boot_id(self.lab.topology, self.lab.paths, self.host)

    def await_other_boot(self, before: str) -> None:
        """Wait until Windows has started again."""
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if self.answers():
                try:
                    if self.boot_id() != before:
                        return
                except ValueError:  # between two starts
                    pass
            time.sleep(0.2)
        raise AssertionError(f"no new boot within {BOOT_SECONDS} s")

    def answers(self) -> bool:
        """Whether WinRM listens."""
        router = self.lab.topology.router_namespace
        try:
            with namespaces.connect(router, str(self.host.address), desktop.HTTPS, 2):
                return True
        except OSError:
            return False


def _collect(client: Protocol, shell: str, command: str, timeout: float) -> Seen:
    parts: list[Seen] = []
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            out, err, code, done = client.get_command_output_raw(shell, command)
        except WinRMOperationTimeoutError:
            continue
        parts.append((code, out, err))
        if done:
            client.cleanup_command(shell, command)
            return code, b"".join(each[1] for each in parts), b"".join(each[2] for each in parts)
    raise AssertionError(f"no end within {timeout} s: {parts}")


def office(folder: Path, name: str, text: str = OFFICE) -> Lab:
    """Write a lab's file, as an inventory too, and return the lab."""
    file = folder / "lab.yml"
    file.write_text(text.format(name=name))
    (folder / "00-common.yml").symlink_to(CHECKOUT / "inventory/common/groups.yml")
    return Lab(load(file), Paths(name), Recorder())


@pytest.fixture(scope="session")
def windows_desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsDesktop]:
    """One desktop, on mains and with its owner logged in; tests put right what they change."""
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    folder = tmp_path_factory.mktemp("windows")
    lab = office(folder, NAME)
    lab.up()
    yield WindowsDesktop(lab, folder)
    lab.down()
    assert traces(NAME) == set()


Sessions = Sequence[Session]


@contextmanager
def renewed_after_failure(request: pytest.FixtureRequest, made: WindowsDesktop) -> Iterator[None]:
    """Give the next test a new desktop where this one failed, and may have left anything."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        made.lab.down()
        made.lab.up()
