# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain values of the agent's state machine: what is seen, what is remembered, what is to be done."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Union


class State(str, enum.Enum):
    """Where a desktop stands between its owner and the pool."""

    BUSY = "busy"
    IDLE_WAIT = "idle-wait"
    STARTING = "starting"
    JOINED = "joined"
    EVICTING = "evicting"
    DISABLED = "disabled"
    FAILED = "failed"


class Stage(enum.IntEnum):
    """How far a guest says it has come."""

    BOOTING = 0
    ENGINE_STARTING = 1
    JOINED = 2


@dataclass(frozen=True)
class Policy:
    """The numbers of the configuration that decide; seconds throughout."""

    idle_seconds: float
    poll_seconds: float
    grace_seconds: float
    backoff_first: float
    backoff_max: float
    start_timeout: float
    # 0..1, different on each desktop, so that a pool whose master was away does not come back in one instant.
    spread: float = 0.0


@dataclass(frozen=True)
class GuestSeen:
    """The guest as it is now (a level, not an event): facts stay until the next guest is started."""

    alive: bool = False
    stage: Stage = Stage.BOOTING
    vacated: bool = False
    trouble: str = ""  # what it reported, or how it ended


@dataclass(frozen=True)
class Observation:
    """All that one step of the machine may know about the world."""

    idle_seconds: float | None  # None: busy, or not known
    busy_reason: str = ""  # what was last active, or why nothing is known
    guest: GuestSeen = field(default_factory=GuestSeen)
    preflight: str | None = None  # None: still being checked; "": the pool can be joined; else why it cannot
    opt_out: str = ""  # the owner's standing wish, as a phrase
    fault: str = ""  # a standing fault of this desktop: broken configuration, full disk
    jump: str = ""  # a clock jumped or the machine slept since the last step
    stopping: bool = False  # the agent has been told to end
    retry_now: bool = False  # an administrator asked for a new try
    outdated: str = ""  # why a guest without jobs makes way for a new one: its image or configuration changed


@dataclass(frozen=True)
class Eviction:
    """A guest on its way out."""

    kill_at: float
    held_until: float | None  # the guest is paused until then
    for_owner: bool  # the owner's input began it, or came during it
    failure: str = ""  # what to report as failed once the guest is gone


@dataclass(frozen=True)
class Value:
    """What the machine remembers; times are monotonic seconds."""

    state: State = State.BUSY
    since: float = 0.0
    reason: str = "the agent has just started"
    fresh_since: float = 0.0  # idle time before this moment does not count
    failures: int = 0  # in a row
    retry_at: float = 0.0
    booted: bool = False  # starting: the guest itself has been started
    eviction: Eviction | None = None


@dataclass(frozen=True)
class CheckPool:
    """Look whether the pool can be joined at all (token, port, room for state)."""


@dataclass(frozen=True)
class StartGuest:
    """Start the one guest."""


@dataclass(frozen=True)
class PauseGuest:
    """Stop the guest's CPUs at once; end the guest if that fails."""


@dataclass(frozen=True)
class LetVacate:
    """Let a guest run, behind everything else on this desktop, to hand its jobs back within `seconds`."""

    seconds: float


@dataclass(frozen=True)
class KillGuest:
    """End the guest now."""

    reason: str


Action = Union[CheckPool, StartGuest, PauseGuest, LetVacate, KillGuest]
