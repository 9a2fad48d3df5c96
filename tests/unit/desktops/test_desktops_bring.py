# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way of one desktop, on a FAKE one whose agent keeps a token and a boot."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fake_windows import NEW, OLD, FakeWindows

from eyrie.agent.converge.facts import sha256
from eyrie.desktops.bring import Order, Report, bring, public, shown
from eyrie.desktops.model import DesktopOutcome, Done, Package, Story
from eyrie.desktops.spec import Wanted
from eyrie.engines.tokens import WantedToken, renewal_reason

NOW = 1795260782.0
TOKEN = WantedToken("lab", "desktop-pc-1@lab", frozenset({"ADVERTISE_STARTD"}), 30 * 86400, "K" * 40)
PACKAGE = Package(
    "0.2.0", "ab" * 32, 9_000_000, "https://master:8443/ab.msi", release="0.2.0-abcd", product_code=NEW
)
ORDER = Order(PACKAGE, Wanted("0.2.0", {"name": "pc-1"}), TOKEN, NOW)


class Desktop(FakeWindows):
    """Adds an agent that converges as the real one does, in small."""

    agent = "0.2.0"
    token = ""
    configuration: Any = None
    problems: Any = ()
    reboot_required = False
    boot = 1
    state = "joined"
    mute = False
    known = "0.2.0-abcd"

    def run(self, line: str, given: bytes | None = None) -> Done:
        if "converge" in line:
            self.lines.append(line)
            return self._converge(line, json.loads(given or b"{}"))
        if line.startswith("shutdown"):
            self.lines.append(line)
            self.boot, self.reboot_required = self.boot + 1, False
            return Done(0, "", "")
        return super().run(line, given)

    def _converge(self, line: str, spec: dict[str, Any]) -> Done:
        known = NEW in self.products if f"versions\\{self.known}" in line else bool(self.products)
        if not known or self.mute:
            return Done(1, "", "The system cannot find the path specified.")
        outdated = spec["agent_version"] not in ("", self.agent)
        diff = []
        if not outdated and not self.problems:
            if spec["agent"] != self.configuration:
                diff.append({"thing": "agent.json", "before": "x", "after": "y"})
            if spec["token"] and spec["token"] != self.token:
                diff.append({"thing": "token", "before": "a", "after": "b"})
            if "--check" not in line:
                self.configuration, self.token = spec["agent"], spec["token"] or self.token
        facts = {
            "token": {
                "sha256": sha256(self.token) if self.token else "",
                "signed": self.token.rpartition(".")[0],
            },
            "agent": {"state": self.state, "other_releases": self.releases[:-1]},
            "sessions": [],
            "boot_id": f"boot-{self.boot}",
        }
        answer = {
            "version": 1,
            "agent_version": self.agent,
            "facts": facts,
            "changed": bool(diff),
            "diff": diff,
            "outdated": outdated,
            "reboot_required": self.reboot_required,
            "problems": list(self.problems),
        }
        return Done(1 if self.problems else 0, json.dumps(answer), "")


def run(desktop: Desktop, **changes: Any) -> tuple[Report, Story]:
    desktop.lines.clear()
    story = Story(lambda _seconds: None)
    return bring(desktop, replace(ORDER, **changes), story), story


def things(report: Report) -> list[str]:
    return [each["thing"] for each in report.diff]


def test_from_nothing_to_unchanged() -> None:
    desktop = Desktop()
    first, _ = run(desktop)
    assert first.changed and things(first) == ["agent", "agent.json", "token"]
    assert "missing" in first.token_reason
    assert renewal_reason(desktop.token, TOKEN, NOW) == ""
    again, _ = run(desktop)
    assert not again.changed and things(again) == [] and again.token_reason == ""
    assert len(desktop.lines) == 1  # one round trip where nothing is to do


def test_a_new_agent_never_begins_without_its_token() -> None:
    desktop = Desktop()
    run(desktop)
    lines = [line.rpartition(" converge")[2] for line in desktop.lines if " converge" in line]
    assert lines == ["", " --check", ""]  # nobody there yet; what it has; all of it at once


def test_check_of_a_desktop_without_agent_looks_only() -> None:
    desktop = Desktop()
    told, _ = run(desktop, check=True)
    assert told.changed and things(told) == ["agent"] and not desktop.products
    assert not [line for line in desktop.lines if "msiexec" in line]


def test_check_of_a_desktop_with_agent_changes_nothing() -> None:
    desktop = Desktop(products=[NEW], version="0.2.0", service=True)
    told, _ = run(desktop, check=True)
    assert things(told) == ["agent.json", "token"] and desktop.configuration is None
    assert all("--check" in line for line in desktop.lines)


