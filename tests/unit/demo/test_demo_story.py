# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs in data/ were written by HTCondor 23.9.6 (Debian 13): one schedd, startds desk-1 and desk-2.

- plain: two frames, without the attribute EyrieDesktop;
- vacated: condor_vacate_job -fast of frame 0;
- desktop-left: SIGQUIT to the startd of desk-1, as when a guest hands its jobs back;
- power-cut: SIGKILL to desk-1's startd, starter and job;
- no-povray: /usr/bin/povray moved away;
- bad-scene: a scene that POV-Ray refuses;
- held-released: condor_hold, condor_release, condor_rm.
"""

from __future__ import annotations

import pytest
from demo_samples import DATA, recorded

from eyrie.demo import userlog
from eyrie.demo.animation import Animation
from eyrie.demo.render import broken, complaint
from eyrie.demo.story import Outcome, State, ranges, shares, stories
from eyrie.errors import EyrieError

DONE, EVICTED, LOST, FAILED = Outcome.DONE, Outcome.EVICTED, Outcome.LOST, Outcome.FAILED


def told(name, frames):
    return stories(userlog.parse(recorded(name)), frames)


def attempts(story):
    return [(attempt.desktop, attempt.outcome) for attempt in story.executions]


def test_desktop_handed_its_job_back():
    first, second = told("desktop-left.log", 2)
    assert attempts(first) == [("desk-2", DONE)]
    assert attempts(second) == [("desk-1", EVICTED), ("desk-2", DONE)]
    assert [attempt.seconds for attempt in second.executions] == [5, 9]


def test_vacated_job_runs_again():
    story = told("vacated.log", 4)[0]
    assert attempts(story) == [("desk-2", EVICTED), ("desk-2", DONE)]
    assert story.state is State.DONE


def test_power_cut_is_a_loss_and_the_frame_is_done_elsewhere():
    told_twice = told("power-cut.log", 2)
    cut = next(story for story in told_twice if len(story.executions) > 1)
    assert attempts(cut) == [("desk-1", LOST), ("desk-2", DONE)]
    assert cut.executions[0].seconds >= 50, "a lost desktop is given up only after the lease"


def test_missing_program_is_no_eviction_and_names_the_variable():
    (story,) = told("no-povray.log", 1)
    assert attempts(story) == [("desk-1", FAILED)]
    assert story.hold_code == (6, 2)
    held = stories(before_removal("no-povray.log"), 1)[0]
    assert held.state is State.HELD
    assert "guest_image_packages" in str(broken(held, Animation(1, 16, 16), ""))


def before_removal(name):
    return [event for event in userlog.parse(recorded(name)) if event.kind != userlog.ABORTED]


def test_failing_program_is_tried_again_then_reported_with_its_words():
    (story,) = told("bad-scene.log", 1)
    assert story.state is State.FAILED
    assert [outcome for _, outcome in attempts(story)] == [FAILED, FAILED, FAILED]
    assert story.detail == "exit status 1"
    message = str(broken(story, Animation(1, 16, 16), complaint(recorded("bad-scene.err"))))
    assert "undeclared" in message
    assert "frame-0000" in message


def test_hold_release_and_removal_are_told_in_order():
    events = userlog.parse(recorded("held-released.log"))
    states = [stories(events[:count], 1)[0].state for count in range(1, len(events) + 1)]
    changes = [state for state, before in zip(states, [None, *states], strict=False) if state is not before]
    assert changes[:4] == [State.WAITING, State.RUNNING, State.WAITING, State.HELD]
    assert changes[-1] is State.REMOVED


def test_shares_add_up():
    everything = told("vacated.log", 4)
    rows = shares(everything)
    assert [row.desktop for row in rows] == ["desk-1", "desk-2"]
    assert sorted(frame for row in rows for frame in row.rendered) == [0, 1, 2, 3]
    assert sum(row.attempts for row in rows) == 5
    assert sum(row.interrupted for row in rows) == 1


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.log")))
def test_a_log_cut_anywhere_never_fails_and_never_forgets(name):
    whole = recorded(name)
    all_events = userlog.parse(whole)
    assert len(all_events) == whole.count("\n...\n")
    for cut in range(0, len(whole), 37):
        part = userlog.parse(whole[:cut])
        assert part == all_events[: len(part)]


def test_crlf_and_empty_logs():
    text = recorded("plain.log")
    assert userlog.parse("") == []
    assert userlog.parse(text.replace("\n", "\r\n")) == userlog.parse(text)


def test_desktop_falls_back_to_the_slot_name():
    text = recorded("plain.log")
    named = "SlotName: slot1_1@desk-7\n"
    without = "\n".join(line for line in text.splitlines() if "EyrieDesktop" not in line) + "\n"
    patched = without.replace("SlotName: slot1_1@10-99-1-10.lab\n", named)
    assert patched != without
    assert {
        attempt.desktop for story in stories(userlog.parse(patched), 2) for attempt in story.executions
    } == {"desk-7"}


@pytest.mark.parametrize("head", ["", "nonsense", "001 (1.0.0) 11/21 11:23:39 Job executing on host: <>"])
def test_a_log_of_another_kind_is_refused_with_the_remedy(head):
    with pytest.raises(EyrieError, match="ISO_DATE"):
        userlog.parse(f"{head}\n...\n")


def test_separators_within_a_line_do_not_end_it():
    text = recorded("no-povray.log").replace("'No such file", "\x0c...\u2028...\x85'No such file")
    assert len(userlog.parse(text)) == len(userlog.parse(recorded("no-povray.log")))
    assert stories(userlog.parse(text), 1)[0].hold_code == (6, 2)


def test_killed_program():
    text = "005 (1.0.0) 2026-01-01 00:00:00 Job terminated.\n\t(0) Abnormal termination (signal 9)\n...\n"
    assert userlog.parse(text)[0].exit_status == 137


@pytest.mark.parametrize(
    ("numbers", "text"), [((), ""), ((3,), "3"), ((0, 1, 2), "0-2"), ((7, 0, 1, 3, 4), "0-1, 3-4, 7")]
)
def test_ranges(numbers, text):
    assert ranges(numbers) == text
