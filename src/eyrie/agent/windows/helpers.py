# SPDX-License-Identifier: GPL-3.0-or-later
"""The helpers in the users' sessions, one each: started, listened to, and ended with the agent."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Callable, Iterable, Protocol

from eyrie.agent.windows import launch, pipes
from eyrie.agent.windows.kernel import close_handle, create_event, set_event
from eyrie.agent.windows.watcher import HEARTBEAT, Report, parse

SILENCE = 6.0  # seconds without a word after which a helper is as good as gone
RETRY = 5.0
BIRTH = 20.0  # a desktop that just woke up may take its time to start a program
END = 2.0


@dataclass(frozen=True)
class Heard:
    """The last report of a helper, and when it came (monotonic)."""

    report: Report
    at: float

    def idle(self, now: float) -> float:
        """Return the seconds without input up to now."""
        return self.report.idle + max(0.0, now - self.at)


class Helper(Protocol):
    """What listens to one session."""

    heard: Heard | None
    trouble: str  # why it no longer listens; empty while it does

    def close(self) -> None:
        """End it."""


class Listener:
    """Starts the helper of one session and takes its reports, in a thread of its own."""

    def __init__(self, session: int, wake: Callable[[], None], needed: float = 0.0) -> None:
        self.heard: Heard | None = None
        self.trouble = ""
        self._session, self._wake, self._needed = session, wake, needed
        self._stop: int = create_event(None, True, False, None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._listen()
        except pipes.Stopped:
            return
        except (OSError, TimeoutError) as error:
            self.trouble = str(error).strip() or type(error).__name__
        self._wake()

    def _listen(self) -> None:
        token = launch.UserToken(self._session)
        name = rf"\\.\pipe\eyrie-watch-{secrets.token_hex(16)}"
        try:
            rights = f"D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x00100082;;;{token.sid})"  # may only write
            pipe = pipes.listen(name, rights, self._stop, first=True, both_ways=False)
            try:
                helper = token.start(
                    launch.own_command("watch", "--pipe", name, "--needed", f"{self._needed:g}")
                )
                try:
                    self._take(pipe, helper.pid)
                finally:
                    helper.end()
            finally:
                pipe.close()
        finally:
            token.close()

    def _take(self, pipe: pipes.Pipe, pid: int) -> None:
        """Take reports until the helper ends, or is not the one that was started."""
        pipe.wait_for_client(BIRTH)
        if pipe.client_process() != pid:
            raise OSError("another program answered in its place")
        rest = b""
        while True:
            data = pipe.read(SILENCE)
            if not data:
                raise OSError("it ended")
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._note(parse(line))
            if len(rest) > 64:
                raise OSError("it said something unknown")

    def _note(self, report: Report | None) -> None:
        if report is None:
            raise OSError("it said something unknown")
        before, self.heard = self.heard, Heard(report, time.monotonic())
        back = before is None or (before.report.idle >= HEARTBEAT and report.idle < before.report.idle)
        if back or before is None or before.report.notification != report.notification:
            self._wake()

    def close(self) -> None:
        """End the helper and stop listening."""
        set_event(self._stop)
        self._thread.join(END)
        if not self._thread.is_alive():
            close_handle(self._stop)


class Helpers:
    """One helper for each session that should have one."""

    def __init__(self, start: Callable[[int], Helper]) -> None:
        self._start = start
        self._helpers: dict[int, Helper] = {}
        self._retry: dict[int, float] = {}

    def keep(self, sessions: Iterable[int], now: float) -> None:
        """Start what is missing, not too often, and end what has no session any more."""
        wanted = set(sessions)
        for session in [each for each in self._helpers if each not in wanted]:
            self._helpers.pop(session).close()
        for session in wanted:
            helper = self._helpers.get(session)
            if helper is None or (helper.trouble and now >= self._retry.get(session, 0.0)):
                if helper is not None:
                    helper.close()
                self._retry[session] = now + RETRY
                self._helpers[session] = self._start(session)

    def heard(self, session: int, now: float) -> Heard | None:
        """Return what the session's helper said last; None when it is silent or not there."""
        helper = self._helpers.get(session)
        if helper is None or helper.trouble or helper.heard is None or now - helper.heard.at > SILENCE:
            return None
        return helper.heard

    def trouble(self, session: int) -> str:
        """Return why nothing is heard of a session."""
        helper = self._helpers.get(session)
        return (helper.trouble if helper is not None else "") or "it has not spoken yet, or no longer"

    def close(self) -> None:
        """End them all."""
        for helper in self._helpers.values():
            helper.close()
        self._helpers = {}
