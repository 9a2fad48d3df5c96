# SPDX-License-Identifier: GPL-3.0-or-later
"""hub.json: what is read, what is refused by name, and what a running hub can take over."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from papers import HUB, Office

from eyrie.errors import EyrieError
from eyrie.hub.guard import parse_address, parse_mac
from eyrie.hub.main import main
from eyrie.hub.settings import parse

GOOD: dict[str, Any] = {
    "version": 1,
    "pool": "lab",
    "listen": {"address": "10.77.1.10", "port": 9620},
    "ca": "/etc/eyrie/hub/ca.pem",
    "certificate": "/etc/eyrie/hub/hub.pem",
    "key": "/etc/eyrie/hub/hub.pem",
    "tap": "eyrie-hub",
    "mtu": 1500,
    "flood_per_second": 500,
    "status": "/run/eyrie-hub/status",
    "revoked": ["0A1b"],
    "guests": [{"name": "desk-1", "macs": ["02:00:00:00:00:01"], "address": "10.88.0.1"}],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the configuration with one value changed, added, or (...) left out."""
    data = copy.deepcopy(GOOD)
    *folders, key = path.split(".")
    place: Any = data
    for each in folders:
        place = place[int(each)] if each.isdigit() else place[each]
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return data


def test_what_is_read() -> None:
    settings = parse(GOOD, "hub.json")
    (grant,) = settings.grants
    assert (settings.address, settings.port, settings.revoked) == ("10.77.1.10", 9620, {0x0A1B})
    assert (grant.name, grant.address) == ("desk-1", parse_address("10.88.0.1"))
    assert grant.macs == {parse_mac("02:00:00:00:00:01")}
    assert parse(changed("guests.0.address", ""), "").grants[0].address is None


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("version", 2, "hub.json: version"),
        ("listen.port", 0, "listen.port"),
        ("listen.address", "master", "listen.address"),
        ("ca", ..., "ca"),
        ("key", "hub.pem", "key"),
        ("mtu", 100, "mtu"),
        ("tap", "eyrie hub", "tap"),
        ("revoked", ["xyz"], "revoked"),
        ("colour", "red", "colour"),
        ("guests.0.name", "", "name"),
        ("guests.0.macs", ["01:00:00:00:00:01"], "MAC address"),
        ("guests.0.address", "10.88.0.1/24", "address"),
        ("guests.0.address", "10.88.0.256", "guest's address"),
        ("guests.0.vlan", 5, "vlan"),
    ],
)
def test_what_is_refused_is_named(path: str, value: object, named: str) -> None:
    with pytest.raises(EyrieError, match=named):
        parse(changed(path, value), "hub.json")


@pytest.mark.parametrize(
    ("path", "value", "same"),
    [
        ("revoked", [], True),
        ("guests", [], True),
        ("certificate", "/other", True),
        ("listen.port", 9621, False),
        ("mtu", 1400, False),
        ("tap", "", False),
    ],
)
def test_what_a_running_hub_takes_over(path: str, value: object, same: bool) -> None:
    now, then = parse(GOOD, "").fixed(), parse(changed(path, value), "").fixed()
    assert (now == then) is same


def test_the_command_checks_files_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    identity = Office(tmp_path).issue("hub", HUB)
    file = tmp_path / "hub.json"
    good = GOOD | {"ca": identity.ca, "certificate": identity.certificate, "key": identity.key}
    file.write_text(json.dumps(good))
    assert main(["check-config", "--config", str(file)]) == 0
    file.write_text(json.dumps(good | {"key": identity.ca}))
    assert main(["check-config", "--config", str(file)]) == 1
    assert "belong together" in capfd.readouterr().err
    file.write_text("{")
    assert main(["check-config", "--config", str(file)]) == 1
    assert main(["status", "--config", str(tmp_path / "none")]) == 1
