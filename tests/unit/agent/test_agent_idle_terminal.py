# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal source on real pseudo-terminals; symbolic links keep other people's out of the tests.

This /dev has no tty, so access times alone tell of input; test_agent_idle_hearing.py has one.
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_pty import Pty

from eyrie.agent.idle.base import Kind
from eyrie.agent.idle.terminal import SLOT_SECONDS, Terminal


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    (tmp_path / "pts").mkdir()
    return tmp_path


@pytest.fixture
def pty(dev: Path) -> Iterator[Pty]:
    terminal = Pty(dev)
    yield terminal
    terminal.close()


def test_an_agents_start_counts_as_activity(dev: Path, pty: Pty) -> None:
    source = Terminal(100.0, dev=str(dev))
    assert source.read(100.0).seconds == 0
    assert source.read(150.0).seconds == 50 - SLOT_SECONDS


def test_typing_is_seen_at_the_next_look(dev: Path, pty: Pty) -> None:
    source = Terminal(0.0, dev=str(dev))
    assert source.read(500.0).seconds == 500 - SLOT_SECONDS
    pty.type()
    reading = source.read(500.5)
    assert reading.seconds == 0
    assert reading.detail == f"typing on {pty.name}"


def test_output_is_no_typing(dev: Path, pty: Pty) -> None:
    source = Terminal(0.0, dev=str(dev))
    pty.show()
    assert source.read(500.0).seconds == 500 - SLOT_SECONDS


def test_a_key_within_the_kernels_slot_is_covered_by_it(dev: Path, pty: Pty) -> None:
    """The kernel does not move the access time twice within 8 s, so idleness must not begin before."""
    source = Terminal(0.0, dev=str(dev))
    pty.type()
    source.read(500.0)
    pty.type()
    assert source.read(500.0 + SLOT_SECONDS).seconds == 0


def test_a_new_login_counts(dev: Path, pty: Pty) -> None:
    source = Terminal(0.0, dev=str(dev))
    source.read(500.0)
    another = Pty(dev)
    reading = source.read(501.0)
    another.close()
    assert (reading.seconds, reading.detail) == (0.0, f"a new login on {another.name}")


def test_a_logout_does_not_count(dev: Path, pty: Pty) -> None:
    another = Pty(dev)
    source = Terminal(0.0, dev=str(dev))
    another.close()
    another.name.unlink()
    assert source.read(500.0).seconds == 500 - SLOT_SECONDS


def test_ignored_users_may_type(dev: Path, pty: Pty) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a terminal to another user needs root")
    nobody = pwd.getpwnam("nobody")
    os.chown(pty.path, nobody.pw_uid, -1)
    source = Terminal(0.0, ["nobody", "a-user-this-desktop-does-not-have"], dev=str(dev))
    pty.type()
    assert source.read(500.0).seconds == 500 - SLOT_SECONDS
    os.chown(pty.path, 0, -1)
    source.read(500.5)
    pty.rest()
    pty.type()
    assert source.read(501.0).seconds == 0


def test_wall_clock_jumps_fake_no_absence(dev: Path, pty: Pty) -> None:
    """An access time far in the past (the clock was set forward) is a change like any other."""
    source = Terminal(0.0, dev=str(dev))
    os.utime(pty.path, (0, 0))
    assert source.read(500.0).seconds == 0


def test_unreadable_terminals_are_unknown(dev: Path, pty: Pty) -> None:
    source = Terminal(0.0, dev=str(dev))
    dev.rename(dev.with_name("gone"))
    assert source.read(500.0).kind is Kind.UNKNOWN


def test_this_machines_own_terminals_can_be_read() -> None:
    assert Terminal(time.monotonic()).read(time.monotonic()).kind is Kind.IDLE
