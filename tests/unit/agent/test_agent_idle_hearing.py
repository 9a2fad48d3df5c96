# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal source where the kernel tells of every read: real pseudo-terminals, real inotify."""

from __future__ import annotations

import errno
import os
import pwd
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_pty import Pty

from eyrie.agent.idle import reads
from eyrie.agent.idle.hearing import REST_SECONDS
from eyrie.agent.idle.terminal import SLOT_SECONDS, Terminal

LATER = 500.0
FROM_DEV_TTY = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
print(os.read(os.open("/dev/tty", os.O_RDWR), 10).decode().strip(), flush=True)
"""


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    (tmp_path / "pts").mkdir()
    (tmp_path / "tty").write_text("what is read through /dev/tty\n")
    return tmp_path


@pytest.fixture
def pty(dev: Path) -> Iterator[Pty]:
    terminal = Pty(dev)
    yield terminal
    terminal.close()


@pytest.fixture
def source(dev: Path, pty: Pty) -> Iterator[Terminal]:
    made = Terminal(0.0, dev=str(dev))
    made.read(LATER)
    yield made
    made.close()


def idle(source: Terminal, now: float) -> float:
    return source.read(now).seconds


def test_a_key_is_known_to_the_moment(source: Terminal, pty: Pty) -> None:
    pty.type()
    (fileno,) = source.filenos()
    assert select.select([fileno], [], [], 0)[0] == [fileno]
    source.ready(fileno, LATER + 0.2)
    assert source.read(LATER + 0.2).detail == f"typing on {pty.name}"
    assert idle(source, LATER + 10.2) == pytest.approx(10)


def test_a_second_key_in_the_kernels_slot_is_heard(source: Terminal, pty: Pty) -> None:
    """The access time does not move again, and no 8 s are added any more to cover that."""
    pty.type()
    source.read(LATER + 0.5)
    moved = pty.path.stat().st_atime_ns
    pty.type()
    assert pty.path.stat().st_atime_ns == moved
    assert idle(source, LATER + 3) == 0
    assert idle(source, LATER + 10) == 7


def test_a_key_between_both_witnesses_is_no_doubt(source: Terminal, pty: Pty) -> None:
    """Heard at one look, its access time seen at the next."""
    pty.type()
    source.ready(-1, LATER + 0.2)
    source.read(LATER + 0.5)
    assert idle(source, LATER + 10.5) == 10


def test_a_read_nobody_heard_counts_as_8_s_later(source: Terminal, pty: Pty) -> None:
    pty.rest()  # the access time moves, and no read is told
    assert idle(source, LATER + 1) == 0
    assert idle(source, LATER + 10) == 9 - SLOT_SECONDS


def test_what_was_heard_long_ago_explains_nothing(source: Terminal, pty: Pty) -> None:
    pty.type()
    source.read(LATER + 1)
    source.read(LATER + 2)
    pty.rest()
    source.read(LATER + 3)
    assert idle(source, LATER + 20) == 17 - SLOT_SECONDS


def test_reads_through_the_other_node_are_heard(source: Terminal, dev: Path) -> None:
    (dev / "tty").read_bytes()
    assert source.read(LATER + 1).detail == "typing on some terminal"
    assert idle(source, LATER + 10) == 9


def test_the_real_dev_tty_is_another_node(dev: Path, pty: Pty) -> None:
    """A pager or a password prompt reads there, and the watch on the terminal itself hears nothing of it."""
    (dev / "tty").unlink()
    (dev / "tty").symlink_to("/dev/tty")
    source = Terminal(0.0, dev=str(dev))
    source.read(LATER)
    with subprocess.Popen(
        [sys.executable, "-S", "-c", FROM_DEV_TTY], stdin=pty.reader, stdout=subprocess.PIPE
    ) as pager:
        os.write(pty.keyboard, b"q\n")
        assert pager.stdout is not None
        assert pager.stdout.read() == b"q\n"
    assert source.read(LATER + 1).seconds == 0
    assert idle(source, LATER + 10) == 9
    source.close()


def test_output_is_not_heard(source: Terminal, pty: Pty) -> None:
    pty.show()
    (fileno,) = source.filenos()
    assert select.select([fileno], [], [], 0)[0] == []


def test_a_fast_typist_wakes_the_agent_no_more_than_the_polls_do(source: Terminal, pty: Pty) -> None:
    pty.type()
    (fileno,) = source.filenos()
    source.ready(fileno, LATER + 1)
    source.read(LATER + 1)
    assert source.filenos() == ()
    source.read(LATER + 1 + REST_SECONDS)
    assert source.filenos() == (fileno,)


def test_another_terminal_under_an_old_name_is_a_new_one(source: Terminal, dev: Path, pty: Pty) -> None:
    source.read(LATER)
    pty.type()
    source.ready(-1, LATER + 0.1)
    number = pty.path.name
    os.close(pty.reader)
    os.close(pty.keyboard)
    pty.keyboard, pty.reader = os.openpty()
    if Path(os.ttyname(pty.reader)).name != number:
        pytest.skip("somebody else took the number meanwhile")
    source.read(LATER + 1)
    assert idle(source, LATER + 10) == 9 - SLOT_SECONDS
    pty.type()
    source.read(LATER + 11)
    assert idle(source, LATER + 20) == 9


def test_a_terminal_closed_for_good_is_watched_no_longer(source: Terminal, dev: Path) -> None:
    another = Pty(dev)
    source.read(LATER + 1)
    another.name.unlink()
    source.read(LATER + 20)
    another.type()
    assert idle(source, LATER + 21) == 20
    another.close()


def test_a_new_login_is_heard_from_the_first_moment(source: Terminal, dev: Path) -> None:
    another = Pty(dev)
    assert source.read(LATER + 1).detail == f"a new login on {another.name}"
    another.type()
    assert idle(source, LATER + 2) == 0
    assert idle(source, LATER + 10) == 8
    another.close()


def test_a_new_login_nobody_can_hear_counts_as_8_s_later(
    source: Terminal, dev: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads.Reads, "watch", lambda self, path: None)
    another = Pty(dev)
    source.read(LATER + 1)
    assert idle(source, LATER + 20) == 19 - SLOT_SECONDS
    another.close()


def test_with_ignored_people_about_nothing_is_exact(dev: Path, pty: Pty) -> None:
    """Who reads /dev/tty is not told, so it cannot vouch for anybody; nor may it blame anybody."""
    if os.geteuid() != 0:
        pytest.skip("giving a terminal to another user needs root")
    another = Pty(dev)
    os.chown(another.path, pwd.getpwnam("nobody").pw_uid, -1)
    source = Terminal(0.0, ["nobody"], dev=str(dev))
    source.read(LATER)
    (dev / "tty").read_bytes()
    assert idle(source, LATER + 1) == LATER + 1 - SLOT_SECONDS
    pty.type()
    source.read(LATER + 2)
    assert idle(source, LATER + 20) == 18 - SLOT_SECONDS
    another.close()
    another.name.unlink()


def test_exactness_that_ends_leaves_no_gap(source: Terminal, dev: Path, pty: Pty) -> None:
    pty.type()
    source.read(LATER + 1)
    (dev / "tty").unlink()
    (dev / "tty").mkdir()
    (dev / "tty").rmdir()
    source.read(LATER + 2)  # takes in that the node is gone
    source.read(LATER + 3)
    assert idle(source, LATER + 20) == 19 - SLOT_SECONDS


def test_where_watches_are_refused_access_times_go_on(
    dev: Path, pty: Pty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads.Reads, "watch", lambda self, path: None)
    source = Terminal(0.0, dev=str(dev))
    source.read(LATER)
    pty.type()
    source.read(LATER + 1)
    assert idle(source, LATER + 20) == 19 - SLOT_SECONDS
    source.close()


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "inotify"), AttributeError("inotify_init1"), ImportError("ctypes")]
)
def test_without_inotify_access_times_go_on(
    error: Exception, dev: Path, pty: Pty, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: object) -> None:
        raise error

    monkeypatch.setattr(reads.Reads, "__init__", refuse)
    source = Terminal(0.0, dev=str(dev))
    source.read(LATER)
    pty.type()
    assert source.filenos() == ()
    source.read(LATER + 1)
    assert idle(source, LATER + 20) == 19 - SLOT_SECONDS
    source.close()


def test_a_full_queue_speaks_for_all(source: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads.Reads, "take", lambda self: [(-1, reads.IN_Q_OVERFLOW)])
    assert idle(source, LATER + 1) == 0


def test_watching_costs_next_to_nothing_at_rest(source: Terminal) -> None:
    """A look is one more system call; nothing is registered anew."""
    calls: list[str] = []
    reader = source._hearing._reads
    assert reader is not None
    reader.watch = lambda path: calls.append(path)  # type: ignore[method-assign]
    source.read(LATER + 1)
    assert calls == []
