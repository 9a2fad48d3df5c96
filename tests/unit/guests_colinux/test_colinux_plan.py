# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner's laws, on a model of a desktop."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.guests.colinux.install import Wanted, absent, present
from eyrie.guests.colinux.install.model import DRIVER_FILE, KERNEL, PROGRAM, RUNNING, START, STOPPED, Service
from eyrie.guests.colinux_names import HELPERS
from tests.unit.guests_colinux.colinux_machine import Machine, wanted

RELEASES = st.sampled_from(["0.6.1", "0.6.4", "0.7.9"])
WANTED = st.builds(
    wanted,
    RELEASES,
    image=st.sampled_from(["i1", "i2"]),
    start=st.sampled_from(["auto", "demand"]),
    running=st.booleans(),
)


def converge(machine: Machine, want: Wanted, cut_after: int | None = None, *, middle: bool = False) -> None:
    """Do what is planned; perhaps cut the power after so many steps, or in the middle of the next."""
    for number, step in enumerate(present(machine.look(), want)):
        if number == cut_after:
            machine.cut_power(step if middle else None)
            return
        machine.do(step, want)


def verbs(machine: Machine, want: Wanted) -> list[str]:
    return [step.verb for step in present(machine.look(), want)]


def assert_right(machine: Machine, want: Wanted) -> None:
    assert present(machine.look(), want) == []
    assert machine.daemon == machine.helper == want.running or want.running is None
    assert machine.driver == (RUNNING, want.files[DRIVER_FILE])
    assert machine.files is not None and want.files.items() <= machine.files.items()
    assert not [name for name in machine.files if name.endswith((".new", ".b64"))]


@given(WANTED)
def test_a_clean_desktop_gets_a_guest_and_a_second_run_nothing(want: Wanted) -> None:
    machine = Machine()
    converge(machine, want)
    assert_right(machine, want)


@given(WANTED, WANTED, st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=3))
def test_whatever_was_there_and_wherever_power_was_cut_a_rerun_repairs(
    before: Wanted, want: Wanted, cuts: list[tuple[int, bool]]
) -> None:
    machine = Machine()
    converge(machine, before)
    for after, middle in cuts:
        converge(machine, want, after, middle=middle)
    converge(machine, want)
    assert_right(machine, want)


@given(WANTED, st.integers(0, 20), st.booleans(), st.integers(0, 8))
def test_absent_leaves_nothing_and_may_be_cut_off_too(
    want: Wanted, cut: int, middle: bool, cut_absent: int
) -> None:
    machine = Machine()
    converge(machine, want, cut, middle=middle)
    for number, step in enumerate(absent(machine.look(), want)):
        if number == cut_absent:
            machine.cut_power()
            break
        machine.do(step, want)
    for step in absent(machine.look(), want):
        machine.do(step, want)
    assert absent(machine.look(), want) == []
    assert (machine.files, machine.driver, machine.service, machine.events) == (None, None, None, "")
    assert not machine.daemon


AGENTS = st.builds(
    lambda want: replace(want, start="agent", running=None),
    st.builds(wanted, RELEASES, image=st.sampled_from(["i1", "i2"])),
)


@given(WANTED | AGENTS, AGENTS, st.lists(st.integers(0, 20), max_size=2), st.data())
def test_the_agent_may_start_its_guest_at_any_time_and_nothing_is_replaced_under_it(
    before: Wanted, want: Wanted, cuts: list[int], data: st.DataObject
) -> None:
    """The model refuses what a desktop would: a file in use, a driver with guests, a service that runs."""
    machine = Machine()
    converge(machine, before)
    for cut in [*cuts, 99]:
        for number, step in enumerate(present(machine.look(), want)):
            if data.draw(st.booleans()):
                machine.agent_starts()
            machine.do(step, want)
            if number == cut:
                machine.cut_power()
                break
    assert_right(machine, want)
    assert machine.service and machine.service.start == START["demand"]
    assert not machine.service.recovery[1], "Windows would start it behind the agent's back"


def test_an_agents_guest_is_neither_started_nor_stopped_without_need() -> None:
    machine, want = Machine(), replace(wanted(), start="agent", running=None)
    converge(machine, want)
    assert_right(machine, want)
    assert not machine.daemon
    machine.agent_starts()
    assert machine.daemon and present(machine.look(), want) == []
    machine.helper = False  # the agent sees to that
    assert present(machine.look(), want) == []
    assert machine.files
    machine.files[KERNEL] = "another"
    assert verbs(machine, want) == ["hold-service", "stop", "put", "configure-service", "set-recovery"]


