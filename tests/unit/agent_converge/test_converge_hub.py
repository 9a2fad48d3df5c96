# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves a desktop to the pool's hub: a secret that comes, is renewed and goes with the spec."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from converge_world import Desktop, authority, configuration

from eyrie.credentials.authority import WantedCertificate, issue

CA = authority().certificate


def papers() -> str:
    return issue(authority(), WantedCertificate(("pc-1",), 90, "desktop"), datetime.now(UTC))


def joined(desktop: Desktop) -> dict[str, Any]:
    """The configuration of a desktop whose guest is in the hub."""
    plain = configuration()
    data = desktop.place.data
    hub = {
        "address": "192.0.2.10",
        "port": 9620,
        "ca": str(data / "hub-ca.pem"),
        "certificate": str(data / "hub.pem"),
        "key": str(data / "hub.pem"),
        "mac": "02:00:00:00:00:01",
        "guest_address": "10.88.0.21/24",
    }
    return {**plain, "guest": {**plain["guest"], "network": "hub", "hub": hub}}


def things(answer: dict[str, Any]) -> list[str]:
    return [each["thing"] for each in answer["diff"]]


def test_key_and_certificate_come_before_the_configuration_that_names_them(desktop: Desktop) -> None:
    agent, pem = joined(desktop), papers()
    first = desktop.bring(agent=agent, hub={"certificate": pem, "ca": CA})
    assert first["problems"] == []
    assert things(first) == ["item guest-image", "token", "hub authority", "hub certificate", "agent.json"]
    assert (desktop.place.data / "hub.pem").read_text() == pem
    assert (desktop.place.data / "hub.pem").stat().st_mode & 0o77 == 0
    assert (desktop.place.data / "hub-ca.pem").read_text() == CA
    assert not desktop.bring(agent=agent, hub={"certificate": "", "ca": CA})["changed"]


def test_a_renewed_certificate_is_told_by_its_hash_alone(desktop: Desktop) -> None:
    agent = joined(desktop)
    before = desktop.bring(agent=agent, hub={"certificate": papers(), "ca": CA})
    new = papers()
    told = desktop.bring(agent=agent, hub={"certificate": new, "ca": CA})
    assert things(told) == ["hub certificate"] and len(desktop.told) == 2
    key = new.splitlines()[1]
    assert key in (desktop.place.data / "hub.pem").read_text()
    for answer in (before, told):
        assert "PRIVATE" not in json.dumps(answer) and key not in json.dumps(answer)
    assert told["facts"]["hub"] == {
        "certificate": new[new.index("-----BEGIN CERTIFICATE") :],
        "usable": True,
    }


def test_a_key_of_another_certificate_is_noticed(desktop: Desktop) -> None:
    one, other = papers(), papers()
    mixed = one[: one.index("-----BEGIN CERT")] + other[other.index("-----BEGIN CERT") :]
    told = desktop.bring(agent=joined(desktop), hub={"certificate": mixed, "ca": CA})
    assert told["facts"]["hub"]["usable"] is False


def test_leaving_the_hub_takes_the_key_after_the_agent_was_told(desktop: Desktop) -> None:
    desktop.bring(agent=joined(desktop), hub={"certificate": papers(), "ca": CA})
    seen: list[bool] = []
    desktop.before_telling = lambda: seen.append((desktop.place.data / "hub.pem").exists())
    told = desktop.bring()
    assert things(told) == ["agent.json", "hub certificate"] and seen == [True]
    assert not list(desktop.place.data.glob("*hub*")) and told["facts"]["hub"] == {}
    assert not desktop.bring()["changed"]
