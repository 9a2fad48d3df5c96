# SPDX-License-Identifier: GPL-3.0-or-later
"""One ladder for every backend: the whole agent over a FAKE guest, and over coLinux with a PLAYED Windows."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from agent_world import Desktop, config
from played_colinux import PlayedDaemon, PlayedWindows

from eyrie.agent import config as agent_config
from eyrie.guests.windows.colinux import ColinuxBackend

GRACE = 30


class Player(Protocol):
    """Plays the guest, and tells what was done to it."""

    desktop: Desktop

    def start_engine(self) -> None:
        """It boots: ending it from outside would cost something."""

    def join(self) -> None:
        """It takes its place in the pool."""

    def leave(self) -> None:
        """It does what it was asked to, and ends."""

    def fail(self) -> None:
        """It ends by itself."""

    def calls(self) -> list[str]:
        """What was done to the guests, all of them, in order."""

    def alive(self) -> int:
        """How many there are."""


class FakePlayer:
    """The guest of the agent's other tests."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop
        desktop.write_config(evict__grace_seconds=GRACE)

    def start_engine(self) -> None:
        self.desktop.guest.say("state engine-starting")

    def join(self) -> None:
        self.desktop.guest.say("state joined")

    def leave(self) -> None:
        self.desktop.guest.die(0)

    def fail(self) -> None:
        self.desktop.guest.die(1)

    def calls(self) -> list[str]:
        names = {"pause": "hold", "resume": "release", "kill": "kill"}
        every = [call for guest in self.desktop.backend.guests for call in guest.calls]
        return [names.get(call, "ask") for call in every]

    def alive(self) -> int:
        return len(self.desktop.backend.alive)


