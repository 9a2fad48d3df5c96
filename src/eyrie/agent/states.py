# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's decisions: one pure function from what is remembered and seen to what is remembered and done.

busy -> idle-wait -> starting -> joined -> evicting -> busy, besides disabled (the owner's wish) and failed
(a pause that doubles). A guest exists only in starting, joined and evicting.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Tuple

from eyrie.agent.model import (
    Action,
    CheckPool,
    Eviction,
    KillGuest,
    LetVacate,
    Observation,
    PauseGuest,
    Policy,
    Stage,
    StartGuest,
    State,
    Value,
)

PAUSE_HOLD_SECONDS = 1.0  # the owner's first second is theirs alone
STEADY_SECONDS = 60.0  # a guest that was joined this long was a success, however it ended

Step = Tuple[Value, Tuple[Action, ...]]


@dataclass(frozen=True)
class _Leave:
    """Why a guest must go."""

    reason: str
    for_owner: bool
    failure: str = ""


def transition(value: Value, seen: Observation, now: float, policy: Policy) -> Step:
    """Return what to remember and what to do after seeing `seen` at monotonic time `now`."""
    if seen.jump:
        value = dataclasses.replace(value, fresh_since=now)
    if value.state is State.EVICTING:
        return _evicting(value, seen, now, policy)
    if value.state is State.STARTING:
        return _starting(value, seen, now, policy)
    if value.state is State.JOINED:
        return _joined(value, seen, now, policy)
    return _without_guest(value, seen, now, policy)


def next_deadline(value: Value, policy: Policy) -> float | None:
    """Return when the machine must be asked again at the latest, beside the regular poll."""
    if value.eviction is not None:
        held = value.eviction.held_until
        return value.eviction.kill_at if held is None else min(held, value.eviction.kill_at)
    if value.state is State.STARTING:
        return value.since + policy.start_timeout
    return value.retry_at if value.state is State.FAILED and value.retry_at > value.since else None


def backoff(failures: int, policy: Policy) -> float:
    """Return the seconds to wait after that many failures in a row."""
    doubled = policy.backoff_first * 2.0 ** min(failures - 1, 64)
    return min(policy.backoff_max, doubled) * (1.0 - 0.25 * policy.spread)


def idle_time(value: Value, seen: Observation, now: float) -> float | None:
    """Return the seconds of idleness that count, None when not known."""
    if seen.idle_seconds is None or seen.jump:
        return None
    return min(seen.idle_seconds, now - value.fresh_since)


def _enter(value: Value, state: State, reason: str, now: float) -> Value:
    """Return the value in `state`; `since` moves only when the state really changes."""
    since = value.since if state is value.state else now
    return dataclasses.replace(value, state=state, since=since, reason=reason, booted=False, eviction=None)


def _without_guest(value: Value, seen: Observation, now: float, policy: Policy) -> Step:
    """Decide in busy, idle-wait, disabled and failed."""
    stray: tuple[Action, ...] = (KillGuest("no guest belongs here now"),) if seen.guest.alive else ()
    if seen.opt_out:
        return _enter(value, State.DISABLED, seen.opt_out, now), stray
    if seen.fault:
        standing = dataclasses.replace(value, retry_at=0.0)
        return _enter(standing, State.FAILED, seen.fault, now), stray
    if value.state is State.FAILED and now < value.retry_at and not seen.retry_now:
        return value, stray
    if seen.retry_now:
        value = dataclasses.replace(value, failures=0)
    if seen.stopping or stray:
        return _enter(
            value, State.BUSY, "the agent is ending" if seen.stopping else "clearing up", now
        ), stray
    return _by_idleness(value, seen, now, policy)


def _by_idleness(value: Value, seen: Observation, now: float, policy: Policy) -> Step:
    """Decide between busy, idle-wait and starting by the owner's absence alone."""
    idle = idle_time(value, seen, now)
    settled = min(2 * policy.poll_seconds, policy.idle_seconds)
    if idle is None or idle < settled:
        reason = seen.jump or seen.busy_reason or "the owner is here"
        return _enter(value, State.BUSY, reason, now), ()
    if value.state is State.IDLE_WAIT and idle >= policy.idle_seconds:
        return _enter(value, State.STARTING, "checking the way to the pool", now), (CheckPool(),)
    return _enter(value, State.IDLE_WAIT, seen.busy_reason or "waiting for the owner to be away", now), ()


def _must_leave(value: Value, seen: Observation, now: float, policy: Policy) -> _Leave | None:
    """Return why the desktop may not serve the pool now, if so."""
    idle = idle_time(value, seen, now)
    if seen.opt_out:
        return _Leave(seen.opt_out, for_owner=True)
    if seen.jump or idle is None or idle < policy.idle_seconds:
        return _Leave(seen.jump or seen.busy_reason or "the owner is back", for_owner=True)
    if seen.fault:
        return _Leave(seen.fault, for_owner=False, failure=seen.fault)
    if seen.stopping:
        return _Leave("the agent is ending", for_owner=False)
    return None


def _starting(value: Value, seen: Observation, now: float, policy: Policy) -> Step:
    leave = _must_leave(value, seen, now, policy)
    if not value.booted:
        return _checking(value, seen, now, policy, leave)
    if not seen.guest.alive:
        return _gone(value, seen.guest.trouble or "the guest ended before it joined", seen, now, policy)
    if leave is not None and seen.guest.stage is Stage.BOOTING:
        # No engine runs in it yet, so nobody has to be told: the desktop is the owner's at once.
        return _end(value, leave, now), (KillGuest(leave.reason),)
    if leave is not None:
        return _evict(value, leave, now, policy)
    if seen.guest.trouble:
        return _evict(value, _Leave(seen.guest.trouble, False, seen.guest.trouble), now, policy)
    if seen.guest.stage is Stage.JOINED:
        return _enter(value, State.JOINED, "the owner is away and the pool accepted this desktop", now), ()
    if now - value.since >= policy.start_timeout:
        reason = f"the guest did not join within {policy.start_timeout:g} s"
        late = _Leave(reason, False, reason)
        if seen.guest.stage is Stage.BOOTING:
            return _end(value, late, now), (KillGuest(reason),)
        return _evict(value, late, now, policy)
    return value, ()


def _checking(value: Value, seen: Observation, now: float, policy: Policy, leave: _Leave | None) -> Step:
    """Decide in starting before a guest exists."""
    if leave is not None or seen.guest.alive:
        return _without_guest(_enter(value, State.BUSY, "", now), seen, now, policy)
    if seen.preflight == "":
        return dataclasses.replace(value, booted=True, reason="the guest is booting"), (StartGuest(),)
    if seen.preflight is not None:
        return _fail(value, seen.preflight, now, policy), ()
    if now - value.since >= policy.start_timeout:
        return _fail(value, "the way to the pool could not be checked in time", now, policy), ()
    return value, ()


def _joined(value: Value, seen: Observation, now: float, policy: Policy) -> Step:
    if now - value.since >= STEADY_SECONDS:
        value = dataclasses.replace(value, failures=0)
    if not seen.guest.alive:
        return _gone(value, seen.guest.trouble or "the guest ended by itself", seen, now, policy)
    leave = _must_leave(value, seen, now, policy)
    if leave is None and seen.guest.trouble:
        leave = _Leave(seen.guest.trouble, False, seen.guest.trouble)
    if leave is None and seen.outdated:
        leave = _Leave(seen.outdated, for_owner=False)
    if leave is None:
        return value, ()
    if not leave.failure:
        value = dataclasses.replace(value, failures=0)
    return _evict(value, leave, now, policy)


def _evict(value: Value, leave: _Leave, now: float, policy: Policy) -> Step:
    """Begin an eviction: the owner's is paused first, any other is asked to vacate at once."""
    # Input is seen up to one poll late, and the promise counts from the input.
    kill_at = now + policy.grace_seconds - policy.poll_seconds
    if kill_at <= now:
        return _end(value, leave, now), (KillGuest(leave.reason),)
    held = now + PAUSE_HOLD_SECONDS if leave.for_owner else None
    eviction = Eviction(kill_at, held, leave.for_owner, leave.failure)
    going = dataclasses.replace(_enter(value, State.EVICTING, leave.reason, now), eviction=eviction)
    return going, (PauseGuest(),) if leave.for_owner else (LetVacate(kill_at - now),)


def _end(value: Value, leave: _Leave, now: float) -> Value:
    """Return the value of an eviction that leaves no time."""
    eviction = Eviction(kill_at=now, held_until=None, for_owner=True, failure=leave.failure)
    return dataclasses.replace(_enter(value, State.EVICTING, leave.reason, now), eviction=eviction)


def _evicting(value: Value, seen: Observation, now: float, policy: Policy) -> Step:
    going = value.eviction
    if going is None or not seen.guest.alive:
        return _gone(value, going.failure if going is not None else "", seen, now, policy)
    if now >= going.kill_at:
        return value, (KillGuest("its time to vacate is over"),)
    if seen.guest.vacated:
        return value, (KillGuest("it has handed its jobs back"),)
    leave = _must_leave(value, seen, now, policy)
    if leave is not None and leave.for_owner and not going.for_owner:
        paused, actions = _evict(value, leave, now, policy)
        assert paused.eviction is not None  # _evict always makes one
        sooner = min(going.kill_at, paused.eviction.kill_at)
        again = dataclasses.replace(paused.eviction, kill_at=sooner, failure=going.failure)
        return dataclasses.replace(paused, eviction=again), actions
    if going.held_until is not None and now >= going.held_until:
        released = dataclasses.replace(going, held_until=None)
        return dataclasses.replace(value, eviction=released), (LetVacate(going.kill_at - now),)
    return value, ()


def _gone(value: Value, failure: str, seen: Observation, now: float, policy: Policy) -> Step:
    """Go on from a guest that no longer exists; `failure` is why, if it should still be there."""
    if failure and not seen.opt_out and not seen.fault:
        return _fail(value, failure, now, policy), ()
    return _without_guest(_enter(value, State.BUSY, value.reason, now), seen, now, policy)


def _fail(value: Value, reason: str, now: float, policy: Policy) -> Value:
    failures = value.failures + 1
    failed = dataclasses.replace(value, failures=failures, retry_at=now + backoff(failures, policy))
    return _enter(failed, State.FAILED, reason, now)
