# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent itself: one thread, one loop that looks, decides and does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from eyrie import __version__
from eyrie.agent import opt_out, settings, status
from eyrie.agent.clocks import Moment, jump, moment
from eyrie.agent.config import IdleConfig
from eyrie.agent.driver import Driver
from eyrie.agent.edges import JUMPS, LOOK, RELOAD, Edges, Who, linux
from eyrie.agent.history import History
from eyrie.agent.idle.base import Idleness
from eyrie.agent.idle.monitor import Watch
from eyrie.agent.log import ERROR, NOTICE, WARNING, log
from eyrie.agent.model import (
    Action,
    CheckPool,
    KillGuest,
    LetVacate,
    Observation,
    PauseGuest,
    Policy,
    StartGuest,
    State,
    Value,
)
from eyrie.agent.preflight import Preflight
from eyrie.agent.states import next_deadline, transition
from eyrie.agent.storage import StateDir
from eyrie.agent.waiting import readable
from eyrie.errors import EyrieError

NO_CONFIG = Policy(900, 0.5, 5, 10, 600, 120)  # decides nothing: without a configuration no guest is started
CHECK_POLL = 0.05  # seconds between looks while the way to the pool is being checked
REST_POLL = 2.0  # seconds between looks while there is no guest
STEPS = 8  # an action may lead straight to the next; never round in circles


@dataclass(frozen=True)
class Paths:
    """Where the agent keeps what."""

    config: Path = Path("/etc/eyrie/agent.json")
    state: Path = Path("/var/lib/eyrie/agent")
    run: Path = Path("/run/eyrie")

    @property
    def socket(self) -> Path:
        """Return the control socket's path."""
        return self.run / "agent.sock"


