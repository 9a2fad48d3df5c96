# SPDX-License-Identifier: GPL-3.0-or-later
"""Load, calendar and input devices; and how readings are taken together."""

from __future__ import annotations

import calendar as months
import math
import os
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.agent.idle.base import Kind, Reading, combine
from eyrie.agent.idle.calendar import Calendar, Window, parse_time
from eyrie.agent.idle.input_devices import EV_ABS, EV_KEY, EVENT, InputDevices
from eyrie.agent.idle.load import Load, total_reader

PEOPLE = frozenset({"terminal", "x11"})

readings = st.builds(
    Reading,
    source=st.sampled_from(["terminal", "x11", "load", "calendar"]),
    kind=st.sampled_from(list(Kind)),
    seconds=st.floats(0, 1e6),
)


@given(st.lists(readings))
def test_all_must_be_idle_and_unknown_means_busy(given_readings: list[Reading]) -> None:
    taken = combine(given_readings, PEOPLE)
    kinds = {reading.kind for reading in given_readings}
    watched = any(each.kind is Kind.IDLE and each.source in PEOPLE for each in given_readings)
    if Kind.UNKNOWN in kinds or not watched:
        assert taken.seconds is None
        assert taken.reason
    else:
        assert taken.seconds == min(each.seconds for each in given_readings if each.kind is Kind.IDLE)


# --- calendar


