# SPDX-License-Identifier: GPL-3.0-or-later
"""When a desktop gets a new certificate for the pool's hub."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from eyrie.agent.converge.spec import parse
from eyrie.credentials.authority import WantedCertificate, certificate_renewal_reason, issue, new_authority
from eyrie.desktops.bring import public
from eyrie.desktops.model import Done
from eyrie.desktops.spec import NOTHING, Answer, Secrets, Wanted, WantedHub, read, renewed_certificate, spec

NOW = 1795260782.0
MOMENT = datetime.fromtimestamp(NOW, UTC)
AUTHORITY = new_authority("lab", MOMENT)
HUB = WantedHub(WantedCertificate(("pc-1",), 90, "desktop"), AUTHORITY)


def answer(pem: str, usable: bool = True) -> Answer:
    certificate = pem[max(pem.find("-----BEGIN CERT"), 0) :]
    facts = {"hub": {"certificate": certificate, "usable": usable} if pem else {}}
    told = {"version": 1, "agent_version": "", "facts": facts, "changed": False, "diff": []}
    got = read(Done(0, json.dumps({**told, "outdated": False, "reboot_required": False, "problems": []}), ""))
    assert got is not None
    return got


def test_a_desktop_without_one_gets_one_that_is_then_kept() -> None:
    pem, reason = renewed_certificate(answer(""), HUB, NOW)
    assert "missing" in reason
    assert certificate_renewal_reason(pem, HUB.certificate, AUTHORITY.certificate, MOMENT) == ""
    assert renewed_certificate(answer(pem), HUB, NOW) == ("", "")


@pytest.mark.parametrize(
    "changes, days, usable, words",
    [
        ({}, 61, True, "a third of its life"),
        ({"names": ("pc-2",)}, 0, True, "names something else"),
        ({"use": "server"}, 0, True, "another use"),
        ({}, 0, False, "key belongs to another"),
    ],
)
def test_one_that_is_no_good_is_replaced(
    changes: dict[str, Any], days: int, usable: bool, words: str
) -> None:
    pem = issue(AUTHORITY, replace(HUB.certificate, **changes), MOMENT)
    new, reason = renewed_certificate(answer(pem, usable), HUB, NOW + days * 86400)
    assert words in reason and "PRIVATE KEY" in new


def test_one_of_another_authority_and_one_that_is_none_are_replaced() -> None:
    foreign = issue(new_authority("other", MOMENT), HUB.certificate, MOMENT)
    assert "another authority" in renewed_certificate(answer(foreign), HUB, NOW)[1]
    assert "malformed" in renewed_certificate(answer("rubbish"), HUB, NOW)[1]


def test_the_agent_reads_what_is_written() -> None:
    pem = issue(AUTHORITY, HUB.certificate, MOMENT)
    wanted = Wanted("0.1.0", {}, hub=replace(HUB, authority=replace(AUTHORITY, private_key="x")))
    got = parse(spec(wanted, Secrets(certificate=pem)).decode())
    assert got.hub is not None and (got.hub.certificate, got.hub.ca) == (pem, AUTHORITY.certificate)
    kept = parse(spec(wanted, NOTHING).decode())
    assert kept.hub is not None and kept.hub.certificate == ""
    assert parse(spec(Wanted("0.1.0", {}), NOTHING).decode()).hub is None


def test_no_certificate_is_in_a_result() -> None:
    assert "hub" not in public(dict(answer(issue(AUTHORITY, HUB.certificate, MOMENT)).facts))
