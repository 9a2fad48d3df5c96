# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch: who gets which frame, as tables, and as whatever hypothesis thinks of."""

from __future__ import annotations

import pytest
from ethernet import BROADCAST, ethernet, ipv4
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from eyrie.errors import EyrieError
from eyrie.hub.guard import Grant, parse_address, parse_mac
from eyrie.hub.switch import QUEUE_BYTES, TRUNK, Port, Switch

NAMES = ("desk-1", "desk-2", "desk-3")
MASTER, VISITOR = "52:54:00:00:00:01", "52:54:00:00:00:02"
MAC = {name: f"02:00:00:00:00:0{number}" for number, name in enumerate(NAMES, 1)} | {TRUNK: MASTER}


def grant(name: str, address: str = "") -> Grant:
    return Grant(name, frozenset({parse_mac(MAC[name])}), parse_address(address))


def switch(*names: str, trunk: bool = True, flood: float = 1000) -> tuple[Switch, dict[str, Port]]:
    """Return a switch that knows all three, with some of them connected."""
    made = Switch([grant(name) for name in NAMES], 1500, flood)
    ports = {name: made.attach(name) for name in names}
    assert all(ports.values())
    found = {name: port for name, port in ports.items() if port}
    return made, found | ({TRUNK: made.attach_trunk()} if trunk else {})


def receivers(made: Switch) -> set[str]:
    """Empty the switch as the server does; return who got something."""
    got = {port.name for port in made.dirty if port.take()}
    made.dirty.clear()
    return got


CASES = [
    ("guest to guest", "desk-1", ipv4(MAC["desk-1"], MAC["desk-2"]), {"desk-2"}, ""),
    ("guest to master", "desk-1", ipv4(MAC["desk-1"], MASTER), {TRUNK}, ""),
    ("master to guest", TRUNK, ipv4(MASTER, MAC["desk-1"]), {"desk-1"}, ""),
    ("guest to itself", "desk-1", ipv4(MAC["desk-1"], MAC["desk-1"]), set(), "nobody"),
    ("guest to one that is away", "desk-1", ipv4(MAC["desk-1"], MAC["desk-3"]), set(), "nobody"),
    ("master to nobody here", TRUNK, ipv4(MASTER, VISITOR), set(), "nobody"),
    ("guest to all", "desk-1", ipv4(MAC["desk-1"], BROADCAST), {"desk-2", TRUNK}, ""),
    ("guest to a group", "desk-1", ipv4(MAC["desk-1"], "01:00:5e:00:00:fb"), {"desk-2", TRUNK}, ""),
    ("master to all", TRUNK, ipv4(MASTER, BROADCAST), {"desk-1", "desk-2"}, ""),
    ("guest as another guest", "desk-1", ipv4(MAC["desk-2"], MASTER), set(), "source-mac"),
    ("guest as the master", "desk-1", ipv4(MASTER, MAC["desk-2"]), set(), "source-mac"),
    ("a guest's MAC outside", TRUNK, ipv4(MAC["desk-1"], MAC["desk-2"]), set(), "guest-mac"),
    ("spanning tree", TRUNK, ethernet(MASTER, "01:80:c2:00:00:00", 0x26, bytes(50)), set(), "link-local"),
    (
        "VLAN from the master's side",
        TRUNK,
        ethernet(MASTER, MAC["desk-1"], 0x8100, bytes(50)),
        {"desk-1"},
        "",
    ),
    ("as long as may be", "desk-1", ipv4(MAC["desk-1"], MASTER, payload=bytes(1480)), {TRUNK}, ""),
    ("too long", "desk-1", ipv4(MAC["desk-1"], MASTER, payload=bytes(1485)), set(), "length"),
    ("too short", "desk-1", ipv4(MAC["desk-1"], MASTER)[:13], set(), "length"),
]