def test_an_older_agent_is_upgraded_before_it_is_given_the_spec() -> None:
    desktop = Desktop(products=[OLD], version="0.1.0", service=True)
    told, _ = run(desktop)
    assert things(told)[0] == "agent" and desktop.products == [NEW] and desktop.configuration


def test_an_agent_that_others_brought_is_accepted_as_it_is() -> None:
    desktop = Desktop(products=[OLD], version="0.1.0", service=True)
    desktop.agent = "0.1.0"
    told, _ = run(desktop, package=replace(PACKAGE, source="", release=""))
    assert things(told) == ["agent.json", "token"] and told.version == "0.1.0"
    assert not [line for line in desktop.lines if "msiexec" in line]


def test_a_refusal_keeps_its_name_and_nothing_is_minted() -> None:
    desktop = Desktop(products=[NEW], version="0.2.0", service=True)
    desktop.problems = [{"name": "too little memory", "text": "too little memory: found 512 MiB"}]
    with pytest.raises(DesktopOutcome, match="512 MiB") as raised:
        run(desktop)
    assert raised.value.outcome == "too little memory" and not desktop.token


def test_an_agent_that_an_antivirus_crippled_is_named() -> None:
    desktop = Desktop(products=[NEW], version="0.2.0", service=True)
    desktop.mute = True
    with pytest.raises(DesktopOutcome, match="antivirus") as raised:
        run(desktop)
    assert raised.value.outcome == "agent does not answer" and desktop.repaired == 1


def test_a_release_that_a_lost_power_left_goes_with_the_next_run() -> None:
    desktop = Desktop()
    run(desktop)
    desktop.releases = ["0.1.0-12345678", "0.2.0-abcd1234"]
    package = replace(PACKAGE, release="0.2.0-abcd1234")
    desktop.known = "0.2.0-abcd1234"
    told, _ = run(desktop, package=package)
    assert told.changed and things(told) == ["agent"] and desktop.releases == ["0.2.0-abcd1234"]
    assert not run(desktop, package=package)[0].changed


def test_an_agent_that_lost_a_file_is_repaired() -> None:
    class Damaged(Desktop):
        @property
        def mute(self) -> bool:  # type: ignore[override]
            return not self.repaired

    desktop = Damaged(products=[NEW], version="0.2.0", service=True)
    told, _ = run(desktop, check=True)
    assert told.changed and things(told) == ["agent"] and not desktop.repaired
    told, story = run(desktop)
    assert things(told) == ["agent", "agent.json", "token"] and desktop.repaired == 1
    assert "repairing" in story.steps[0] and not run(desktop)[0].changed


def test_an_agent_whose_service_is_gone_is_installed_again() -> None:
    desktop = Desktop(products=[NEW], version="0.2.0", service=False)
    desktop.mute = True
    with pytest.raises(DesktopOutcome):
        run(desktop)
    assert [line for line in desktop.lines if "msiexec /i" in line]


@pytest.mark.parametrize(
    "allowed, state, rebooted, words",
    [
        (True, "joined", True, ""),
        (False, "joined", False, "not allowed"),
        (True, "busy", False, "owner may be there"),
    ],
)
def test_a_restart_happens_only_with_the_owner_away(
    allowed: bool, state: str, rebooted: bool, words: str
) -> None:
    desktop = Desktop(products=[NEW], version="0.2.0", service=True)
    desktop.reboot_required, desktop.state = True, state
    told, _ = run(desktop, reboot_allowed=allowed)
    assert told.rebooted is rebooted and words in told.reboot_refused
    assert told.reboot_required is not rebooted and (desktop.boot == 2) is rebooted


def test_msiexecs_wish_for_a_restart_is_told() -> None:
    desktop = Desktop(codes=[3010])
    told, _ = run(desktop)
    assert told.reboot_required and "not allowed" in told.reboot_refused


def test_a_restart_that_does_not_come_is_named() -> None:
    class Stuck(Desktop):
        def run(self, line: str, given: bytes | None = None) -> Done:
            return Done(0, "", "") if line.startswith("shutdown") else super().run(line, given)

    desktop = Stuck(products=[NEW], version="0.2.0", service=True)
    desktop.reboot_required = True
    with pytest.raises(DesktopOutcome) as raised:
        run(desktop, reboot_allowed=True)
    assert raised.value.outcome == "not restarted"


def test_no_secret_is_in_a_report() -> None:
    desktop = Desktop()
    told, story = run(desktop)
    text = json.dumps([told.diff, public(told.facts), shown(told.diff), story.steps, told.token_reason])
    assert desktop.token not in text and desktop.token.rpartition(".")[0] not in text
    assert TOKEN.signing_key not in text