class ColinuxPlayer:
    """coLinux' backend on a played Windows; its guest shuts down when the test says so."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop, self.windows = desktop, PlayedWindows()
        self.windows.halts, self.windows.helpers = False, set()
        desktop.backend = ColinuxBackend(self.windows)  # type: ignore[assignment] # another one
        (desktop.root / "root_fs").touch()
        data = config(pool__port=desktop.master.getsockname()[1], evict__grace_seconds=GRACE)
        data["pool"]["engine"] = "none"
        data["guest"] = {
            "backend": "colinux",
            "folder": str(desktop.root),
            "service": "EyrieGuest",
            "network": "bridge",
            "image": str(desktop.root / "root_fs"),
            "image_id": "0.6.1",
        }
        desktop.paths.config.write_text(json.dumps(data))

    def _daemon(self) -> PlayedDaemon:
        daemon = self.windows.daemon_now
        assert daemon is not None
        return daemon

    def start_engine(self) -> None:
        return  # its file system is mounted from the first moment on

    def join(self) -> None:
        self.windows.helpers = {"colinux-bridged-net-daemon.exe"}

    def leave(self) -> None:
        until(lambda: self.windows.stops)
        self._daemon().shut_down()
        until(lambda: not self.alive())

    def fail(self) -> None:
        self._daemon().shut_down()  # as after a panic, which tells nobody
        until(lambda: not self.alive())

    def calls(self) -> list[str]:
        every = [call for daemon in self.windows.daemons for call in daemon.calls]
        names = ["kill" if call == "terminate" else call for call in every if call != "shut down"]
        return names + ["ask"] * self.windows.stops

    def alive(self) -> int:
        return int(self.windows.daemon_now is not None)


def until(seen: Callable[[], object]) -> None:
    """Wait, in real time, for what a thread or a process does."""
    end = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(params=["fake", "colinux"])
def player(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Player]:
    both = dataclasses.replace(agent_config.LINUX, backends=("qemu", "colinux"))
    monkeypatch.setattr(agent_config, "own_system", lambda: both)
    desktop = Desktop(tmp_path)
    made = FakePlayer(desktop) if request.param == "fake" else ColinuxPlayer(desktop)
    yield made
    if isinstance(made, ColinuxPlayer):
        made.windows.close()
    desktop.close()


def joined(player: Player) -> Player:
    player.desktop.start()
    player.join()
    player.desktop.passes(1)
    assert player.desktop.state == "joined"
    return player


def asked(player: Player) -> bool:
    return "ask" in player.calls()


def test_it_joins_while_the_owner_is_away_and_not_before(player: Player) -> None:
    player.desktop.owner.idle = 5.0
    player.desktop.start()
    assert (player.desktop.state, player.alive()) == ("idle-wait", 0)
    player.desktop.owner.idle = 1000.0
    player.desktop.passes(1)
    assert (player.desktop.state, player.alive()) == ("starting", 1)
    player.join()
    player.desktop.passes(1)
    assert (player.desktop.state, player.calls()) == ("joined", [])


def test_a_key_holds_it_at_once_then_it_is_asked_and_leaves_in_order(player: Player) -> None:
    desktop = joined(player).desktop
    desktop.owner.idle = 0.0
    desktop.passes(0.5)
    assert (desktop.state, player.calls()) == ("evicting", ["hold"])
    desktop.passes(2)
    until(lambda: asked(player))
    assert player.calls() == ["hold", "release", "ask"]
    player.leave()
    desktop.passes(0.5)
    assert (desktop.state, player.alive()) == ("busy", 0)
    assert "kill" not in player.calls()


def test_it_comes_back_when_the_owner_has_left_again(player: Player) -> None:
    desktop = joined(player).desktop
    desktop.owner.idle = 0.0
    desktop.passes(2)
    until(lambda: asked(player))
    player.leave()
    desktop.passes(1)
    desktop.owner.idle = 1000.0
    desktop.passes(2)
    assert player.alive() == 1
    player.join()
    desktop.passes(1)
    assert desktop.state == "joined"


def test_one_that_does_not_leave_is_killed_when_its_time_is_over_and_not_before(player: Player) -> None:
    desktop = joined(player).desktop
    desktop.owner.idle = 0.0
    desktop.passes(GRACE - 2)
    assert player.alive() == 1
    assert "kill" not in player.calls()
    desktop.passes(2)
    assert (desktop.state, player.alive()) == ("busy", 0)
    assert "kill" in player.calls()


def test_an_owner_who_comes_while_it_starts_has_it_asked_and_not_killed(player: Player) -> None:
    player.desktop.start()
    player.start_engine()
    player.desktop.passes(0.5)
    player.desktop.owner.idle = 0.0
    player.desktop.passes(2)
    until(lambda: asked(player))
    assert (player.desktop.state, player.calls()) == ("evicting", ["hold", "release", "ask"])


def test_one_that_never_joins_is_asked_before_it_is_killed(player: Player) -> None:
    player.desktop.start()
    player.start_engine()
    while player.desktop.state == "starting":
        player.desktop.passes(0.5)
    until(lambda: asked(player))
    assert (player.desktop.state, player.calls()) == ("evicting", ["ask"])
    while player.desktop.state == "evicting":
        player.desktop.passes(0.5)
    assert (player.desktop.state, player.alive()) == ("failed", 0)
    assert "did not join within 120 s" in player.desktop.ask("status")["reason"]


def test_one_that_ends_by_itself_is_a_failure_and_tried_again(player: Player) -> None:
    desktop = joined(player).desktop
    player.fail()
    desktop.passes(0.5)
    assert desktop.state == "failed"
    assert "ended by itself" in desktop.ask("status")["reason"]
    desktop.passes(15)
    assert player.alive() == 1


@pytest.mark.parametrize("player", ["colinux"], indirect=True)
def test_a_guest_that_lost_its_network_leaves_in_order_and_is_replaced(
    player: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(player, ColinuxPlayer)
    desktop = joined(player).desktop
    player.windows.helpers = set()
    desktop.passes(0.5)
    player.leave()
    desktop.passes(0.5)
    assert desktop.state == "failed"
    assert "colinux-bridged-net-daemon.exe is gone" in desktop.ask("status")["reason"]
    assert "the guest's memory is free again: 512 MiB" in capsys.readouterr().err
    desktop.passes(15)
    assert (player.alive(), player.calls()) == (1, ["ask"])


def test_unknown_means_busy(player: Player) -> None:
    desktop = joined(player).desktop
    desktop.owner.idle = None
    desktop.passes(0.5)
    assert (desktop.state, player.calls()) == ("evicting", ["hold"])