@pytest.mark.parametrize(
    ("source", "frame", "to", "dropped"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_who_gets_it(source: str, frame: bytes, to: set[str], dropped: str) -> None:
    made, ports = switch("desk-1", "desk-2")
    made.forward(ports[source], [frame], 1.0)
    assert receivers(made) == to
    assert ports[source].counters.dropped == ({dropped: 1} if dropped else {})


def test_without_a_trunk_guests_still_reach_one_another() -> None:
    made, ports = switch("desk-1", "desk-2", trunk=False)
    made.forward(ports["desk-1"], [ipv4(MAC["desk-1"], MAC["desk-2"]), ipv4(MAC["desk-1"], MASTER)], 1.0)
    assert receivers(made) == {"desk-2"}
    assert ports["desk-1"].counters.dropped == {"nobody": 1}


def test_a_storm_is_bounded_and_what_is_for_one_still_passes() -> None:
    made, ports = switch("desk-1", "desk-2", flood=10)
    storm = [ipv4(MAC["desk-1"], BROADCAST)] * 50
    made.forward(ports["desk-1"], storm, 100.0)
    assert len(ports["desk-2"].take()) == 20
    made.forward(ports["desk-1"], [*storm, ipv4(MAC["desk-1"], MAC["desk-2"])], 101.0)
    assert len(ports["desk-2"].take()) == 10 + 1
    assert ports["desk-1"].counters.dropped == {"storm": 30 + 40}


def test_a_slow_guest_loses_frames_and_holds_up_nobody() -> None:
    made, ports = switch("desk-1", "desk-2", "desk-3")
    frame = ipv4(MAC["desk-1"], MAC["desk-2"], payload=bytes(1400))
    many = 2 * QUEUE_BYTES // len(frame)
    made.forward(ports["desk-1"], [frame] * many, 1.0)
    made.forward(ports["desk-1"], [ipv4(MAC["desk-1"], MAC["desk-3"])], 1.0)
    assert len(ports["desk-3"].take()) == 1
    kept = ports["desk-2"].take()
    assert sum(map(len, kept)) <= QUEUE_BYTES
    assert ports["desk-2"].counters.dropped == {"queue-full": many - len(kept)}
    made.forward(ports["desk-1"], [frame], 1.0)
    assert ports["desk-2"].take() == [frame]


def test_a_second_connection_of_a_name_takes_the_first_ones_place() -> None:
    made, ports = switch("desk-1", "desk-2")
    newer = made.attach("desk-1")
    assert newer and not made.is_attached(ports["desk-1"])
    made.forward(ports["desk-1"], [ipv4(MAC["desk-1"], MAC["desk-2"])], 1.0)
    assert receivers(made) == set()
    made.detach(ports["desk-1"])  # its connection ends later
    made.forward(ports["desk-2"], [ipv4(MAC["desk-2"], MAC["desk-1"])], 1.0)
    assert len(newer.take()) == 1


def test_a_name_that_is_not_in_the_list_gets_no_port() -> None:
    made, _ = switch()
    assert made.attach("desk-9") is None
    assert made.attach(TRUNK) is None


def test_a_new_list_puts_out_whoever_lost_or_changed_his_place() -> None:
    made, ports = switch("desk-1", "desk-2", "desk-3")
    gone = made.regrant([grant("desk-1"), grant("desk-2", "10.88.0.2")])
    assert {port.name for port in gone} == {"desk-2", "desk-3"}
    assert made.is_attached(ports["desk-1"]) and made.is_attached(ports[TRUNK])
    made.forward(ports["desk-1"], [ipv4(MAC["desk-1"], MAC["desk-3"])], 1.0)
    assert receivers(made) == {TRUNK}, "what is no guest's any more may be anybody's outside"


@pytest.mark.parametrize(
    ("grants", "wanted"),
    [
        ([grant("desk-1"), grant("desk-1")], "every desktop once"),
        ([grant("desk-1"), Grant("desk-2", frozenset({parse_mac(MAC["desk-1"])}))], "one guest for each"),
        ([grant("desk-1", "10.88.0.1"), grant("desk-2", "10.88.0.1")], "one guest for each"),
    ],
)
def test_what_two_guests_cannot_share(grants: list[Grant], wanted: str) -> None:
    with pytest.raises(EyrieError, match=wanted):
        Switch(grants, 1500, 100)


class AnySwitch(RuleBasedStateMachine):
    """Whatever comes and goes: no guest gets what is not for it, and nothing comes from a false source."""

    def __init__(self) -> None:
        super().__init__()
        self.switch = Switch([grant(name) for name in NAMES], 1500, 5)
        self.ports: dict[str, Port] = {}
        self.now = 1.0

    @rule(name=st.sampled_from(NAMES))
    def come(self, name: str) -> None:
        port = self.switch.attach(name)
        assert port is not None
        self.ports[name] = port

    @rule()
    def join_trunk(self) -> None:
        self.ports[TRUNK] = self.switch.attach_trunk()

    @rule(name=st.sampled_from([*NAMES, TRUNK]))
    def go(self, name: str) -> None:
        if name in self.ports:
            self.switch.detach(self.ports.pop(name))

    @rule(
        name=st.sampled_from([*NAMES, TRUNK]),
        source=st.sampled_from([*MAC.values(), VISITOR, BROADCAST]),
        to=st.sampled_from([*MAC.values(), VISITOR, BROADCAST]),
        size=st.integers(0, 3000),
        later=st.floats(0, 2),
    )
    def send(self, name: str, source: str, to: str, size: int, later: float) -> None:
        self.now += later
        if name not in self.ports:
            return
        before = dict(self.ports[name].counters.dropped)
        frame = ipv4(source, to, payload=bytes(size))
        self.switch.forward(self.ports[name], [frame], self.now)
        got = receivers(self.switch)
        assert name not in got
        assert len(frame) <= 1518 or not got
        honest = source == MAC[name] if name else source not in [MAC[each] for each in NAMES]
        assert honest or not got
        for each in got - {TRUNK}:
            assert to in (MAC[each], BROADCAST)
        if not got and set(self.ports) - {name}:
            assert self.ports[name].counters.dropped != before or to == BROADCAST

    @invariant()
    def ports_are_the_ones_that_came(self) -> None:
        assert {port.name for port in self.switch.ports()} == set(self.ports)
        assert self.switch.dirty == set()


AnySwitch.TestCase.settings = settings(stateful_step_count=30)
TestAnySwitch = AnySwitch.TestCase
