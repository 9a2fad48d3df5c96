# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the desktop's Windows Python: does with the guest backend what the test asks for, line by line."""

from __future__ import annotations

import ctypes
import json
import os
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any

from eyrie.guests.backend import GuestSpec
from eyrie.guests.windows import connection, firewall_system
from eyrie.guests.windows.accel import Memory
from eyrie.guests.windows.api import DWORD, HANDLE, kernel32
from eyrie.guests.windows.firewall_system import fence
from eyrie.guests.windows.identity import guest_identity
from eyrie.guests.windows.job import GuestJob
from eyrie.guests.windows.process import Process
from eyrie.guests.windows.qemu import WindowsQemuBackend

QEMU = r"Z:\opt\guest\qemu\qemu-system-x86_64.exe"
# What a path on Windows is like, and what parts QEMU's options.
PLACE = Path(r"C:\Program Data\Eyrie, tried")
resume = Process.resume


class Side:
    """One guest, and what to do with it."""

    def __init__(self) -> None:
        PLACE.mkdir(parents=True, exist_ok=True)
        (PLACE / "token").write_text("no-secret")
        self.job = GuestJob()
        self.guest: Any = None
        self.ports: list[int] = []

    def spec(self, **changes: Any) -> GuestSpec:
        config = {"name": "desk-1", "pool": "lab", "engine": "htcondor", "lease_seconds": "60"}
        values: dict[str, Any] = {
            "name": "desk-1",
            "image": r"Z:\opt\guest\image",
            "image_id": "tried",
            "memory_mib": 256,
            "cpus": 1,
            "cpu_percent": 100,
            "user": "",
            "accel": "auto",
            "token": str(PLACE / "token"),
            "run_dir": str(PLACE / "run" / "guest"),
            "config": {**config, "master": "10.99.1.10", "port": "9618"},
        }
        return GuestSpec(**{**values, **changes})

    def do_start(self, fenced: bool = False, **changes: Any) -> dict[str, Any]:
        judge = fence if fenced else lambda _qemu, _spec: []
        backend = WindowsQemuBackend(QEMU, judge, self.job, Memory(PLACE / "state" / "accelerator.json"))
        began = time.monotonic()
        self.job.limit(None)
        self.guest = backend.start(self.spec(**changes))
        took = time.monotonic() - began
        self.job.take(self.guest.pid)
        return {
            "seconds": took,
            "pid": self.guest.pid,
            "accelerator": self.guest.accelerator,
            "notice": self.job.notice,
        }

    def do_start_with_intruder(self) -> str:
        """Have this process call the guest's ports before QEMU has run its first instruction."""
        calls: list[socket.socket] = []

        def resume_late(process: Process) -> None:
            calls.extend(socket.create_connection(("127.0.0.1", port), 5) for port in self.listening())
            resume(process)

        Process.resume = resume_late  # type: ignore[method-assign]
        try:
            self.do_start()
        except ValueError as error:
            for call in calls:
                call.settimeout(5)
                try:
                    said = call.recv(1)
                except OSError:
                    said = b""
                assert said == b"", "the intruder heard something"
            return f"{len(calls)} calls: {error}"
        finally:
            Process.resume = resume  # type: ignore[method-assign]
            for call in calls:
                call.close()
        return "started"

    def listening(self) -> list[int]:
        """Return the loopback ports this process listens on, from Windows' own table."""
        rows = connection._tcp_table()
        count, found = int.from_bytes(rows[:4], "little"), []
        for at in range(4, 4 + count * 24, 24):
            listens = int.from_bytes(rows[at : at + 4], "little") == 2
            if listens and int.from_bytes(rows[at + 20 : at + 24], "little") == os.getpid():
                found.append(int.from_bytes(rows[at + 8 : at + 10], "big"))
        return found

    def do_listening(self) -> list[int]:
        return self.listening()

    def do_hear(self, kind: str, word: str, seconds: float) -> dict[str, Any]:
        """Wait for a message as the agent does; return all there were."""
        heard, deadline = [], time.monotonic() + seconds
        while time.monotonic() < deadline and self.guest.exit_status() is None:
            select.select([self.guest.fileno()], [], [], 0.5)
            heard += [[each.kind, *each.words] for each in self.guest.messages()]
            if [kind, word] in heard:
                break
        return {"heard": heard, "console": "" if [kind, word] in heard else self.do_console()[-1500:]}

    def do_fence(self, master: str) -> dict[str, Any]:
        """Bring the rules for this master into force, by netsh."""
        changes = firewall_system.planned(QEMU, master, 9618)
        firewall_system.apply(changes)
        again = firewall_system.planned(QEMU, master, 9618)
        return {"made": len(changes.add), "left": len(again.add) + len(again.remove)}

    def do_unfence(self) -> int:
        firewall_system.remove()
        return len(firewall_system.read().local)

    def do_stranger(self, words: list[str]) -> None:
        firewall_system._netsh(["advfirewall", "firewall", "add", "rule", *words])

    def do_console(self) -> str:
        return str(self.guest.console()) if self.guest.exit_status() is None else self.guest.last_words()

    def do_pause(self) -> float:
        began = time.monotonic()
        self.guest.pause()
        return time.monotonic() - began

    def do_resume(self) -> None:
        self.guest.resume()

    def do_vacate(self, seconds: int) -> None:
        self.guest.vacate(seconds)

    def do_kill(self) -> dict[str, Any]:
        began = time.monotonic()
        self.guest.kill()
        return {"seconds": time.monotonic() - began, "status": self.guest.exit_status()}

    def do_status(self) -> int | None:
        return self.guest.exit_status()  # type: ignore[no-any-return]

    def do_close(self) -> bool:
        self.guest.close()
        return (PLACE / "run" / "guest").exists()

    def do_priority(self) -> int:
        return int(kernel32("GetPriorityClass", HANDLE, result=DWORD)(self.guest._process._handle.value))

    def do_files(self) -> list[str]:
        return sorted(path.name for path in (PLACE / "run" / "guest").iterdir())

    def do_privileges(self) -> dict[str, Any]:
        """Return what the guest's token may, asked of Windows."""
        from windows_token import administrators, privileges

        with guest_identity(low_integrity=True).token as token:
            return {"privileges": privileges(token), "administrators": administrators(token)}

    def do_times(self) -> list[float]:
        """Return the guest's times as Windows tells them, and our own."""
        own = ctypes.c_uint64 * 4
        times = own()
        places = [ctypes.byref(times, 8 * at) for at in range(4)]
        kernel32("GetProcessTimes", HANDLE, *[ctypes.c_void_p] * 4)(HANDLE(-1), *places)
        return [self.guest.cpu_seconds(), (times[2] + times[3]) / 1e7]


def main() -> None:
    side = Side()
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"answer": getattr(side, f"do_{order.pop('do')}")(**order)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