def _wall(day: int, clock: str) -> float:
    """Return a moment of the week of Monday 2026-11-16, local time."""
    minutes = parse_time(clock)
    return time.mktime((2026, 11, 16 + day, minutes // 60, minutes % 60, 0, 0, 0, -1))


@pytest.mark.parametrize(
    ("days", "start", "end", "day", "clock", "busy"),
    [
        ([0, 4], "08:00", "18:00", 0, "08:00", True),
        ([0, 4], "08:00", "18:00", 0, "18:00", False),
        ([0, 4], "08:00", "18:00", 1, "12:00", False),
        ([4], "22:00", "06:00", 4, "23:00", True),
        ([4], "22:00", "06:00", 5, "05:59", True),
        ([4], "22:00", "06:00", 4, "05:59", False),
        ([6], "22:00", "06:00", 0, "03:00", True),
        ([2], "00:00", "24:00", 2, "23:59", True),
        ([2], "00:00", "00:00", 3, "00:00", False),
    ],
)
def test_calendar_windows(days: list[int], start: str, end: str, day: int, clock: str, busy: bool) -> None:
    assert months.weekday(2026, 11, 16) == 0
    window = Window(frozenset(days), parse_time(start), parse_time(end))
    reading = Calendar([window], wall=lambda: _wall(day, clock)).read(0.0)
    assert reading.seconds == (0.0 if busy else math.inf)


def test_no_windows_is_not_present() -> None:
    assert Calendar([]).read(0.0).kind is Kind.ABSENT


# --- load


class Meter:
    """Processor time counters the test moves."""

    def __init__(self, limit: float = 30) -> None:
        self.total = self.guest = 0.0
        self.source = Load(0.0, limit, lambda: self.guest, lambda: self.total, cores=2)
        self.now = 0.0

    def run(self, seconds: int, total: float, guest: float = 0.0) -> Reading:
        """Let time pass with so many cores in use."""
        for _ in range(seconds):
            self.now += 1
            self.total += total
            self.guest += guest
            reading = self.source.read(self.now)
        return reading


def test_foreign_work_above_the_limit_is_busy_and_its_end_is_idle() -> None:
    meter = Meter()
    assert meter.run(30, total=0.5).seconds >= 25  # 25 % of two cores
    assert meter.run(10, total=1.0).seconds < 2
    assert meter.run(30, total=0.2).seconds > 15


def test_a_limit_of_all_switches_the_source_off_whatever_the_clocks_say() -> None:
    meter = Meter(limit=100)
    assert meter.run(60, total=2.1).seconds >= 55  # two cores cannot do more than 2


def test_the_guests_own_work_is_not_foreign() -> None:
    meter = Meter()
    assert meter.run(60, total=1.1, guest=1.0).seconds >= 55


def test_a_short_burst_does_not_count() -> None:
    meter = Meter()
    meter.run(30, total=0.1)
    assert meter.run(1, total=2.0).seconds > 20


def test_a_counter_that_cannot_be_read_is_unknown() -> None:
    def broken() -> float:
        raise OSError("gone")

    assert Load(0.0, 30, lambda: 0.0, broken).read(1.0).kind is Kind.UNKNOWN


def test_cgroup_usage_is_preferred_and_proc_stat_read_else(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 9999 8888 10 20 20 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert total_reader(tmp_path, stat)() == 200 / os.sysconf("SC_CLK_TCK")
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert total_reader(tmp_path, stat)() == 2.5


def test_this_machines_counter_grows_with_work() -> None:
    read = total_reader()
    before, own = read(), time.process_time()
    while time.process_time() - own < 0.1:
        pass
    assert read() - before >= 0.05


# --- input devices: FIFOs stand in for the event devices, with the kernel's own record layout

PRESS = EVENT.pack(0, 0, EV_KEY, 30, 1)
TREMBLE = EVENT.pack(0, 0, EV_ABS, 0, 127)


class Desk:
    """A directory of devices."""

    def __init__(self, root: Path) -> None:
        self.dev, self.sysfs = root / "input", root / "class"
        self.dev.mkdir()
        self.writers: dict[str, int] = {}

    def plug(self, name: str, ev: int, key: int = 0, properties: int = 0) -> None:
        capabilities = self.sysfs / name / "device" / "capabilities"
        capabilities.mkdir(parents=True)
        size = struct.calcsize("@l") * 8
        words = [f"{key >> shift & (1 << size) - 1:x}" for shift in range(512, -1, -size)]
        (capabilities / "ev").write_text(f"{ev:x}\n")
        (capabilities / "key").write_text(" ".join(words) + "\n")
        (capabilities.parent / "properties").write_text(f"{properties:x}\n")
        os.mkfifo(self.dev / name)
        self.writers[name] = os.open(self.dev / name, os.O_RDWR | os.O_NONBLOCK)
        self.touch()

    def unplug(self, name: str) -> None:
        os.close(self.writers.pop(name))
        (self.dev / name).unlink()
        self.touch()

    def touch(self) -> None:
        """Give the directory a change time of its own, however fast the test runs."""
        self.stamp = getattr(self, "stamp", 0) + 1
        os.utime(self.dev, ns=(self.stamp, self.stamp))

    def send(self, name: str, data: bytes) -> None:
        os.write(self.writers[name], data)

    def source(self) -> InputDevices:
        return InputDevices(0.0, str(self.dev), str(self.sysfs))


KEYBOARD = 0b10_0011 | 1 << 0x14


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_key_wakes_the_agent_and_counts(desk: Desk) -> None:
    desk.plug("event0", KEYBOARD)
    source = desk.source()
    assert source.read(50.0).seconds == 50
    (fileno,) = source.filenos()
    desk.send("event0", PRESS)
    source.ready(fileno, 60.0)
    reading = source.read(60.0)
    assert (reading.seconds, reading.detail) == (0.0, f"used {desk.dev}/event0")
    source.close()


def test_a_device_in_use_is_not_listened_to_until_the_next_poll(desk: Desk) -> None:
    """Else a moving mouse would wake the agent a thousand times a second."""
    desk.plug("event0", KEYBOARD)
    source = desk.source()
    (fileno,) = source.filenos()
    desk.send("event0", PRESS)
    source.ready(fileno, 60.0)
    assert source.filenos() == []
    desk.send("event0", PRESS)
    assert source.read(61.0).seconds == 0
    assert source.filenos() == []
    assert source.read(62.0).seconds == 1
    assert source.filenos() == [fileno]
    source.close()


def test_a_trembling_joystick_is_nobody_but_its_buttons_are(desk: Desk) -> None:
    desk.plug("event0", 1 << EV_KEY | 1 << EV_ABS, key=1 << 0x120)
    source = desk.source()
    (fileno,) = source.filenos()
    desk.send("event0", TREMBLE)
    source.ready(fileno, 60.0)
    assert source.read(60.0).seconds == 60
    desk.send("event0", PRESS)
    source.ready(fileno, 61.0)
    assert source.read(61.0).seconds == 0
    source.close()


def test_a_touch_screen_counts(desk: Desk) -> None:
    desk.plug("event0", 1 << EV_KEY | 1 << EV_ABS, key=1 << 0x14A)
    source = desk.source()
    (fileno,) = source.filenos()
    desk.send("event0", TREMBLE)
    source.ready(fileno, 60.0)
    assert source.read(60.0).seconds == 0
    source.close()


def test_sensors_and_beepers_are_no_input_devices(desk: Desk) -> None:
    desk.plug("event0", 1 << EV_KEY | 1 << EV_ABS, properties=1 << 6)
    desk.plug("event1", 1 << 0x12)
    source = desk.source()
    assert source.read(50.0).kind is Kind.ABSENT


def test_devices_come_and_go(desk: Desk) -> None:
    source = desk.source()
    assert source.read(50.0).kind is Kind.ABSENT
    desk.plug("event3", KEYBOARD)
    reading = source.read(60.0)
    assert (reading.seconds, reading.detail) == (0.0, f"plugged in {desk.dev}/event3")
    desk.unplug("event3")
    assert source.read(61.0).kind is Kind.ABSENT
    assert source.filenos() == []


def test_no_input_directory_is_not_present(tmp_path: Path) -> None:
    assert InputDevices(0.0, str(tmp_path / "none"), str(tmp_path)).read(1.0).kind is Kind.ABSENT
