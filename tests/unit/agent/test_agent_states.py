# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of the state machine, tried on random worlds; and its ladder, step by step."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.agent.model import (
    CheckPool,
    GuestSeen,
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
from eyrie.agent.states import PAUSE_HOLD_SECONDS, STEADY_SECONDS, backoff, next_deadline, transition

POLICY = Policy(
    idle_seconds=10, poll_seconds=0.5, grace_seconds=5, backoff_first=10, backoff_max=600, start_timeout=120
)
WITH_GUEST = (State.STARTING, State.JOINED, State.EVICTING)
IDLE = Observation(idle_seconds=1000.0)
BUSY = Observation(idle_seconds=0.0, busy_reason="terminal: typing on /dev/pts/0")


class World:
    """A desktop that does what the actions say, and counts guests."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.now = 1000.0
        self.value = Value(since=self.now - 2000, fresh_since=self.now - 2000)
        self.guest = GuestSeen()
        self.paused = False
        self.preflight: str | None = None
        self.preflight_result = ""
        self.log: list[object] = []

    def step(self, seen: Observation, seconds: float = 0.5) -> tuple[object, ...]:
        """Let time pass, look once, and carry the actions out."""
        self.now += seconds
        seen = dataclasses.replace(seen, guest=self.guest, preflight=self.preflight)
        self.value, actions = transition(self.value, seen, self.now, self.policy)
        for action in actions:
            self._do(action)
        self.log += actions
        return actions

    def _do(self, action: object) -> None:
        if isinstance(action, CheckPool):
            self.preflight = self.preflight_result
        elif isinstance(action, StartGuest):
            assert not self.guest.alive, "a second guest"
            self.guest, self.paused = GuestSeen(alive=True), False
        elif isinstance(action, PauseGuest):
            self.paused = True
        elif isinstance(action, LetVacate):
            self.paused = False
        elif isinstance(action, KillGuest):
            self.guest = dataclasses.replace(self.guest, alive=False)

    def says(self, **facts: object) -> None:
        """Let the guest say or do something."""
        self.guest = dataclasses.replace(self.guest, **facts)

    def joined(self) -> World:
        """Go the straight way into the pool."""
        for _ in range(4):
            self.step(IDLE)
        self.says(stage=Stage.JOINED)
        self.step(IDLE)
        assert self.value.state is State.JOINED
        return self


def test_the_way_into_the_pool_passes_every_state_in_order() -> None:
    world = World()
    states = []
    for _ in range(3):
        world.step(IDLE)
        states.append(world.value.state)
    assert states == [State.IDLE_WAIT, State.STARTING, State.STARTING]
    assert world.log == [CheckPool(), StartGuest()]
    world.says(stage=Stage.JOINED)
    world.step(IDLE)
    assert world.value.state is State.JOINED


def test_owner_back_pauses_at_once_then_lets_vacate_then_kills() -> None:
    world = World().joined()
    assert world.step(BUSY) == (PauseGuest(),)
    began = world.now
    assert world.value.state is State.EVICTING
    assert world.value.reason == "terminal: typing on /dev/pts/0"
    assert world.step(BUSY, 0.9) == ()
    assert world.paused
    left = POLICY.grace_seconds - POLICY.poll_seconds - PAUSE_HOLD_SECONDS
    (release,) = world.step(BUSY, 0.1)
    assert isinstance(release, LetVacate)
    assert release.seconds == pytest.approx(left)
    assert world.step(BUSY, left - 0.01) == ()
    assert world.step(BUSY, 0.02) == (KillGuest("its time to vacate is over"),)
    assert world.now - began <= POLICY.grace_seconds
    world.step(BUSY)
    assert world.value.state is State.BUSY


def test_a_vacated_guest_is_ended_without_waiting() -> None:
    world = World().joined()
    world.step(BUSY)
    world.step(BUSY, PAUSE_HOLD_SECONDS)
    world.says(vacated=True)
    assert world.step(BUSY, 0.1) == (KillGuest("it has handed its jobs back"),)


def test_a_guest_whose_engine_never_ran_is_ended_at_once() -> None:
    world = World()
    for _ in range(3):
        world.step(IDLE)
    assert world.step(BUSY) == (KillGuest("terminal: typing on /dev/pts/0"),)
    assert not world.guest.alive


def test_a_guest_whose_engine_is_starting_gets_the_ladder() -> None:
    world = World()
    for _ in range(3):
        world.step(IDLE)
    world.says(stage=Stage.ENGINE_STARTING)
    assert world.step(BUSY) == (PauseGuest(),)


def test_ending_agent_lets_vacate_without_a_pause_until_the_owner_comes() -> None:
    world = World().joined()
    stopping = dataclasses.replace(IDLE, stopping=True)
    (release,) = world.step(stopping)
    assert isinstance(release, LetVacate)
    assert world.step(dataclasses.replace(BUSY, stopping=True)) == (PauseGuest(),)
    for _ in range(12):
        world.step(dataclasses.replace(BUSY, stopping=True))
    assert not world.guest.alive
    assert world.value.state is State.BUSY


def test_an_outdated_guest_vacates_without_a_pause_and_a_new_one_follows() -> None:
    world = World().joined()
    outdated = dataclasses.replace(IDLE, outdated="a new guest takes over: its image changed")
    (release,) = world.step(outdated)
    assert isinstance(release, LetVacate)
    assert world.value.reason == outdated.outdated
    world.says(vacated=True)
    world.step(outdated)
    assert not world.guest.alive
    actions = [action for _ in range(3) for action in world.step(IDLE)]
    assert StartGuest() in actions


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"trouble": "guest refused: token expired"}, "guest refused: token expired"),
        ({"trouble": "central manager not reachable"}, "central manager not reachable"),
        ({"alive": False, "trouble": "the guest ended by itself (status 1)"}, "status 1"),
    ],
)
def test_trouble_in_the_guest_ends_in_failed_with_its_reason(facts: dict[str, object], reason: str) -> None:
    world = World().joined()
    world.says(**facts)
    for _ in range(12):
        world.step(IDLE)
    assert world.value.state is State.FAILED
    assert reason in world.value.reason
    assert not world.guest.alive


def test_a_guest_that_does_not_join_in_time_is_ended_and_failed() -> None:
    world = World()
    for _ in range(3):
        world.step(IDLE)
    world.step(IDLE, POLICY.start_timeout)
    assert not world.guest.alive
    world.step(IDLE)
    assert world.value.state is State.FAILED
    assert "did not join within 120 s" in world.value.reason


def test_a_pool_out_of_reach_starts_no_guest() -> None:
    world = World()
    world.preflight_result = "the pool's master cannot be reached"
    for _ in range(6):
        world.step(IDLE)
    assert world.value.state is State.FAILED
    assert StartGuest() not in world.log


def test_backoff_doubles_to_its_cap_and_a_steady_guest_resets_it() -> None:
    world = World()
    waits = []
    for _ in range(9):
        world.preflight_result = "unreachable"
        world.step(IDLE, 700)
        for _ in range(4):
            if world.value.state is not State.FAILED:
                world.step(IDLE, 0)
        waits.append(world.value.retry_at - world.now)
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    world.preflight_result = ""
    world.step(IDLE, 700)
    world.joined()
    world.step(IDLE, STEADY_SECONDS)
    world.says(alive=False)
    world.step(IDLE)
    assert world.value.failures == 1


def test_an_administrators_reload_tries_again_at_once() -> None:
    world = World()
    world.preflight_result = "unreachable"
    for _ in range(5):
        world.step(IDLE)
    assert world.value.state is State.FAILED
    world.step(dataclasses.replace(IDLE, retry_now=True))
    assert world.value.state is not State.FAILED
    assert world.value.failures == 0


def test_a_jump_of_the_clock_counts_idle_time_anew() -> None:
    world = World().joined()
    world.step(dataclasses.replace(IDLE, jump="the machine slept for 3600 s"))
    assert world.value.state is State.EVICTING
    for _ in range(12):
        world.step(IDLE)
    assert world.value.state is State.IDLE_WAIT
    while world.value.state is State.IDLE_WAIT:
        world.step(IDLE)
    assert world.now - world.value.fresh_since >= POLICY.idle_seconds


def test_a_wish_of_the_owners_ends_in_disabled_and_waits_there() -> None:
    world = World().joined()
    wish = dataclasses.replace(IDLE, opt_out="paused by anna")
    for _ in range(12):
        world.step(wish)
    assert (world.value.state, world.value.reason) == (State.DISABLED, "paused by anna")
    world.step(IDLE)
    assert world.value.state is not State.DISABLED


def test_a_fault_ends_in_failed_and_passes_with_the_fault() -> None:
    world = World().joined()
    fault = dataclasses.replace(IDLE, fault="the disk is full")
    for _ in range(12):
        world.step(fault)
    assert (world.value.state, world.value.reason) == (State.FAILED, "the disk is full")
    world.step(IDLE)
    assert world.value.state is State.IDLE_WAIT


# --- laws on random worlds

observations = st.builds(
    Observation,
    idle_seconds=st.one_of(st.none(), st.just(0.0), st.just(1e6), st.floats(0, 100)),
    busy_reason=st.sampled_from(["", "x11: input on display :0"]),
    opt_out=st.sampled_from(["", "", "", "paused by anna"]),
    fault=st.sampled_from(["", "", "", "the disk is full"]),
    jump=st.sampled_from(["", "", "", "", "the clock was set back by 60 s"]),
    stopping=st.sampled_from([False, False, False, True]),
    retry_now=st.sampled_from([False, False, True]),
    outdated=st.sampled_from(["", "", "", "a new guest takes over: its image changed"]),
)
guest_acts = st.sampled_from(
    [
        {},
        {},
        {},
        {"stage": Stage.ENGINE_STARTING},
        {"stage": Stage.JOINED},
        {"stage": Stage.JOINED},
        {"vacated": True},
        {"trouble": "guest refused: token"},
        {"alive": False, "trouble": "the guest ended by itself (status 1)"},
    ]
)
moves = st.lists(
    st.tuples(
        st.one_of(st.just(IDLE), st.just(IDLE), observations),
        st.one_of(st.floats(0, 2), st.floats(0, 700)),
        guest_acts,
        st.sampled_from([None, "", "", "unreachable"]),
    ),
    max_size=60,
)
policies = st.builds(
    Policy,
    idle_seconds=st.floats(1, 100),
    poll_seconds=st.floats(0.1, 5),
    grace_seconds=st.floats(0, 30),
    backoff_first=st.floats(1, 50),
    backoff_max=st.floats(50, 600),
    start_timeout=st.floats(10, 300),
    spread=st.floats(0, 1),
)


@given(policy=policies, story=moves)
def test_laws(policy: Policy, story: list[tuple[Observation, float, dict[str, object], str | None]]) -> None:
    world = World(policy)
    gone_by: float | None = None  # when an eviction under way must have ended
    for seen, seconds, act, preflight in story:
        if world.guest.alive:
            world.says(**act)
        world.preflight = preflight if world.preflight is None else world.preflight
        before = world.value
        held = world.paused
        actions = world.step(seen, seconds)
        state, now = world.value.state, world.now

        # Never two guests (World asserts it too), and none where none belongs.
        assert sum(isinstance(action, StartGuest) for action in actions) <= 1
        assert not world.guest.alive or state in WITH_GUEST
        # The owner's input leaves, within this very step, no running guest but one let go after its hold.
        here = seen.idle_seconds is None or seen.idle_seconds < policy.idle_seconds
        owner = here or seen.jump or seen.opt_out
        if owner and world.guest.alive:
            assert state is State.EVICTING
            assert world.value.eviction is not None
            assert world.value.eviction.for_owner
            was = before.eviction
            freed_before = was and was.for_owner and was.held_until is None
            freed_now = held and any(isinstance(action, LetVacate) for action in actions)
            assert world.paused or freed_before or freed_now
        # Nothing starts while the owner, their wish, a fault or the end of the agent stands against it.
        if owner or seen.fault or seen.stopping:
            assert StartGuest() not in actions
        if seen.opt_out:
            assert state in (State.DISABLED, State.EVICTING)
        # An eviction ends in no guest within the grace.
        if state is State.EVICTING and before.state is not State.EVICTING:
            gone_by = now + policy.grace_seconds
        if state is not State.EVICTING:
            gone_by = None
        if gone_by is not None and now >= gone_by:
            assert not world.guest.alive
        if state is State.EVICTING and world.guest.alive:
            deadline = next_deadline(world.value, policy)
            assert deadline is not None
            assert gone_by is not None
            assert deadline <= gone_by + 1e-6
        # The pause after failures is bounded.
        if state is State.FAILED and before.state is not State.FAILED and world.value.retry_at:
            pause = world.value.retry_at - now
            assert 0.75 * policy.backoff_first - 1e-6 <= pause <= policy.backoff_max + 1e-6
        # Words to show are always there.
        assert world.value.reason
    # Left alone with its owner at it, every desktop is soon free of guests.
    for _ in range(4):
        world.step(BUSY, policy.grace_seconds)
    assert not world.guest.alive


@given(failures=st.integers(1, 10_000), policy=policies)
def test_backoff_never_shrinks_nor_passes_its_cap(failures: int, policy: Policy) -> None:
    assert backoff(failures, policy) <= backoff(failures + 1, policy) <= policy.backoff_max


@given(seen=observations)
def test_unknown_idleness_is_busy(seen: Observation) -> None:
    unknown = dataclasses.replace(seen, idle_seconds=None, opt_out="", fault="")
    value, actions = transition(Value(state=State.IDLE_WAIT, fresh_since=0.0), unknown, 1e6, POLICY)
    assert value.state is State.BUSY
    assert actions == ()
