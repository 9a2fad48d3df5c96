# SPDX-License-Identifier: GPL-3.0-or-later
"""The action against a connection that plays a desktop."""

from __future__ import annotations

import importlib
import json
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from eyrie.guests.colinux import Release
from eyrie.guests.colinux.preflight import Wanted, line
from tests.unit.guests_colinux.colinux_desktop import INTEL, Fake

COLLECTIONS = Path(__file__).parents[3] / ".collections"
pytestmark = pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")


class Connection:
    """Answers one line, and counts."""

    def __init__(self, answer: str | None) -> None:
        self.answer = answer
        self.lines: list[str] = []
        self._shell = SimpleNamespace(tmpdir=None)

    def exec_command(self, line: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[Any, ...]:
        assert in_data is None and not sudoable
        self.lines.append(line)
        if self.answer is None:
            raise AnsibleConnectionFailure("unreachable")
        return 0, self.answer.encode(), b""


@pytest.fixture(autouse=True)
def collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(COLLECTIONS))


def ask(connection: Connection, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    module = importlib.import_module("ansible_collections.eyrie.pool.plugins.action.colinux_preflight")
    task = SimpleNamespace(
        args=arguments, check_mode=check, async_val=0, diff=False, action="colinux_preflight"
    )
    templar = SimpleNamespace(template=lambda value: value)
    action = module.ActionModule(task, connection, None, None, templar, None)
    return dict(action.run(None, {"inventory_hostname": "desk-1"}))


@pytest.mark.parametrize("check", [False, True])
def test_a_sound_desktop_costs_one_round_trip_and_changes_nothing(check: bool) -> None:
    connection = Connection(Fake().answer())
    result = ask(connection, check=check)
    assert connection.lines == [line()]
    assert (result["changed"], result["round_trips"], result.get("failed")) == (False, 1, None)
    told = result["colinux_preflight"]
    assert (told["fit"], told["refusals"], told["adapter"], told["weakening"]) == (True, [], INTEL, {})
    assert json.loads(json.dumps(told))["desktop"]["windows"] == [5, 1]


def test_a_refused_desktop_fails_with_every_reason_unless_it_shall_only_be_told() -> None:
    bad = Fake().but(services={}, arch="AMD64,")
    failed = ask(Connection(bad.answer()))
    assert failed["failed"] and failed["msg"].startswith(
        "2 reasons against coLinux here: architecture of this"
    )
    assert "WinPcap on this desktop" in failed["msg"]
    told = ask(Connection(bad.answer()), refusals="report")
    assert "failed" not in told
    rows = told["colinux_preflight"]["refusals"]
    assert [row["trap"] for row in rows] == ["architecture", "winpcap-missing"]
    assert all(row["lift"] in row["reason"] and row["cost"] in row["reason"] for row in rows)


def test_options_reach_the_judge() -> None:
    desktop = Fake().but(pae="TRUE", dep=("TRUE", 2))
    assert ask(Connection(desktop.answer()))["failed"]
    chosen = ask(Connection(desktop.answer()), switch_pae_off=True)["colinux_preflight"]
    assert chosen["fit"] and set(chosen["weakening"]) == {"where", "change", "undo", "cost"}
    assert ask(Connection(Fake().answer()), memory_mib=600)["failed"]
    assert ask(Connection(Fake().answer()), network="slirp", release="0.7.9")["failed"]


def test_what_is_no_answer_and_what_is_no_release_is_said() -> None:
    with pytest.raises(AnsibleActionFail, match="answer of desktop desk-1"):
        ask(Connection("sh: ver: not found"))
    connection = Connection(Fake().answer())
    with pytest.raises(AnsibleActionFail, match="release of coLinux"):
        ask(connection, release="0.8.0")
    assert connection.lines == []
    with pytest.raises(AnsibleConnectionFailure, match="unreachable"):
        ask(Connection(None))


def test_options_are_documented_as_they_are() -> None:
    prefix = "ansible_collections.eyrie.pool.plugins"
    spec = importlib.import_module(f"{prefix}.action.colinux_preflight").SPEC
    page = importlib.import_module(f"{prefix}.modules.colinux_preflight").DOCUMENTATION
    documented = yaml.safe_load(page)["options"]
    for option in documented.values():
        assert option.pop("description")
    assert documented == spec
    usual = Wanted(Release.of(spec["release"]["default"]))
    assert all(getattr(usual, key) == each["default"] for key, each in spec.items() if key in WANTED)


WANTED = {field.name for field in fields(Wanted)} - {"release"}
