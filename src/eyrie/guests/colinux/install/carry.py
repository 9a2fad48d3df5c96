# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the steps. What a program or a service says counts for little: what is there afterwards counts."""

from __future__ import annotations

import base64
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eyrie.errors import EyrieError
from eyrie.guests.colinux.install import lines
from eyrie.guests.colinux.install.look import look_line, parse
from eyrie.guests.colinux.install.model import DISABLED, PROGRAM, RUNNING, Present, Step, Wanted
from eyrie.guests.colinux_names import DAEMON

Content = bytes | Path
POLL_SECONDS = 2.0
WIDTH = 1000


class Said(Protocol):
    """What a line printed."""

    @property
    def code(self) -> int: ...
    @property
    def out(self) -> str: ...


class Prompt(Protocol):
    """The desktop's command prompt."""

    def run(self, line: str, given: bytes | None = None) -> Said: ...


@dataclass
class Carrier:
    """Brings one desktop from step to step."""

    prompt: Prompt
    host: str
    wanted: Wanted
    contents: Mapping[str, Content]
    sleep: Callable[[float], None]
    now: Callable[[], float]
    poweroff: Callable[[], None] | None = None
    """Has the guest itself shut down, from inside; else its service asks it to."""

    start_seconds: int = 60
    stop_seconds: int = 120

    def look(self) -> Present:
        """Read the desktop."""
        wanted = self.wanted
        text = self.prompt.run(look_line(wanted.folder, wanted.service, wanted.helper)).out
        return parse(text, self.host, wanted.folder, wanted.helper)

    def carry(self, step: Step) -> None:
        """Do one step, and see that it did what it should."""
        wanted = self.wanted
        if step.verb == "stop":
            self._stop()
        elif step.verb == "start":
            self._start()
        elif step.verb == "put":
            self._put(step.name)
        elif step.verb == "bring-program":
            bring_program(self.prompt, wanted.folder, self._bytes(PROGRAM), wanted.files[PROGRAM])
        else:
            done = self.prompt.run(lines.line(step, wanted))
            self._prove(step, done)

    def _prove(self, step: Step, done: Said) -> None:
        seen = self.look()
        reached = {
            "hold-service": seen.service is not None and seen.service.start == DISABLED,
            "remove-service": seen.service is None,
            "remove-driver": seen.driver is None,
            "make-folder": seen.folder,
            "delete": step.name not in seen.files,
            "install-driver": seen.driver is not None and seen.driver.state == RUNNING,
            "set-events": bool(seen.events),
            "install-service": seen.service is not None,
            "configure-service": seen.service is not None,
            "set-recovery": seen.service is not None,
            "remove-events": not seen.events,
            "remove-folder": not seen.folder,
        }[step.verb]
        if not reached:
            raise EyrieError(
                f"{step} on desktop {self.host}",
                seen=f"exit code {done.code}: {' '.join(done.out.split())[-300:]}",
                wanted="its effect",
                next_step=lines.REMEDIES.get(step.verb, "run again; then restart the desktop"),
            )

    def _bytes(self, name: str) -> bytes:
        content = self.contents[name]
        return content if isinstance(content, bytes) else content.read_bytes()

    def _put(self, name: str) -> None:
        digest = self.wanted.image_sha256 if name == self.wanted.image else self.wanted.files[name]
        put(self.prompt, self.wanted.folder, name, self.contents[name], digest)

    def _stop(self) -> None:
        """End the guest in order, and wait. It is never killed: that is a power cut for its file system."""
        if self.poweroff is not None:
            self.poweroff()
        end = self.now() + self.stop_seconds
        told = False
        while True:
            seen = self.look()
            if not seen.guest:
                return
            if not told and (self.poweroff is None or self.now() > end - self.stop_seconds / 2):
                self.prompt.run(lines.stop(self.wanted.service))
                told = True
            if self.now() > end:
                raise EyrieError(
                    f"guest of desktop {self.host}",
                    seen=f"still there {self.stop_seconds} s after it was told to shut down",
                    wanted="an orderly end",
                    next_step="look inside it (ctrlaltdel in its inittab?), or wait with"
                    " colinux_stop_seconds; killing it is a power cut for its file system",
                )
            self.sleep(POLL_SECONDS)

    def _start(self) -> None:
        """Start, and wait for the helper; the first pipe of 0.6.1 may come too late, hence one more try."""
        for _try in range(2):
            self.prompt.run(lines.start(self.wanted.service))
            end = self.now() + self.start_seconds
            while True:
                seen = self.look()
                if seen.daemons and seen.helpers:
                    return
                if self.now() > end or not seen.guest:
                    break
                self.sleep(POLL_SECONDS)
            if seen.guest:
                self._stop()
        state = seen.service.state if seen.service else 0
        raise EyrieError(
            f"guest of desktop {self.host}",
            seen=f"service in state {state} (4 is RUNNING), {seen.daemons} of {DAEMON}, {seen.helpers} of"
            f" {self.wanted.helper}",
            wanted="a guest with its network's helper",
            next_step=f"run {DAEMON} there with the same configuration and -d, from a prompt: kernel and"
            " daemon of one release? image unpacked, and in no other program's use? adapter named as here?",
        )


def put(prompt: Prompt, folder: str, name: str, content: Content, digest: str) -> None:
    """Bring one file, whole or not at all."""
    line = rf"{folder}\{PROGRAM} put {folder}\{name} {digest}"
    if isinstance(content, Path):
        with content.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            done = prompt.run(line, data)  # type: ignore[arg-type] # read as it goes: an image is a GiB
    else:
        done = prompt.run(line, content)
    if "eyrie-put: whole" not in done.out:
        raise EyrieError(
            rf"file {folder}\{name}",
            seen=done.out.strip() or f"exit code {done.code}",
            wanted=f"a copy with SHA-256 {digest}",
            next_step="room on the disk? a program that holds the old one (error 32)?",
        )


def bring_program(prompt: Prompt, folder: str, content: bytes, digest: str) -> None:
    """Bring the program that brings files: as text, which a program of every Windows decodes."""
    text = base64.b64encode(content).decode("ascii")
    rows = [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]
    for line in lines.write(rf"{folder}\eyrie.b64", rows):
        prompt.run(line)
    # Vista and later have certutil; XP has script host and MSXML instead.
    prompt.run(rf"certutil -f -decode {folder}\eyrie.b64 {folder}\{PROGRAM}")
    if not _answers(prompt, folder, digest):
        for line in lines.write(rf"{folder}\eyrie.vbs", lines.DECODER):
            prompt.run(line)
        prompt.run(rf"cscript //nologo //b {folder}\eyrie.vbs {folder}\eyrie.b64 {folder}\{PROGRAM}")
        if not _answers(prompt, folder, digest):
            raise EyrieError(
                rf"program {folder}\{PROGRAM}",
                seen="neither certutil nor cscript decoded it",
                wanted="one of them, and an antivirus that lets it be",
                next_step=f"copy it there by hand; its SHA-256 is {digest}",
            )
    prompt.run(rf"del /q {folder}\eyrie.b64 {folder}\eyrie.vbs 2>nul")


def _answers(prompt: Prompt, folder: str, digest: str) -> bool:
    told = prompt.run(rf"{folder}\{PROGRAM} sums {folder}").out
    return any(
        row.split()[:2] == ["eyrie-file", digest] and row.split()[-1] == PROGRAM
        for row in told.splitlines()
        if row.strip()
    )
