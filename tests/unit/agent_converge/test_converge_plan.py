# SPDX-License-Identifier: GPL-3.0-or-later
"""Specs read strictly, and what a plan holds; no disk."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from converge_world import TOKEN, Told, authority, configuration
from hypothesis import given
from hypothesis import strategies as st

from eyrie.agent.converge.facts import sha256
from eyrie.agent.converge.plan import Current, Desired, obstacles, plan
from eyrie.agent.converge.spec import Item, parse
from eyrie.errors import EyrieError

ITEM: dict[str, Any] = {
    "name": "guest-image",
    "sha256": "ab" * 32,
    "size": 5,
    "url": "https://master/x.zip",
    "unpack": "zip",
}
SPEC: dict[str, Any] = {
    "version": 1,
    "agent_version": "",
    "agent": configuration(),
    "token": TOKEN,
    "items": [ITEM],
    "ca": authority().certificate,
    "firewall": True,
}


def item(**changes: Any) -> dict[str, Any]:
    return {"items": [{**ITEM, **changes}]}


CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "changes, key",
    [
        ({"version": 2}, "version"),
        ({"state": "absent"}, "state"),
        ({"hub": {"ca": CA, "certificate": "x"}}, "hub.certificate"),
        ({"hub": {"ca": "", "certificate": ""}}, "hub.ca"),
        ({"hub": {"ca": CA}}, "hub.certificate"),
        ({"agent": []}, "agent"),
        ({"agent": {"x": "{item:other}"}}, "item:other"),
        ({"token": "no token"}, "token"),
        ({"token": "a.b"}, "token"),
        ({"ca": "x"}, "ca"),
        ({"firewall": 1}, "firewall"),
        ({"surprise": 1}, "surprise"),
        ({"agent_version": "1 2"}, "agent_version"),
        ({"items": [ITEM, ITEM]}, "guest-image twice"),
        (item(url="http://master/x"), "url"),
        (item(url="https://user:word@master/x"), "url"),
        (item(url="https:///x"), "url"),
        (item(url=5), "url"),
        (item(name="../x"), "name"),
        (item(name="Guest"), "name"),
        (item(sha256="AB" * 32), "sha256"),
        (item(size=0), "size"),
        (item(size="5"), "size"),
        (item(unpack="tar"), "unpack"),
        (item(extra=1), "extra"),
    ],
)
def test_what_a_spec_is_refused_for(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(EyrieError, match=key):
        parse(json.dumps({**SPEC, **changes}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"'])
def test_what_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(EyrieError, match="spec"):
        parse(text)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each), max_leaves=5))
def test_no_value_of_any_key_is_more_than_refused(value: Any) -> None:
    for key in SPEC:
        try:
            parse(json.dumps({**SPEC, key: value}))
        except EyrieError as error:
            assert TOKEN not in str(error)


def test_a_configuration_names_its_items_folders() -> None:
    spec = parse(json.dumps(SPEC))
    text = spec.configuration("C:\\ProgramData\\Eyrie", "\\")
    assert json.loads(text)["guest"]["image"] == "C:\\ProgramData\\Eyrie\\items\\guest-image-" + "ab" * 8


DESIRED = Desired(parse(json.dumps(SPEC)), '{"a": 1}\n', "block all")
DONE = Current(
    configuration='{"a": 1}\n',
    token_sha256=sha256(TOKEN),
    damage={"guest-image-" + "ab" * 8: {}},
    others=(),
    firewall="block all",
)


def test_what_is_as_desired_needs_nothing() -> None:
    assert plan(DONE, DESIRED) == ()


@pytest.mark.parametrize(
    "changes, things",
    [
        ({"configuration": ""}, ["agent.json"]),
        ({"configuration": '{"a": 2}\n'}, ["agent.json"]),
        ({"token_sha256": ""}, ["token"]),
        ({"token_sha256": sha256("x")}, ["token"]),
        ({"damage": {}}, ["item guest-image"]),
        ({"damage": {"guest-image-" + "ab" * 8: {"f": "missing"}}}, ["item guest-image"]),
        ({"firewall": ""}, ["firewall"]),
        ({"service": "stopped"}, ["service"]),
        ({"service": "running"}, []),
        ({"others": ("qemu-" + "0" * 16,)}, ["qemu-" + "0" * 16]),
    ],
)
def test_one_difference_is_one_change(changes: dict[str, Any], things: list[str]) -> None:
    assert [change.thing for change in plan(replace(DONE, **changes), DESIRED)] == things


def test_the_order_keeps_old_or_new() -> None:
    """Items before what names them, the configuration last, old items only after it."""
    kinds = [change.kind for change in plan(Current(others=("qemu-" + "0" * 16,)), DESIRED)]
    assert kinds == ["item", "firewall", "token", "agent.json", "old item"]


def test_a_diff_shows_the_lines_that_differ_and_no_token() -> None:
    before = replace(DONE, configuration='{\n "a": 1,\n "b": 2\n}\n', token_sha256=sha256("old"))
    changes = plan(before, replace(DESIRED, configuration='{\n "a": 1,\n "b": 3\n}\n'))
    told = [change.told() for change in changes]
    assert told[1] == {"thing": "agent.json", "before": '"b": 2', "after": '"b": 3'}
    assert told[0]["after"] == f"sha256:{sha256(TOKEN)[:8]}" and TOKEN not in json.dumps(told)


def test_without_a_firewall_of_its_own_none_is_touched() -> None:
    spec = replace(DESIRED.spec, firewall=False)
    assert plan(replace(DONE, firewall="other"), replace(DESIRED, spec=spec)) == ()


names = st.sampled_from(["qemu", "guest-image", "tools"])
made = st.builds(
    lambda name, digit: Item(name, digit * 64, 5, "https://m/x", "zip"), names, st.sampled_from("abc")
)


@given(
    st.lists(made, unique_by=lambda each: each.name),
    st.dictionaries(st.sampled_from(["qemu-" + "a" * 16, "tools-" + "b" * 16]), st.just({})),
    st.sampled_from(["", "old", "new"]),
)
def test_a_plan_applied_leaves_nothing_to_plan(items: list[Item], there: dict[str, Any], text: str) -> None:
    spec = replace(DESIRED.spec, items=tuple(items))
    desired = replace(DESIRED, spec=spec, configuration="new")
    wanted = {item.directory for item in items}
    current = Current(text, "", there, tuple(sorted(there.keys() - wanted)), "")
    changes = plan(current, desired)
    fixed = {change.item.directory: {} for change in changes if change.item}
    pruned = {change.thing for change in changes if change.kind == "old item"}
    after = Current(
        "new",
        sha256(TOKEN),
        {name: {} for name in {*there, *fixed}},
        tuple(each for each in current.others if each not in pruned),
        "block all",
    )
    assert plan(after, desired) == ()
    assert not pruned & wanted


@pytest.mark.parametrize(
    "facts, name",
    [
        ({}, None),
        ({"windows": None}, None),
        ({"windows": {"version": "6.3.9600", "product": ""}}, None),
        ({"windows": {"version": "5.1.2600", "product": ""}}, "unknown Windows version"),
        ({"windows": {"version": "6.1.7601", "product": ""}}, "unknown Windows version"),
        ({"windows": {"version": "11.0.1", "product": ""}}, "unknown Windows version"),
        ({"windows": {"version": "", "product": ""}}, "unknown Windows version"),
        ({"architecture": "x86"}, "not a 64-bit desktop"),
        ({"architecture": "ARM64"}, "not a 64-bit desktop"),
        ({"memory_mib": 1023}, "too little memory"),
        ({"memory_mib": 1400}, None),
    ],
)
def test_what_keeps_a_desktop_out(facts: dict[str, Any], name: str | None) -> None:
    found = obstacles(Told(**facts).about(), DESIRED.spec)
    assert [each["name"] for each in found] == ([name] if name else [])
    assert all("Nothing was changed" in each["text"] for each in found)


VISTA, SEVEN, EIGHT = ({"version": f"6.{minor}.7601", "product": ""} for minor in (0, 1, 2))
XP = {"version": "5.1.2600", "product": ""}


@pytest.mark.parametrize(
    "facts, backend, names, remedy",
    [
        ({"windows": VISTA, "architecture": "x86", "memory_mib": 512}, "colinux", [], ""),
        ({"windows": SEVEN, "architecture": "x86"}, "colinux", [], ""),
        ({"windows": EIGHT}, "colinux", ["unknown Windows version", "not a 32-bit desktop"], "backend: qemu"),
        ({"windows": EIGHT, "architecture": "x86"}, "colinux", ["unknown Windows version"], ""),
        ({"windows": SEVEN}, "colinux", ["not a 32-bit desktop"], ""),
        ({"windows": XP, "architecture": "x86"}, "colinux", ["unknown Windows version"], "colinux_hours"),
        (
            {"windows": SEVEN, "architecture": "x86"},
            "qemu",
            ["unknown Windows version", "not a 64-bit desktop"],
            "windows_agent_guest_backend: colinux",
        ),
    ],
)
def test_what_a_backend_is_not_for_names_the_one_that_is(
    facts: dict[str, Any], backend: str, names: list[str], remedy: str
) -> None:
    agent = {**configuration(), "guest": {**configuration()["guest"], "backend": backend}}
    found = obstacles(Told(**facts).about(), replace(DESIRED.spec, agent=agent))
    assert [each["name"] for each in found] == names
    assert all((remedy in each["text"]) if remedy else ("Next" not in each["text"]) for each in found)
