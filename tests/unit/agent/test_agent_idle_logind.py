# SPDX-License-Identifier: GPL-3.0-or-later
"""The logind source over a real message bus; logind itself is played by a FAKE with its interface."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import (
    DBusAddress,
    HeaderFields,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import Proxy, open_dbus_connection

from eyrie.agent.idle.base import Kind, Reading
from eyrie.agent.idle.logind import Logind, graphical

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed")

CONFIG = """<busconfig><type>session</type><listen>unix:path=%s</listen><policy context="default">
<allow send_destination="*"/><allow own="*"/><allow receive_sender="*"/></policy></busconfig>"""


def session(**changes: Any) -> dict[str, tuple[str, Any]]:
    """Return the properties of a wayland session in use, changed."""
    properties: dict[str, tuple[str, Any]] = {
        "Id": ("s", "2"),
        "Name": ("s", "anna"),
        "Type": ("s", "wayland"),
        "Class": ("s", "user"),
        "State": ("s", "active"),
        "Display": ("s", ""),
        "IdleHint": ("b", False),
        "IdleSinceHintMonotonic": ("t", 0),
        "LockedHint": ("b", False),
    }
    return {key: (kind, changes.get(key, value)) for key, (kind, value) in properties.items()}


class FakeLogind(threading.Thread):
    """Answers ListSessions and GetAll, and says when something changes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.sessions: dict[str, dict[str, tuple[str, Any]]] = {}
        self.broken = False
        self.link = open_dbus_connection("SYSTEM")
        assert Proxy(message_bus, self.link).RequestName("org.freedesktop.login1") == (1,)
        self.start()

    def run(self) -> None:
        try:
            while True:
                self._answer(self.link.receive())
        except (OSError, ValueError):
            return

    def _answer(self, message: Any) -> None:
        if message.header.message_type is not MessageType.method_call:
            return
        fields = message.header.fields
        path = fields[HeaderFields.path]
        if self.broken:
            self.link.send(new_error(message, "org.freedesktop.DBus.Error.Failed"))
        elif fields[HeaderFields.member] == "ListSessions":
            rows = [(name, 1000, "anna", "seat0", self._path(name)) for name in self.sessions]
            self.link.send(new_method_return(message, "a(susso)", (rows,)))
        else:
            body = self.sessions[path.rsplit("_", 1)[1]]
            self.link.send(new_method_return(message, "a{sv}", (body,)))

    def _path(self, name: str) -> str:
        return f"/org/freedesktop/login1/session/_{name}"

    def put(self, name: str, properties: dict[str, tuple[str, Any]]) -> None:
        """Change a session and tell the bus."""
        new = name not in self.sessions
        self.sessions[name] = properties
        if new:
            where = DBusAddress("/org/freedesktop/login1", interface="org.freedesktop.login1.Manager")
            self.link.send(new_signal(where, "SessionNew", "so", (name, self._path(name))))
        else:
            where = DBusAddress(self._path(name), interface="org.freedesktop.DBus.Properties")
            body = ("org.freedesktop.login1.Session", {}, ["IdleHint"])
            self.link.send(new_signal(where, "PropertiesChanged", "sa{sv}as", body))


class Bus:
    """A message bus of one's own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bus"
        (folder / "bus.conf").write_text(CONFIG % self.path)
        words = ["dbus-daemon", "--nofork", "--print-address", f"--config-file={folder / 'bus.conf'}"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def source(self, **options: Any) -> Logind:
        return Logind(socket_path=self.path, **options)

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    running = Bus(tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", running.address)
    yield running
    running.stop()


def heard(source: Logind) -> Reading:
    """Return the reading once the bus has told of a change."""
    import select

    poller = select.poll()
    for fileno in source.filenos():
        poller.register(fileno, select.POLLIN)
    for fileno, _event in poller.poll(2000):
        source.ready(fileno, time.monotonic())
    return source.read(time.monotonic())


def test_a_wayland_session_in_use_idle_locked_and_closed(bus: Bus) -> None:
    logind = FakeLogind()
    source = bus.source()
    assert source.read(time.monotonic()).kind is Kind.ABSENT
    logind.put("2", session())
    used = heard(source)
    assert (used.seconds, used.detail) == (0.0, "the wayland session of anna is in use")
    since = int((time.monotonic() - 600) * 1e6)
    logind.put("2", session(IdleHint=True, IdleSinceHintMonotonic=since))
    assert 599 < heard(source).seconds < 610
    logind.put("2", session(LockedHint=True))
    locked = heard(source)
    assert "locked" in locked.detail
    assert source.read(time.monotonic() + 50).seconds >= 50
    logind.put("2", session(State="closing"))
    assert heard(source).kind is Kind.ABSENT
    source.close()


def test_several_users_all_must_be_idle(bus: Bus) -> None:
    logind = FakeLogind()
    logind.sessions["2"] = session(IdleHint=True, IdleSinceHintMonotonic=1)
    logind.sessions["3"] = session(Id="3", Name="ben")
    source = bus.source()
    assert source.read(time.monotonic()).detail == "the wayland session of ben is in use"
    ignoring = bus.source(ignored_users=["ben"])
    assert ignoring.read(time.monotonic()).seconds > 1


def test_an_x11_session_that_is_measured_needs_no_hint(bus: Bus) -> None:
    logind = FakeLogind()
    logind.sessions["2"] = session(Type="x11", Display=":0")
    assert bus.source(measured=lambda: frozenset({":0"})).read(time.monotonic()).kind is Kind.ABSENT
    assert bus.source(measured=lambda: frozenset({":1"})).read(time.monotonic()).kind is Kind.IDLE


def test_a_bus_without_logind_is_not_present(bus: Bus) -> None:
    assert bus.source().read(time.monotonic()).kind is Kind.ABSENT


def test_no_bus_is_not_present(tmp_path: Path) -> None:
    assert Logind(socket_path=tmp_path / "none").read(0.0).kind is Kind.ABSENT


def test_errors_with_sessions_possible_are_unknown(bus: Bus) -> None:
    logind = FakeLogind()
    logind.broken = True
    assert bus.source().read(time.monotonic()).kind is Kind.UNKNOWN
    logind.broken = False
    source = bus.source()
    assert source.read(time.monotonic()).kind is Kind.ABSENT
    bus.stop()
    assert heard(source).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    "change", [{"Type": "tty"}, {"Type": "unspecified"}, {"Class": "greeter"}, {"State": "closing"}]
)
def test_what_is_no_session_of_a_person_at_a_screen(change: dict[str, str]) -> None:
    plain = {key: value for key, (_kind, value) in session(**change).items()}
    assert graphical(plain) is None