def test_outside_its_hours_a_guest_is_left_as_it_is_and_stopped_only_for_a_change() -> None:
    machine, want = running()
    asis = replace(want, running=None)
    assert present(machine.look(), asis) == []
    assert machine.files
    machine.files[KERNEL] = "another"
    assert verbs(machine, asis) == ["stop", "put"]
    converge(machine, asis)
    assert not machine.daemon and present(machine.look(), asis) == []
    assert verbs(machine, want) == ["start"]


def running() -> tuple[Machine, Wanted]:
    machine, want = Machine(), wanted()
    converge(machine, want)
    return machine, want


def test_a_guest_is_told_before_anything_of_it_is_replaced() -> None:
    machine, _old = running()
    steps = verbs(machine, wanted("0.7.9"))
    assert steps[:3] == ["stop", "remove-service", "remove-driver"]
    assert steps.index("put") > steps.index("remove-driver") and steps[-1] == "start"


def test_a_driver_that_is_there_and_not_started_is_installed_anew() -> None:
    machine, want = running()
    assert machine.driver
    machine.driver = (STOPPED, machine.driver[1])
    assert verbs(machine, want) == ["stop", "remove-driver", "install-driver", "start"]


def test_a_service_that_says_running_without_a_guest_is_not_believed() -> None:
    machine, want = running()
    machine.daemon = machine.helper = False
    assert machine.service and machine.service.state == RUNNING
    assert [str(step) for step in present(machine.look(), want)] == [
        "stop Eyrie (service RUNNING with no guest)",
        "start Eyrie (service RUNNING with no guest)",
    ]


def test_a_guest_whose_network_died_is_restarted() -> None:
    machine, want = running()
    machine.helper = False
    assert verbs(machine, want) == ["stop", "start"]


def test_a_kernel_alone_of_another_release_is_replaced_with_the_guest_stopped() -> None:
    machine, want = running()
    assert machine.files
    machine.files[KERNEL] = "another"
    assert verbs(machine, want) == ["stop", "put", "start"]


def test_an_image_is_marked_after_it_is_whole() -> None:
    machine, _old = running()
    steps = present(machine.look(), wanted(image="i2"))
    assert [(step.verb, step.name) for step in steps] == [
        ("stop", "Eyrie"),
        ("delete", "root_fs.sha256"),
        ("put", "root_fs"),
        ("put", "root_fs.sha256"),
        ("start", "Eyrie"),
    ]


def test_an_image_of_the_operators_own_stays() -> None:
    machine, _want = running()
    assert verbs(machine, wanted(image="")) == []
    assert machine.files
    del machine.files["root_fs"]
    with pytest.raises(EyrieError, match="not there"):
        present(machine.look(), wanted(image=""))


def test_an_image_that_somebody_else_holds_is_named() -> None:
    machine, want = running()
    machine.do(present(machine.look(), replace(want, running=False))[0], want)
    assert machine.files
    machine.files["root_fs"] = "in-use"
    with pytest.raises(EyrieError, match="not by this guest"):
        present(machine.look(), want)


def test_what_is_of_others_is_refused() -> None:
    machine, want = running()
    machine.driver_line = r"D:\andLinux\linux.sys"
    with pytest.raises(EyrieError, match="andLinux"):
        present(machine.look(), want)
    stranger = Machine(files={"their.img": "x"})
    with pytest.raises(EyrieError, match=r"their\.img"):
        absent(stranger.look(), want)


def test_settings_alone_need_no_stop() -> None:
    machine, want = running()
    assert machine.service
    machine.service = replace(machine.service, start=3, recovery=(0, ()))
    assert verbs(machine, want) == ["configure-service", "set-recovery"]
    machine.service = Service(RUNNING, machine.service.line.replace("desk.xml", "old.xml"), 2)
    assert "install-service" in verbs(machine, want)


def test_every_kind_of_network_has_its_helper() -> None:
    assert len(set(HELPERS.values())) == len(HELPERS) == 4
    assert PROGRAM in wanted().files
