# SPDX-License-Identifier: GPL-3.0-or-later
"""Render an animation on a pool: submit, wait, fetch, and leave the master as it was."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Protocol

from eyrie.demo import userlog
from eyrie.demo.animation import SCENE, SUBMIT_FILE, Animation, submit_description
from eyrie.demo.picture import assemble
from eyrie.demo.pool import Pool, Submitted
from eyrie.demo.story import State, Story, stories
from eyrie.errors import EyrieError

POLL_SECONDS = 1.0
PATIENCE = 5  # pollings that may fail in a row: a busy master is not a lost one
HINT_SECONDS = 10.0
EXEC_FAILED = 6  # HoldReasonCode "FailedToCreateProcess"
NO_SUCH_FILE = 2


class Watcher(Protocol):
    """Whoever looks on."""

    def update(self, told: Sequence[Story]) -> None: ...

    def hint(self, text: str) -> None: ...


def render(
    pool: Pool, what: Animation, output: Path, watcher: Watcher, *, timeout: float
) -> tuple[Story, ...]:
    """Render and write `output`; whatever happens, no job and no file stay behind on the master."""
    scene = resources.files("eyrie.demo").joinpath("data", SCENE).read_text()
    job = pool.submit({SCENE: scene, SUBMIT_FILE: submit_description(what)})
    try:
        told = _wait(pool, job, what, watcher, time.monotonic() + timeout)
        names = [f"{what.name(frame)}.png" for frame in range(what.frames)]
        assemble(pool.fetch(job, names), what, output)
    except KeyboardInterrupt:
        watcher.hint(f"stopped: removing cluster {job.cluster} from {pool.remote.name}")
        _remove(pool, job, watcher)
        raise
    except BaseException:
        _remove(pool, job, watcher)
        raise
    _remove(pool, job, watcher)
    return told


def _remove(pool: Pool, job: Submitted, watcher: Watcher) -> None:
    try:
        gone = pool.remove(job)
    except EyrieError as error:
        watcher.hint(f"could not remove cluster {job.cluster}: {error}")
        return
    if not gone:
        watcher.hint(
            f"cluster {job.cluster} is still leaving the queue; if it stays: "
            f"`condor_rm -forcex {job.cluster}` on {pool.remote.name}"
        )


def _wait(
    pool: Pool, job: Submitted, what: Animation, watcher: Watcher, deadline: float
) -> tuple[Story, ...]:
    log = b""
    failures = 0
    next_hint = time.monotonic() + HINT_SECONDS / 2
    while True:
        try:
            log += pool.log_from(job, len(log))
            failures = 0
        except EyrieError:
            failures += 1
            if failures == PATIENCE:
                raise
        told = stories(userlog.parse(log.decode(errors="replace")), what.frames)
        watcher.update(told)
        if all(story.state is State.DONE for story in told):
            return told
        _refuse_broken(pool, job, what, told)
        now = time.monotonic()
        if now >= deadline:
            raise _too_late(pool, told)
        if now >= next_hint and not failures:
            next_hint = now + HINT_SECONDS
            _hint(pool, job, told, watcher)
        time.sleep(POLL_SECONDS)


def _refuse_broken(pool: Pool, job: Submitted, what: Animation, told: Sequence[Story]) -> None:
    for story in told:
        if story.state in (State.HELD, State.FAILED, State.REMOVED):
            said = pool.errors(job, f"{what.name(story.frame)}.err")
            raise broken(story, what, complaint(said))


def broken(story: Story, what: Animation, said: str) -> EyrieError:
    """Say why a frame cannot be rendered."""
    where = f"{what.name(story.frame)} on {story.desktop or 'no desktop'}"
    if story.hold_code == (EXEC_FAILED, NO_SUCH_FILE) or story.detail == "exit status 127":
        return EyrieError(
            where,
            seen=story.detail,
            wanted="/usr/bin/povray in the guest image",
            next_step="put povray into guest_image_packages and run site.yml again",
        )
    seen = f"{story.state.value}: {story.detail}" + (f"; its stderr ends: {said}" if said else "")
    return EyrieError(
        where, seen=seen, wanted="a rendered frame", next_step="see the job's stderr above, then render again"
    )


def complaint(stderr: str) -> str:
    """The lines of POV-Ray's long stderr that tell what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    first = next(
        (number for number, line in enumerate(lines) if "error" in line.lower()), max(0, len(lines) - 3)
    )
    return " / ".join(lines[first : first + 4])


def _too_late(pool: Pool, told: Sequence[Story]) -> EyrieError:
    done = sum(story.state is State.DONE for story in told)
    running = sum(story.state is State.RUNNING for story in told)
    return EyrieError(
        "--timeout",
        seen=f"{done} of {len(told)} frames done, {running} running; the jobs have been removed",
        wanted="all frames done in time",
        next_step=f"give more time, or see {_look(pool)}",
    )


def _hint(pool: Pool, job: Submitted, told: Sequence[Story], watcher: Watcher) -> None:
    """Nothing runs: say whether there is anything it could run on."""
    if any(story.state is State.RUNNING for story in told):
        return
    try:
        desktops = pool.desktops()
    except EyrieError as error:
        watcher.hint(str(error))
        return
    if desktops:
        why = f"`condor_q -better-analyze {job.cluster}` on {pool.remote.name} tells more"
        watcher.hint(f"in the pool: {', '.join(sorted(desktops))}; waiting for a match ({why})")
    else:
        watcher.hint(f"no desktop is in the pool yet; see {_look(pool)}")


def _look(pool: Pool) -> str:
    where = "`eyrie lab status`" if pool.remote.is_lab else f"`condor_status` on {pool.remote.name}"
    return f"{where}, and `eyrie agent why` on a desktop"
