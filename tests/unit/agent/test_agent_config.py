# SPDX-License-Identifier: GPL-3.0-or-later
"""Every wrong key, type and range of agent.json is named by its whole path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_world import config

from eyrie.agent.config import load, parse
from eyrie.errors import EyrieError


def test_the_contract_example_is_good() -> None:
    loaded = parse(json.dumps(config()), "agent.json")
    assert loaded.policy().idle_seconds == 10
    assert str(loaded.idle.calendar[0]) == "mon,fri 08:00-18:00"
    assert loaded.guest.memory_mib == 256


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"name": "desk 1"}, "name"),
        ({"name": "-desk"}, "name"),
        ({"idle__seconds": "900"}, "idle.seconds"),
        ({"idle__seconds": 0}, "idle.seconds"),
        ({"idle__seconds": True}, "idle.seconds"),
        ({"idle__seconds": float("nan")}, "idle.seconds"),
        ({"idle__poll_seconds": 60}, "idle.poll_seconds"),
        ({"idle__sources": []}, "idle.sources"),
        ({"idle__sources": ["terminal", "terminal"]}, "idle.sources"),
        ({"idle__sources": ["webcam"]}, "idle.sources"),
        ({"idle__sources": "terminal"}, "idle.sources"),
        ({"idle__sources": [["terminal"]]}, "idle.sources"),
        ({"idle__second": 5}, "idle.second"),
        ({"idle__ignored_users": ["Robert'); --"]}, "idle.ignored_users[0]"),
        ({"idle__calendar": [{"days": ["mon"], "from": "8:00", "to": "18:00"}]}, "idle.calendar[0].from"),
        ({"idle__calendar": [{"days": ["mon"], "from": "08:00", "to": "24:01"}]}, "idle.calendar[0].to"),
        ({"idle__calendar": [{"days": ["day"], "from": "08:00", "to": "18:00"}]}, "idle.calendar[0].days"),
        ({"idle__calendar": ["mon"]}, "idle.calendar[0]"),
        ({"evict__grace_seconds": -1}, "evict.grace_seconds"),
        ({"backoff__max_seconds": 5}, "backoff.max_seconds"),
        ({"backoff": []}, "backoff"),
        ({"lease_seconds": 60.5}, "lease_seconds"),
        ({"guest__backend": "vmware"}, "guest.backend"),
        ({"guest__image": "images/ID"}, "guest.image"),
        ({"guest__image": "/var/../etc"}, "guest.image"),
        ({"guest__token": "/etc/a\nb"}, "guest.token"),
        ({"guest__cpus": 0}, "guest.cpus"),
        ({"guest__cpu_percent": 101}, "guest.cpu_percent"),
        ({"guest__user": "root;"}, "guest.user"),
        ({"pool__master": "master.example.org"}, "pool.master"),
        ({"pool__port": 70000}, "pool.port"),
        ({"pool__engine": "slurm2"}, "pool.engine"),
        ({"extra": 1}, "extra"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(EyrieError) as caught:
        parse(json.dumps(config(**change)), "agent.json")
    assert caught.value.thing == f"agent.json: {named}"
    assert caught.value.wanted


@pytest.mark.parametrize("section", ["idle", "evict", "backoff", "guest", "pool", None])
def test_every_key_is_needed(section: str | None) -> None:
    for key in config()[section] if section else config():
        data = config()
        del (data[section] if section else data)[key]
        with pytest.raises(EyrieError) as caught:
            parse(json.dumps(data), "agent.json")
        assert caught.value.thing == "agent.json: " + (f"{section}.{key}" if section else key)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"version": 1, "version": 1}'])
def test_what_is_no_configuration_at_all(text: str) -> None:
    with pytest.raises(EyrieError):
        parse(text, "agent.json")


def test_a_key_given_twice_is_refused_and_does_not_win() -> None:
    text = json.dumps(config()).replace('"port": 9618', '"port": 9618, "port": 9619')
    with pytest.raises(EyrieError, match="port: found 'the key twice'"):
        parse(text, "agent.json")


def test_files_that_cannot_be_read(tmp_path: Any) -> None:
    with pytest.raises(EyrieError, match="no such file"):
        load(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(EyrieError, match="UTF-8"):
        load(tmp_path / "bytes.json")
