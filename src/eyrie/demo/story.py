# SPDX-License-Identifier: GPL-3.0-or-later
"""From the events of the job log to every frame's story: where it ran, how often, how long, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from eyrie.demo import userlog
from eyrie.demo.userlog import Event


class State(Enum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    HELD = "held"
    REMOVED = "removed"


class Outcome(Enum):
    RUNNING = "running"
    DONE = "done"
    EVICTED = "evicted"  # the owner came back: the desktop handed the job back
    LOST = "lost"  # the desktop vanished without a word
    FAILED = "failed"


@dataclass(frozen=True)
class Execution:
    """One attempt at a frame."""

    desktop: str
    started: datetime
    ended: datetime | None = None
    outcome: Outcome = Outcome.RUNNING

    @property
    def seconds(self) -> float:
        """Wall-clock seconds, 0 while it runs (the log's clock is the master's, not ours)."""
        return (self.ended - self.started).total_seconds() if self.ended else 0.0


@dataclass(frozen=True)
class Story:
    """One frame."""

    frame: int
    state: State = State.WAITING
    executions: tuple[Execution, ...] = ()
    detail: str = ""
    hold_code: tuple[int, int] = (0, 0)

    @property
    def desktop(self) -> str | None:
        return self.executions[-1].desktop if self.executions else None


def stories(events: Iterable[Event], frames: int) -> tuple[Story, ...]:
    """Tell every frame's story so far; frame N is the cluster's process N."""
    told = [Story(frame) for frame in range(frames)]
    for event in events:
        if event.proc < frames:
            told[event.proc] = _continue(told[event.proc], event)
    return tuple(told)


def _continue(story: Story, event: Event) -> Story:
    if event.kind == userlog.EXECUTE:
        attempt = Execution(event.desktop, event.when)
        return replace(
            _end(story, event, Outcome.LOST), state=State.RUNNING, executions=(*story.executions, attempt)
        )
    if event.kind == userlog.TERMINATED:
        good = event.exit_status == 0
        ended = _end(story, event, Outcome.DONE if good else Outcome.FAILED)
        return replace(ended, state=State.DONE if good else State.FAILED, detail=_status(event))
    if event.kind == userlog.EVICTED:
        # A job that failed and may try again is logged as "evicted" too, with its exit status.
        failed = event.exit_status is not None
        ended = _end(story, event, Outcome.FAILED if failed else Outcome.EVICTED)
        return replace(ended, state=State.WAITING, detail=_status(event))
    if event.kind in (userlog.SHADOW_EXCEPTION, userlog.RECONNECT_FAILED):
        return replace(_end(story, event, Outcome.LOST), state=State.WAITING, detail=event.reason)
    if event.kind == userlog.REMOTE_ERROR:  # an "evicted" event follows, but no owner came back
        return replace(_end(story, event, Outcome.FAILED), detail=event.reason)
    if event.kind == userlog.HELD:
        ended = _end(story, event, Outcome.FAILED)
        return replace(ended, state=State.HELD, detail=event.reason, hold_code=event.hold_code)
    if event.kind == userlog.RELEASED:
        return replace(story, state=State.WAITING)
    if event.kind == userlog.ABORTED:
        return replace(_end(story, event, Outcome.EVICTED), state=State.REMOVED, detail=event.reason)
    return story


def _status(event: Event) -> str:
    return "" if event.exit_status is None else f"exit status {event.exit_status}"


def _end(story: Story, event: Event, outcome: Outcome) -> Story:
    """Close the running attempt; one that has ended already keeps its first outcome."""
    if not story.executions or story.executions[-1].ended:
        return story
    closed = replace(story.executions[-1], ended=event.when, outcome=outcome)
    return replace(story, executions=(*story.executions[:-1], closed))


@dataclass(frozen=True)
class Share:
    """What one desktop did."""

    desktop: str
    rendered: tuple[int, ...]
    running: tuple[int, ...]
    attempts: int
    interrupted: int
    seconds: float


def shares(told: Sequence[Story]) -> list[Share]:
    """Every desktop's part of the work, by name."""
    attempts = [(story.frame, attempt) for story in told for attempt in story.executions]

    def share(desktop: str) -> Share:
        mine = [(frame, attempt) for frame, attempt in attempts if attempt.desktop == desktop]
        return Share(
            desktop,
            rendered=tuple(frame for frame, attempt in mine if attempt.outcome is Outcome.DONE),
            running=tuple(frame for frame, attempt in mine if attempt.outcome is Outcome.RUNNING),
            attempts=len(mine),
            interrupted=sum(attempt.outcome in (Outcome.EVICTED, Outcome.LOST) for _, attempt in mine),
            seconds=sum(attempt.seconds for _, attempt in mine if attempt.outcome is Outcome.DONE),
        )

    return [share(desktop) for desktop in sorted({attempt.desktop for _, attempt in attempts})]


def ranges(numbers: Iterable[int]) -> str:
    """Frame numbers for people: 0-3, 7."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans)
