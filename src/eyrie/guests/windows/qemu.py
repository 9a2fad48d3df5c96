# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest backend that runs QEMU on Windows, fenced in by token, job object and firewall."""

from __future__ import annotations

import dataclasses
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Sequence

from eyrie.guests.accel import QUESTION, Accelerator
from eyrie.guests.backend import GuestError, GuestSpec, HubSpec
from eyrie.guests.cable import Cable
from eyrie.guests.program import config_text, qemu_version
from eyrie.guests.qmp import QmpClient
from eyrie.guests.talk import not_started
from eyrie.guests.windows.accel import (
    TCG,
    Memory,
    circumstances,
    hypervisor_offered,
    probe,
    probe_spec,
)
from eyrie.guests.windows.access import let_read, make_directory
from eyrie.guests.windows.command import Ports, qemu_command, question
from eyrie.guests.windows.connection import Listener
from eyrie.guests.windows.guest import Began, WindowsQemuGuest, end, said
from eyrie.guests.windows.identity import Identity, guest_identity
from eyrie.guests.windows.job import GuestJob
from eyrie.guests.windows.process import launch

START_SECONDS = 15.0  # QEMU's build for Windows loads a hundred libraries, past a virus scanner
PACKAGE = "the pool's QEMU for Windows (run site.yml)"
BIOS = "bios-256k.bin"
Fence = Callable[[str, GuestSpec], "list[str]"]


class WindowsQemuBackend:
    """Starts guests; asks the fence first, for a guest that is not fenced in is not started."""

    def __init__(self, qemu: str, fence: Fence, job: GuestJob, memory: Memory) -> None:
        self._qemu = qemu
        self._fence = fence
        self._job = job
        self._memory = memory
        self._version: tuple[float, tuple[int, int]] | None = None
        self._readable: set[tuple[str, str]] = set()

    def version(self) -> tuple[int, int]:
        """Return QEMU's version, asking again when its file has changed."""
        try:
            changed = Path(self._qemu).stat().st_mtime
        except OSError as error:
            raise GuestError(
                "QEMU", seen=str(error), wanted=self._qemu, next_step=f"install {PACKAGE}"
            ) from error
        if self._version is None or self._version[0] != changed:
            self._version = (changed, qemu_version(self._qemu, PACKAGE))
        return self._version[1]

    def start(self, spec: GuestSpec) -> WindowsQemuGuest:
        """Start the guest and wait until QEMU itself (not the guest's system) answers."""
        problems = self._fence(self._qemu, spec)
        if problems:
            raise GuestError(
                "the firewall's rules for the guest",
                seen="; ".join(problems),
                wanted="rules in force that leave only the pool's port",
                next_step="run site.yml, or ask who manages this desktop's firewall",
            )
        accelerator = self.accelerator(spec).name if spec.accel == "auto" else spec.accel
        guest = self.run(spec, accelerator)
        if accelerator == "whpx" and spec.accel == "auto":
            guest.watch(lambda: self._distrust(spec))
        return guest

    def accelerator(self, spec: GuestSpec) -> Accelerator:
        """Return what guests run with here, from memory or by trying."""
        key, now = circumstances(self.version(), spec.image_id), time.time()
        found = self._memory.recall(key, now)
        if found is None:
            small = probe_spec(spec)
            found = probe(lambda: self.run(small, "whpx", QUESTION), hypervisor_offered())
            self._memory.keep(key, found, now)
        self._job.remark = found.notice
        return found

    def _distrust(self, spec: GuestSpec) -> None:
        """Remember that a guest under WHPX never spoke: the next one is emulated."""
        found = Accelerator("tcg", f"WHPX does not work here (a guest never spoke): {TCG}")
        self._memory.keep(circumstances(self.version(), spec.image_id), found, time.time())

    def run(self, spec: GuestSpec, accelerator: str, asked: str = "") -> WindowsQemuGuest:
        """Start QEMU with one accelerator; `asked` is a word more for the guest's kernel."""
        version = self.version()
        spec = dataclasses.replace(spec, run_dir=spec.run_dir.replace("\\", "/"))
        directory = Path(spec.run_dir)
        identity = guest_identity(low_integrity=accelerator == "tcg")
        with ExitStack() as undo:  # whatever goes wrong, nothing of it stays
            undo.callback(shutil.rmtree, directory, ignore_errors=True)
            with identity.token:
                self._let_read(identity, Path(self._qemu).parent, Path(spec.image))
                prepare(directory, spec, identity)
                listeners = [Listener() for _ in range(3 if spec.hub else 2)]
                for listener in listeners:
                    undo.callback(listener.close)
                ports = Ports(*(listener.port for listener in listeners))
                command = qemu_command(
                    self._qemu, spec, accelerator, version, ports, firmware=firmware(self._qemu)
                )
                job = self._job.renew(spec)
                undo.callback(job.close)
                command = question(command, asked) if asked else command
                process = launch(command, identity, directory / "errors", job)
            undo.callback(process.close)
            undo.callback(end, process, job)
            began = Began(process, job, accelerator, directory)
            guest = _answering(began, listeners, spec.hub, undo)
            undo.pop_all()
        return guest

    def _let_read(self, identity: Identity, *places: Path) -> None:
        """Let the guest's account read program and image; once, for that touches every file there."""
        for place in places:
            if (str(place), identity.sid) not in self._readable:
                let_read(place, identity.sid)
                self._readable.add((str(place), identity.sid))


def prepare(directory: Path, spec: GuestSpec, identity: Identity) -> None:
    """Make the run directory anew, with what the guest reads at boot."""
    text = config_text(spec.config)
    shutil.rmtree(directory, ignore_errors=True)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        make_directory(directory, identity.sid)
        (directory / "config").write_bytes(text.encode("ascii"))
        (directory / "token").write_bytes(Path(spec.token).read_bytes())
    except OSError as error:
        raise GuestError(
            "guest's run directory", seen=str(error), wanted=f"{directory} with the guest's token"
        ) from error


def firmware(qemu: str) -> str:
    """Return where this build of QEMU keeps its BIOS; builds for Windows disagree."""
    folder = Path(qemu).parent
    places = [folder / "share" / "qemu", folder / "share", folder, folder.parent / "share" / "qemu"]
    for place in places:
        if (place / BIOS).exists():
            return str(place)
    raise GuestError(
        "QEMU's firmware",
        seen="nothing",
        wanted=f"{BIOS} in {' or '.join(map(str, places))}",
        next_step=f"install {PACKAGE} again",
    )


def _answering(
    began: Began, listeners: Sequence[Listener], hub: HubSpec | None, undo: ExitStack
) -> WindowsQemuGuest:
    """Let QEMU run, and call back at every listener, and answer."""
    process = began.process
    deadline = time.monotonic() + START_SECONDS
    try:
        process.resume()
        ends = []
        for listener in listeners:
            ends.append(listener.accept(process.pid, deadline, lambda: process.wait(0) is not None))
            undo.callback(ends[-1].close)
        cable = Cable(hub, ends[2]) if hub else None
        if cable:
            undo.callback(cable.unplug)
        guest = WindowsQemuGuest(began, ends[0], QmpClient(ends[1]), cable)
        guest.wait_for_qemu(max(1.0, deadline - time.monotonic()))
    except GuestError as error:
        words = said(began.directory)
        if words and process.wait(0) is not None:
            raise not_started(words) from error
        raise
    return guest
