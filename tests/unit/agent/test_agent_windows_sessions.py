# SPDX-License-Identifier: GPL-3.0-or-later
"""Who counts as being at a Windows desktop: every combination of sessions, with FAKE helpers in them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.agent.idle.base import Kind, Reading
from eyrie.agent.windows.helpers import RETRY, SILENCE, Heard, Helper, Helpers
from eyrie.agent.windows.sessions import Desk, Presentation, Sessions
from eyrie.agent.windows.watcher import Report
from eyrie.agent.windows.wts import Session

SERVICES = Session(0, "disconnected")
LISTENER = Session(65536, "listen")


class FakeHelper:
    """A helper that says what the test wants."""

    def __init__(self) -> None:
        self.heard: Heard | None = None
        self.trouble = ""
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Office:
    """One desktop whose sessions and helpers the test plays."""

    def __init__(self, *people: Session) -> None:
        self.listed: Sequence[Session] = [SERVICES, *people, LISTENER]
        self.broken: Exception | None = None
        self.changes: list[int] = []
        self.started: list[tuple[int, FakeHelper]] = []
        self.helpers = Helpers(self.start)
        self.desk = Desk(self.listing, self.helpers, self.news, ["Kiosk"])
        self.sessions, self.presentation = Sessions(self.desk), Presentation(self.desk)

    def listing(self) -> Sequence[Session]:
        if self.broken is not None:
            raise self.broken
        return self.listed

    def news(self) -> list[int]:
        told, self.changes = self.changes, []
        return told

    def start(self, session: int) -> Helper:
        self.started.append((session, FakeHelper()))
        return self.started[-1][1]

    def helper(self, session: int) -> FakeHelper:
        return [helper for number, helper in self.started if number == session][-1]

    def says(self, session: int, idle: float, now: float, state: int = 5) -> None:
        self.helper(session).heard = Heard(Report(idle, state), now)

    def who(self, *people: Session) -> None:
        self.listed = [SERVICES, *people, LISTENER]


def active(number: int = 1, user: str = "owner", **more: bool) -> Session:
    return Session(number, "active", user, **more)


def told(reading: Reading) -> tuple[Kind, float]:
    return reading.kind, round(reading.seconds, 3)


def test_nobody_logged_on_is_idle_since_the_start() -> None:
    office = Office(Session(1, "connected"))
    assert told(office.sessions.read(500.0)) == (Kind.IDLE, 500.0)
    assert office.started == []
    assert office.presentation.read(500.0).kind is Kind.ABSENT


def test_a_session_is_as_idle_as_its_helper_says() -> None:
    office = Office(active())
    assert office.sessions.read(100.0).kind is Kind.UNKNOWN  # it has not spoken yet
    office.says(1, 60.0, 101.0)
    assert told(office.sessions.read(103.0)) == (Kind.IDLE, 62.0)


def test_the_least_idle_of_all_users_counts() -> None:
    office = Office(active(1), active(2, "other", remote=True), active(3, "third", locked=True))
    office.sessions.read(100.0)
    for session, idle in ((1, 300.0), (2, 7.0), (3, 90.0)):
        office.says(session, idle, 100.0)
    reading = office.sessions.read(100.0)
    assert told(reading) == (Kind.IDLE, 7.0)
    assert "session 2 of other over the network" in reading.detail


def test_one_that_cannot_be_watched_makes_all_busy() -> None:
    office = Office(active(1), active(2, "other"))
    office.sessions.read(100.0)
    office.says(1, 300.0, 100.0)
    office.helper(2).trouble = "access denied"
    reading = office.sessions.read(100.0)
    assert reading.kind is Kind.UNKNOWN
    assert "session 2 of other cannot be watched (access denied)" in reading.detail


def test_a_silent_helper_is_unknown_and_a_dead_one_is_started_again() -> None:
    office = Office(active())
    office.sessions.read(100.0)
    office.says(1, 300.0, 100.0)
    assert office.sessions.read(100.0 + SILENCE).kind is Kind.IDLE
    assert office.sessions.read(100.0 + SILENCE + 0.1).kind is Kind.UNKNOWN
    first = office.helper(1)
    first.trouble = "it ended"
    office.sessions.read(100.0 + SILENCE + RETRY)
    assert first.closed
    assert office.helper(1) is not first


def test_helpers_are_not_started_faster_than_they_die() -> None:
    office = Office(active())
    for tenth in range(600):
        office.sessions.read(100.0 + tenth / 10)
        office.helper(1).trouble = "it ended"
    assert len(office.started) <= 60 / RETRY + 1


def test_a_disconnected_session_is_idle_since_then_and_needs_no_helper() -> None:
    office = Office(Session(1, "disconnected", "owner", remote=True, disconnected_seconds=40.0))
    assert told(office.sessions.read(100.0)) == (Kind.IDLE, 40.0)
    office.who(Session(1, "disconnected", "owner", remote=True, disconnected_seconds=140.0))
    assert told(office.sessions.read(200.0)) == (Kind.IDLE, 140.0)
    assert office.started == []


def test_where_windows_does_not_tell_since_when_it_counts_from_the_first_look() -> None:
    office = Office(Session(1, "disconnected", "owner"))
    assert told(office.sessions.read(100.0)) == (Kind.IDLE, 0.0)
    assert told(office.sessions.read(150.0)) == (Kind.IDLE, 50.0)


def test_the_last_one_leaving_starts_the_count() -> None:
    office = Office(active())
    office.sessions.read(100.0)
    office.says(1, 300.0, 100.0)
    office.sessions.read(101.0)
    office.who(Session(1, "connected"))
    office.changes = [6]  # logged off
    assert told(office.sessions.read(110.0)) == (Kind.IDLE, 0.0)
    assert office.helper(1).closed
    reading = office.sessions.read(170.0)
    assert told(reading) == (Kind.IDLE, 60.0)
    assert reading.detail == "nobody is logged on"


def test_a_log_off_that_windows_did_not_tell_starts_it_too() -> None:
    office = Office(active())
    office.sessions.read(100.0)
    office.who(Session(1, "connected"))
    assert told(office.sessions.read(110.0)) == (Kind.IDLE, 0.0)


def test_who_unlocks_is_here_whatever_the_helper_says() -> None:
    office = Office(active(locked=True))
    office.sessions.read(100.0)
    office.says(1, 300.0, 100.0)
    assert told(office.sessions.read(101.0)) == (Kind.IDLE, 301.0)
    office.changes = [8]  # unlocked
    assert told(office.sessions.read(101.5)) == (Kind.IDLE, 0.0)


def test_a_screen_that_locks_itself_is_nobody_coming_back() -> None:
    office = Office(active())
    office.sessions.read(100.0)
    office.says(1, 300.0, 100.0)
    office.changes = [7]
    office.who(active(locked=True))
    reading = office.sessions.read(101.0)
    assert told(reading) == (Kind.IDLE, 301.0)
    assert reading.detail == "session 1 of owner, locked"


def test_ignored_users_are_nobody() -> None:
    office = Office(active(1, "KIOSK"))
    assert told(office.sessions.read(100.0)) == (Kind.IDLE, 100.0)
    assert office.started == []


@pytest.mark.parametrize("error", [OSError("RPC server unavailable"), ValueError("7 bytes")])
def test_sessions_that_windows_does_not_tell_are_unknown(error: Exception) -> None:
    office = Office(active())
    office.broken = error
    assert office.sessions.read(100.0).kind is Kind.UNKNOWN
    assert office.presentation.read(100.0).kind is Kind.UNKNOWN


def test_no_session_at_all_is_not_nobody() -> None:
    office = Office()
    office.listed = []
    assert office.sessions.read(100.0).kind is Kind.UNKNOWN


def test_the_list_is_not_asked_for_at_every_look() -> None:
    office = Office(active())
    asked = 0

    def listing() -> Sequence[Session]:
        nonlocal asked
        asked += 1
        return office.listed

    office.desk._listing = listing
    for tenth in range(100):
        office.sessions.read(100.0 + tenth / 10)
        office.presentation.read(100.0 + tenth / 10)
    assert asked == 5


@pytest.mark.parametrize(
    ("state", "kind", "seconds"),
    [
        (1, Kind.IDLE, 100.0),
        (2, Kind.IDLE, 0.0),
        (3, Kind.IDLE, 0.0),
        (4, Kind.IDLE, 0.0),
        (5, Kind.IDLE, 100.0),
        (6, Kind.IDLE, 100.0),
        (7, Kind.IDLE, 100.0),
        (0, Kind.UNKNOWN, 0.0),
        (8, Kind.UNKNOWN, 0.0),
    ],
)
def test_who_presents_or_watches_is_busy(state: int, kind: Kind, seconds: float) -> None:
    office = Office(active())
    office.presentation.read(100.0)
    office.says(1, 300.0, 100.0, state)
    assert told(office.presentation.read(100.0)) == (kind, seconds)


def test_after_a_presentation_the_count_starts_anew() -> None:
    office = Office(active())
    office.presentation.read(100.0)
    office.says(1, 300.0, 100.0, 4)
    office.presentation.read(100.0)
    office.says(1, 310.0, 110.0, 5)
    assert told(office.presentation.read(110.0)) == (Kind.IDLE, 10.0)


def test_a_silent_helper_tells_nothing_of_presentations() -> None:
    office = Office(active())
    assert office.presentation.read(100.0).kind is Kind.UNKNOWN


def test_what_a_disconnected_session_shows_nobody_sees() -> None:
    office = Office(Session(1, "disconnected", "owner"))
    assert office.presentation.read(100.0).kind is Kind.ABSENT


def test_closing_ends_the_helpers() -> None:
    office = Office(active(1), active(2, "other"))
    office.sessions.read(100.0)
    office.sessions.close()
    assert all(helper.closed for _, helper in office.started)


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(["active", "connected", "disconnected"]),
        st.sampled_from(["", "owner", "other"]),
        st.one_of(st.none(), st.floats(0, 1e4)),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@given(PEOPLE)
def test_the_desktop_is_never_idler_than_any_of_its_people(
    people: list[tuple[str, str, float | None, bool]],
) -> None:
    """A law of all combinations: unknown for one is unknown for all, and no one's idleness is exceeded."""
    office = Office(
        *(Session(i + 1, state, user, locked=lock) for i, (state, user, _, lock) in enumerate(people))
    )
    office.sessions.read(20000.0)
    watched = []
    for number, (state, user, idle, _lock) in enumerate(people, 1):
        if user and state != "disconnected":
            watched.append(idle)
            if idle is not None:
                office.says(number, idle, 20000.0)
    reading = office.sessions.read(20000.0)
    if None in watched:
        assert reading.kind is Kind.UNKNOWN
        return
    assert reading.kind is Kind.IDLE
    assert all(idle is not None and reading.seconds <= idle + 0.001 for idle in watched)
    if any(user and state == "disconnected" for state, user, _, _ in people):
        assert reading.seconds == 0.0
