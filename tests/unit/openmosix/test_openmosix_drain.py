# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from recordings import facts

from eyrie.openmosix import boot, drain
from eyrie.openmosix.drain import Move


@pytest.mark.parametrize(
    "recording, commands",
    [
        ("idle", ("mosctl block", "mosctl bring")),
        ("home", ("mosctl block", "mosctl bring")),
        ("host", ("mosctl block", "mosctl expel", "mosctl bring")),
        ("drained", ()),
        ("off", ()),
    ],
)
def test_drain_says_what_is_missing(recording: str, commands: tuple[str, ...]) -> None:
    assert drain.drain(facts(recording)) == Move(commands, done=not commands)


def test_drain_waits_for_what_is_left() -> None:
    closed = replace(facts("host"), blocked=True, staying=True)
    assert drain.drain(closed) == Move(("mosctl expel",))
    assert drain.drain(replace(facts("home"), blocked=True, staying=True)) == Move(("mosctl bring",))


def test_resume_opens_only_what_is_closed() -> None:
    assert drain.resume(facts("drained")) == Move(("mosctl noblock", "mosctl nolstay"))
    assert drain.resume(facts("idle")).done


def test_processes_are_named() -> None:
    assert drain.left(facts("host"))[0] == "guest 177 (ash, process 901 of node 1)"
    assert drain.left(facts("home"))[0] == "process 901 on node 2"
    assert drain.left(replace(facts("home"), up=frozenset({1})))[0] == "process 901 on node 2, which is down"


def test_commands_come_before_the_wait_and_the_reading() -> None:
    script = drain.script(Move(("mosctl block",)), 5)
    assert script.index("mosctl block") < script.index("-lt 20") < script.index("eyrie-node=1")


def test_boot_is_planned_from_what_the_node_has() -> None:
    goal = boot.wanted(["10.77.0.0/24"], True, None)
    assert boot.plan(facts("ready"), goal) == ()
    bare = replace(facts("ready"), init_md5=None, firewall="closed", run_levels="/etc", daemons=("tyd",))
    assert boot.plan(bare, goal) == (
        "write /etc/init.d/openmosix",
        "link it into the run levels",
        "open the firewall between nodes",
        "stop tyd",
    )
    assert "-s 10.77.0.0/24 -p udp --dport 5000:5700 -j ACCEPT" in goal.text
    assert "start omdiscd" in boot.plan(facts("ready"), boot.wanted([], False, "eth0"))
    assert "ln -sf /etc/init.d/openmosix /etc/rc3.d/S95openmosix" in boot.apply_script(bare, goal)


def test_links_that_other_tools_left_go() -> None:
    goal = boot.wanted(["10.77.0.0/24"], True, None)
    linked = replace(facts("ready"), run_levels="/etc", links=(*boot.STARTS, *boot.STOPS))
    assert boot.plan(linked, goal) == ()
    older = replace(linked, links=(*linked.links, "rc3.d/S20openmosix"))
    assert boot.plan(older, goal) == ("link it into the run levels",)
    script = boot.apply_script(older, goal)
    assert "rm -f /etc/rc3.d/S20openmosix" in script
    assert "rm -f /etc/rc3.d/S95openmosix" not in script