class Service:
    """Holds the parts together; all decisions are `states.transition`'s."""

    def __init__(
        self,
        paths: Paths,
        driver: Driver,
        watch: Callable[[IdleConfig, float, Callable[[], float]], Watch],
        clock: Callable[[], Moment] = moment,
        edges: Edges | None = None,
    ) -> None:
        edges = edges or linux()
        self._paths, self._driver, self._make_watch, self._clock = paths, driver, watch, clock
        self._moment = clock()
        now = self._moment.monotonic
        self._directory = StateDir(paths.state)
        self._directory.prepare()
        self._settings = settings.read(paths.config, self._directory)
        self._settings_since = now
        if self._settings.problem:
            log(self._settings.problem, WARNING)
        self._wish = opt_out.load(self._directory)
        self._history = History(self._directory)
        self._preflight = Preflight()
        self._value = Value(since=now, fresh_since=now)
        self._idleness = Idleness(None, "not looked yet")
        self._watch: Watch | None = None
        self._renew_watch(now)
        self._events = edges.events()  # before anybody can see the socket, and take that for a running agent
        self._control = edges.control(paths.socket, self.answer)
        self._notifier = edges.teller()
        self._stopping = self._retry = False
        self._guest_quiet_until = 0.0
        self._told_jump = ""  # what the system itself said of the clocks since the last step

    def run(self) -> None:
        """Work until told to end; whatever goes wrong, the guest goes first."""
        self._notifier.tell("READY=1")
        try:
            while self.step():
                self.wait()
        except BaseException as error:
            log(f"the agent ends on an error it has no answer to: {error!r}", ERROR)
            raise
        finally:
            self._driver.kill("the agent is ending")
            self._notifier.tell("STOPPING=1")
            self.close()

    def step(self) -> bool:
        """Look and act until there is nothing left to do now; False when the agent may end."""
        before, self._moment = self._moment, self._clock()
        trouble = self._told_jump or jump(before, self._moment)
        self._told_jump = ""
        now = self._moment.monotonic
        self._directory.recheck(now)
        self._control.expire(now)
        self._notifier.alive(now)
        for _ in range(STEPS):
            if not self._decide(self._observe(now, trouble), now):
                break
            trouble = ""
        return not (self._stopping and self._driver.guest is None)

    def _observe(self, now: float, trouble: str) -> Observation:
        unknown = Idleness(None, "there is no configuration that says when")
        self._idleness = unknown if self._watch is None else self._watch.read(now)
        retry, self._retry = self._retry, False
        return Observation(
            idle_seconds=self._idleness.seconds,
            busy_reason=self._idleness.reason,
            guest=self._driver.seen(),
            preflight=self._preflight.answer(now),
            opt_out=self._wish.phrase() if self._wish else "",
            fault=self._settings.fault or self._directory.problem,
            jump=trouble,
            stopping=self._stopping,
            retry_now=retry,
            outdated=self._driver.outdated(self._settings.config),
        )

    def _decide(self, seen: Observation, now: float) -> bool:
        """Take one step of the state machine; True if it had something done."""
        before = self._value
        self._value, actions = transition(before, seen, now, self._policy())
        for action in actions:
            self._perform(action, now)
        if before.state is not self._value.state:
            self._tell_change(before, now)
        return bool(actions)

    def _perform(self, action: Action, now: float) -> None:
        config = self._settings.config
        if isinstance(action, PauseGuest):
            self._driver.pause()
        elif isinstance(action, LetVacate):
            self._driver.let_vacate(action.seconds)
        elif isinstance(action, KillGuest):
            self._driver.kill(action.reason)
        elif isinstance(action, CheckPool) and config is not None:
            self._preflight.begin(config, self._directory, now)
        elif isinstance(action, StartGuest) and config is not None:
            self._driver.start(config)

    def _tell_change(self, before: Value, now: float) -> None:
        after = self._value
        if not {before.state, after.state} <= {State.BUSY, State.IDLE_WAIT}:
            log(f"{before.state.value} -> {after.state.value}: {after.reason}")
        self._tell_systemd()
        self._history.note(before, after, now, self._moment.wall)

    def _tell_systemd(self) -> None:
        lines = status.headlines(self._status())
        self._notifier.tell(f"STATUS={'; '.join(lines)}")

    def _policy(self) -> Policy:
        config = self._settings.config
        return NO_CONFIG if config is None else config.policy()

    def wait(self) -> None:
        """Sleep until the next look is due or something happens, and take that in."""
        handlers = self._handlers()
        for fileno in readable(handlers, self._timeout()):
            handlers[fileno](fileno, time.monotonic())

    def _handlers(self) -> dict[int, Callable[[int, float], None]]:
        """Return what to call for each descriptor worth waking for."""
        handlers: dict[int, Callable[[int, float], None]] = {self._events.fileno(): self._on_event}
        for fileno in self._control.filenos():
            handlers[fileno] = self._control.ready
        if self._watch is not None:
            for fileno in self._watch.filenos():
                handlers[fileno] = self._watch.ready
        guest = self._driver.guest
        if guest is not None and self._moment.monotonic >= self._guest_quiet_until:
            handlers[guest.fileno()] = self._on_guest
        return handlers

    def _timeout(self) -> float:
        """Return the seconds until the next look is due."""
        policy = self._policy()
        if self._value.state is State.STARTING and not self._value.booted:
            return CHECK_POLL
        period = policy.poll_seconds
        if self._driver.guest is None:
            # Nobody has to leave, so a look may come late; it must only not make the desktop join late.
            wanting = policy.idle_seconds - (self._idleness.seconds or 0.0)
            period = max(period, min(REST_POLL, wanting))
        deadline = next_deadline(self._value, policy)
        return period if deadline is None else min(period, max(0.001, deadline - time.monotonic()))

    def _on_guest(self, _fileno: int, now: float) -> None:
        if self._driver.hear() == 0:  # readable and silent: half a line, or a guest that hung up
            self._guest_quiet_until = now + self._policy().poll_seconds

    def _on_event(self, _fileno: int, now: float) -> None:
        for name in self._events.take():
            if name in RELOAD:
                self._reload(now)
            elif name in JUMPS:
                self._told_jump = JUMPS[name]
            elif name != LOOK:
                log(f"{name}: the guest leaves, then the agent ends")
                self._stopping = True

    def _reload(self, now: float) -> None:
        """Read the configuration again; idle time already counted stays if it still counts the same way."""
        old = self._settings.config
        self._settings = settings.read(self._paths.config, self._directory, old)
        self._settings_since = self._clock().monotonic
        self._retry = True
        new = self._settings.config
        log(self._settings.problem or "configuration read", WARNING if self._settings.problem else NOTICE)
        if new is not None and (old is None or new.idle != old.idle):
            self._renew_watch(now)
        self._tell_systemd()

    def _renew_watch(self, now: float) -> None:
        """Watch as the configuration says, counting anew."""
        if self._watch is not None:
            self._watch.close()
        config = self._settings.config
        self._watch = None if config is None else self._make_watch(config.idle, now, self._driver.cpu_seconds)

    def answer(self, command: str, who: Who) -> dict[str, Any]:
        """Answer one who may ask."""
        if command == "status":
            return self._status()
        if command == "pause":
            self._wish, kept = opt_out.pause(self._directory, self._wish, who, self._moment.wall)
            return {"paused": self._wish.phrase(), "kept": kept, "problem": self._directory.problem}
        if command == "resume":
            opt_out.resume(self._directory, self._wish, who)
            was, self._wish = self._wish, None
            return {"resumed": was is not None}
        raise EyrieError("unknown command", seen=command, wanted="status, pause or resume")

    def _status(self) -> dict[str, Any]:
        config, now = self._settings.config, self._clock().monotonic
        readings = self._watch.readings() if self._watch is not None else ()
        parts = status.build(self._value, now, self._idleness, readings, config, self._driver)
        if self._settings.problem and config is not None:
            parts = status.broken(parts, self._settings.problem, now - self._settings_since)
        problems = [text for text in (self._settings.problem, self._directory.problem) if text]
        return {**parts, "version": __version__, "problems": problems, "history": self._history.entries}

    def close(self) -> None:
        """Let go of sockets, events and sources."""
        if self._watch is not None:
            self._watch.close()
        self._preflight.close()
        self._control.close()
        self._events.close()
