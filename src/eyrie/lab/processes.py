# SPDX-License-Identifier: GPL-3.0-or-later
"""The long-running processes of a lab: started through launch.py, known by recorded pid and start time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab import cgroups

LAUNCHER = Path(__file__).with_name("launch.py")
END_SECONDS = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Record:
    """A process as it was when it started."""

    pid: int
    start: int  # clock ticks after boot

    @property
    def seconds(self) -> float:
        """How long ago it started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.start / _TICKS


@dataclass(frozen=True)
class Processes:
    """All processes of one lab."""

    lab: str
    state: Path

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        namespace: str = "",
        environment: Mapping[str, str] | None = None,
        daemon: bool = True,
    ) -> None:
        """Start a daemon, or (`daemon=False`) run a command to its end: nothing of it outlives the call."""
        self.end(name)
        self._record(name).parent.mkdir(parents=True, exist_ok=True)
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        within = ["nsenter", f"--net=/run/netns/{namespace}", "--"] if namespace else []
        spec = {
            "record": str(self._record(name)),
            "log": str(self.log(name)),
            "cgroup": "" if cgroups.systemd_is_manager() else str(cgroups.directory(self.lab) / name),
            "environment": dict(environment or {}),
            "argv": [*self._scope(name), *within, *argv],
            "daemon": daemon,
        }
        launcher = [sys.executable, "-IS", str(LAUNCHER), json.dumps(spec)]
        # A session of its own: Ctrl-C on the terminal reaches only the lab's command, which then cleans up.
        # And it holds the lab's lock until its record is written.
        done = subprocess.run(
            launcher, capture_output=True, text=True, check=False, start_new_session=True, close_fds=False
        )
        if not daemon:
            self.end(name)
        if done.returncode != 0:
            raise EyrieError(
                f"`{argv[0]}` for {name} failed ({done.returncode})",
                seen=(done.stderr or self.tail(name)).strip(),
                wanted="exit status 0",
                next_step=f"read {self.log(name)}",
            )

    def run(self, name: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Run a longer command to its end; if this call is interrupted, the command is ended too."""
        try:
            self.start(name, argv, environment=environment, daemon=False)
        except BaseException:
            self.end(name)
            raise

    def alive(self, name: str) -> Record | None:
        """Return the record of a process that still runs."""
        record = self.recorded(name)
        return record if record is not None and is_alive(record) else None

    def recorded(self, name: str) -> Record | None:
        """Return the record of a process, whether it runs or not."""
        try:
            content = json.loads(self._record(name).read_text(encoding="ascii"))
            return Record(content["pid"], content["start"])
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def names(self) -> list[str]:
        """Return the names of all records."""
        return sorted(path.stem for path in self._record("x").parent.glob("[!.]*.json"))

    def end(self, name: str) -> None:
        """End a process and everything it started, and forget it."""
        record = self.alive(name)
        if record is not None:
            os.kill(record.pid, signal.SIGKILL)
        if cgroups.systemd_is_manager():
            stop = ["systemctl", "stop", self._unit(name)]
            subprocess.run(stop, capture_output=True, check=False)  # "not loaded" is what we want
        else:
            cgroups.end(self.lab, name)
        _await_end(name, record)
        self._record(name).unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """Return the file that holds what a process said."""
        return self.state / "log" / f"{name}.log"

    def tail(self, name: str) -> str:
        """Return the last lines of a log."""
        text = self.log(name).read_text(encoding="utf-8", errors="replace") if self.log(name).exists() else ""
        return "\n".join(text.splitlines()[-8:])

    def _record(self, name: str) -> Path:
        return self.state / "processes" / f"{name}.json"

    def _unit(self, name: str) -> str:
        return f"eyrie-lab-{self.lab}-{name}.scope"

    def _scope(self, name: str) -> list[str]:
        if not cgroups.systemd_is_manager():
            return []
        return [
            "systemd-run",
            "--scope",
            "--quiet",
            "--collect",
            "-pDelegate=yes",
            f"--unit={self._unit(name)}",
            "--",
        ]


def is_alive(record: Record) -> bool:
    """Whether exactly this process (not a later one of the same pid) runs."""
    try:
        text = Path(f"/proc/{record.pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    fields = text.rpartition(")")[2].split()
    return fields[0] not in "ZX" and int(fields[19]) == record.start


def _await_end(name: str, record: Record | None) -> None:
    deadline = time.monotonic() + END_SECONDS
    while record is not None and is_alive(record):
        if time.monotonic() > deadline:
            raise EyrieError(
                f"process {name} ({record.pid})", seen="still running", wanted="an end by SIGKILL"
            )
        time.sleep(0.02)
