# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner: what is done is not done again, what is missing is, in an order that works."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from eyrie.lab import network_plan
from eyrie.lab.model import Topology
from eyrie.lab.network_plan import NamespaceState
from eyrie.lab.plan import Present, Step, plan
from eyrie.lab.topology import parse_text

OFFICE = parse_text(
    """
name: office
subnets: {hq: {network: 10.77.1.0/24}, east: {network: 10.77.2.0/24}}
hosts:
  master: {kind: container, subnet: hq, address: 10.77.1.10}
  desk: {kind: container, subnet: east, address: 10.77.2.21}
  box: {kind: vm, subnet: east, address: 10.77.2.22}
""",
    "lab.yml",
)
HOSTS = frozenset(OFFICE.by_name)


def done(present: Present, step: Step) -> Present:
    """What is there once the step was carried out."""
    one = frozenset({step.subject})
    match step.verb:
        case "keys":
            return replace(present, keys=True)
        case "network":
            assert step.spec is not None
            built = {step.spec.name: NamespaceState(frozenset({"lo", *step.spec.links}), step.spec.mark)}
            return replace(present, namespaces={**present.namespaces, **built})
        case "cache":
            return replace(present, package_cache=True)
        case "image":
            return replace(present, images=present.images | one)
        case "prepare":
            return replace(present, rooted=present.rooted | one, seeded=present.seeded | one)
        case "boot":
            return replace(present, running=present.running | one)
        case "answer":
            return replace(present, answering=present.answering | one)
        case "remove":
            return replace(
                present, strangers=tuple(name for name in present.strangers if name != step.subject)
            )
    raise AssertionError(step.verb)


def whole(topology: Topology = OFFICE) -> Present:
    present = Present()
    for step in plan(topology, present):
        present = done(present, step)
    return present


def open_steps(present: Present) -> list[tuple[str, str]]:
    return [(step.verb, step.subject) for step in plan(OFFICE, present) if not step.done]


def test_nothing_there_means_everything_to_do() -> None:
    assert all(not step.done for step in plan(OFFICE, Present()))


def test_the_plan_carried_out_leaves_nothing_to_do() -> None:
    assert open_steps(whole()) == []


@given(st.integers(0, 40))
def test_an_interruption_anywhere_leaves_exactly_the_rest(cut: int) -> None:
    steps = plan(OFFICE, Present())
    present = Present()
    for step in steps[:cut]:
        present = done(present, step)
    assert open_steps(present) == [(step.verb, step.subject) for step in steps[cut:]]


@given(st.sets(st.sampled_from(sorted(HOSTS))), st.sets(st.sampled_from(sorted(HOSTS))))
def test_only_what_a_host_lost_is_done_again(off: set[str], unmounted: set[str]) -> None:
    present = whole()
    present = replace(present, running=HOSTS - off, answering=HOSTS - off, rooted=HOSTS - unmounted)
    todo = open_steps(present)
    assert {subject for verb, subject in todo if verb == "boot"} == off | unmounted
    assert {subject for verb, subject in todo if verb == "prepare"} == unmounted
    assert not any(verb in ("keys", "network", "cache", "image") for verb, _ in todo)


def test_an_image_is_looked_at_only_for_hosts_without_a_root() -> None:
    present = replace(whole(), images=frozenset(), rooted=HOSTS - {"box"})
    assert ("image", "vm") in open_steps(present)
    assert ("image", "container") not in open_steps(present)


def test_a_host_whose_namespace_vanished_starts_again() -> None:
    namespaces = dict(whole().namespaces)
    del namespaces[OFFICE.host_namespace(OFFICE.by_name["desk"])]
    todo = open_steps(replace(whole(), namespaces=namespaces))
    assert todo == [("network", "desk"), ("boot", "desk"), ("answer", "desk")]


def test_a_host_the_file_no_longer_has_is_removed_first() -> None:
    todo = open_steps(replace(whole(), strangers=("old",)))
    assert todo == [("remove", "old")]


def test_everything_is_made_before_it_is_needed() -> None:
    order = [step.verb for step in plan(OFFICE, Present())]
    assert order == sorted(
        order, key=["keys", "network", "cache", "image", "prepare", "boot", "answer"].index
    )


def specs() -> list[network_plan.NamespaceSpec]:
    return [step.spec for step in plan(OFFICE, Present()) if step.spec is not None]


def test_a_namespace_counts_only_when_whole_and_of_this_spec() -> None:
    for spec in specs():
        good = NamespaceState(frozenset({"lo", *spec.links}), spec.mark)
        assert network_plan.is_built(spec, {spec.name: good})
        assert not network_plan.is_built(spec, {})
        assert not network_plan.is_built(spec, {spec.name: replace(good, mark="")})
        assert not network_plan.is_built(spec, {spec.name: replace(good, links=frozenset({"lo"}))})


def test_a_changed_address_changes_the_mark() -> None:
    desk = OFFICE.by_name["desk"]
    moved = replace(desk, address=desk.address + 1)
    assert network_plan.host_spec(OFFICE, desk).mark != network_plan.host_spec(OFFICE, moved).mark


def test_left_overs_are_only_what_is_there() -> None:
    spec = network_plan.host_spec(OFFICE, OFFICE.by_name["desk"])
    east = OFFICE.subnet_namespace(OFFICE.by_name["desk"].subnet)
    assert network_plan.left_overs(spec, {east: NamespaceState(frozenset({"lo", "lan"}), "")}) == ()
    there = NamespaceState(frozenset({"lo", "lan", "h-desk"}), "")
    assert network_plan.left_overs(spec, {east: there}) == ((east, "h-desk"),)


def test_no_command_runs_in_the_machines_own_namespace() -> None:
    for spec in specs():
        assert spec.commands
        assert all(where.startswith("eyrie.office.") for where, _ in spec.commands)
