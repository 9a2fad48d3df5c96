# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest backend that runs QEMU as an unprivileged child of the agent, on Linux."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Mapping, Sequence

from eyrie.guests.accel import Accelerator, probe
from eyrie.guests.backend import GuestError, GuestSpec
from eyrie.guests.cable import Cable
from eyrie.guests.command import Account, idle_class, qemu_command, unprivileged
from eyrie.guests.program import config_text, last_lines, qemu_version
from eyrie.guests.qmp import QmpClient
from eyrie.guests.talk import TalkingGuest

QEMU = "qemu-system-x86_64"
START_SECONDS = 5.0
KILL_SECONDS = 5.0


class QemuBackend:
    """Starts guests; remembers what the probe found, because it may take seconds."""

    def __init__(self, qemu: str = QEMU, accelerator: Accelerator | None = None) -> None:
        self._qemu = qemu
        self._probed = accelerator

    def accelerator(self, image: str, account: Account | None) -> Accelerator:
        """Return what guests of this desktop run with, probing once."""
        if self._probed is None:
            self._probed = probe(image, self._qemu, [*idle_class(), *unprivileged(account)])
        return self._probed

    def start(self, spec: GuestSpec) -> QemuGuest:
        """Start the guest and wait until QEMU itself (not the guest's system) answers."""
        account = find_account(spec.user)
        automatic = spec.accel == "auto"
        accelerator = self.accelerator(spec.image, account).name if automatic else spec.accel
        version = qemu_version(self._qemu)
        directory = Path(spec.run_dir)
        prepare_run_dir(directory, account)
        write_config(directory / "config", spec.config, account)
        channel, channel_far = socket.socketpair()
        qmp, qmp_far = socket.socketpair()
        hub, hub_far = socket.socketpair() if spec.hub else (None, None)
        # In its own directory: a hardened service may write nowhere else.
        errors = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - lives as long as the guest
        try:
            command = qemu_command(
                spec,
                accelerator,
                version,
                account=account,
                channel_fd=channel_far.fileno(),
                qmp_fd=qmp_far.fileno(),
                hub_fd=hub_far.fileno() if hub_far else -1,
                qemu=self._qemu,
            )
            cable = Cable(spec.hub, hub) if spec.hub and hub else None
            ends = [end.fileno() for end in (channel_far, qmp_far, hub_far) if end]
            process = _launch(command, ends, errors)
        finally:
            for end in (channel_far, qmp_far, hub_far):
                if end:
                    end.close()  # without QEMU's end the cable ends by itself
        guest = QemuGuest(process, accelerator, channel, QmpClient(qmp), cable, errors, directory)
        try:
            guest.wait_for_qemu(START_SECONDS)
        except GuestError:
            guest.kill()
            guest.close()
            raise
        return guest


class QemuGuest(TalkingGuest):
    """One running QEMU process: its channel, its monitor and its life."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        accelerator: str,
        channel: socket.socket,
        qmp: QmpClient,
        cable: Cable | None,
        errors: IO[bytes],
        directory: Path,
    ) -> None:
        super().__init__(channel, qmp, cable)
        self.pid = process.pid
        self.accelerator = accelerator
        self._process = process
        self._errors = errors
        self._directory = directory
        self._cpu_seconds = 0.0

    def last_words(self) -> str:
        """Return the last lines QEMU wrote to its standard error."""
        self._errors.seek(0)
        return last_lines(self._errors.read())

    def kill(self) -> None:
        """End QEMU at once and reap it."""
        self.cpu_seconds()
        if self._process.poll() is None:
            self._process.kill()
            try:
                self._process.wait(KILL_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise GuestError(
                    "QEMU does not die",
                    seen=f"process {self.pid} after SIGKILL",
                    wanted="its end",
                    next_step="look for a fault of the kernel or of its KVM",
                ) from error

    def exit_status(self) -> int | None:
        """Return None while QEMU runs, else its exit status."""
        return self._process.poll()

    def cpu_seconds(self) -> float:
        """Return user and system time of all QEMU's threads; the last known value once it is gone."""
        if self._process.poll() is None:
            fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            self._cpu_seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return self._cpu_seconds

    def close(self) -> None:
        """Close the sockets and remove the run directory's files."""
        self.hang_up()
        self._errors.close()
        shutil.rmtree(self._directory, ignore_errors=True)


def find_account(user: str) -> Account | None:
    """Look the guest's user up; an empty name means: whoever calls."""
    if not user:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError as error:
        raise GuestError(
            "guest's user", seen=user, wanted="an account of this desktop", next_step="run site.yml"
        ) from error
    groups = set(os.getgrouplist(user, entry.pw_gid)) - {entry.pw_gid}
    return Account(entry.pw_uid, entry.pw_gid, tuple(sorted(groups)))


def prepare_run_dir(directory: Path, account: Account | None) -> None:
    """Make the guest's private directory anew."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True)
    if account:
        os.chown(directory, account.uid, account.gid)


def write_config(file: Path, config: Mapping[str, str], account: Account | None) -> None:
    """Write what the guest reads at boot; refuses what its shell could misread."""
    file.write_text(config_text(config), encoding="ascii")
    file.chmod(0o600)
    if account:
        os.chown(file, account.uid, account.gid)


def _launch(command: list[str], descriptors: Sequence[int], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start QEMU as a direct child; it dies with the thread that calls this (pdeathsig)."""
    try:
        return subprocess.Popen(
            command,
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as error:
        raise GuestError(
            "guest's launcher", seen=str(error), wanted=command[0], next_step="install util-linux"
        ) from error
