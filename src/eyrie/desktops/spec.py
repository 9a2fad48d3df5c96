# SPDX-License-Identifier: GPL-3.0-or-later
"""The spec that a desktop's agent is handed, its answer, and what follows from it; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from eyrie.agent.converge.spec import MARK, placed
from eyrie.credentials.authority import Authority, WantedCertificate, issue, public_renewal_reason
from eyrie.desktops.model import DesktopOutcome, Done
from eyrie.engines.minting import mint, proven
from eyrie.engines.tokens import WantedToken, renewal_reason

AWAY = ("starting", "joined")
"""States of the agent in which nobody has been at the desktop for as long as its configuration asks."""


@dataclass(frozen=True)
class Wanted:
    """How a desktop shall be, but for its token."""

    version: str
    agent: Mapping[str, Any]
    items: Sequence[Mapping[str, Any]] = ()
    ca: str = ""
    firewall: bool = True
    hub: WantedHub | None = None


@dataclass(frozen=True)
class Secrets:
    """What a desktop gets that nobody else may see; empty: it keeps what it has."""

    token: str = ""
    certificate: str = ""
    """Key and certificate for the pool's hub."""

    def __bool__(self) -> bool:
        """Whether there is anything to hand over."""
        return bool(self.token or self.certificate)


NOTHING = Secrets()


@dataclass(frozen=True)
class WantedHub:
    """A desktop's place in the pool's hub."""

    certificate: WantedCertificate
    authority: Authority


@dataclass(frozen=True)
class Answer:
    """What the agent answered."""

    version: str
    facts: Mapping[str, Any]
    changed: bool
    diff: Sequence[Mapping[str, str]]
    outdated: bool
    reboot_required: bool
    problems: Sequence[Mapping[str, str]] = field(default_factory=tuple)

    @property
    def left(self) -> bool:
        """Whether an upgrade that was cut short left another release there."""
        return bool((self.facts.get("agent") or {}).get("other_releases"))


def spec(wanted: Wanted, secrets: Secrets, *, any_version: bool = False) -> bytes:
    """Write the spec; of secrets that are not given the desktop keeps those it has."""
    document: dict[str, Any] = {
        "version": 1,
        "agent_version": "" if any_version else wanted.version,
        "agent": dict(wanted.agent),
        "token": secrets.token,
        "items": list(wanted.items),
        "ca": wanted.ca,
        "firewall": wanted.firewall,
    }
    if wanted.hub is not None:
        document["hub"] = {
            "certificate": secrets.certificate,
            "ca": wanted.hub.authority.certificate.strip() + "\n",
        }
    return json.dumps(document).encode()


def as_on_a_desktop(agent: Any) -> Any:
    """Return a configuration with its marks replaced as on a desktop, so that it can be checked here."""
    data = r"C:\ProgramData\Eyrie"
    marks = MARK.findall(json.dumps(agent))
    return placed(agent, {mark: rf"{data}\items\{mark[5:]}" if mark != "data" else data for mark in marks})


def read(done: Done) -> Answer | None:
    """Read the answer; None if there is none, as where no agent is installed or another program answers."""
    try:
        data = json.loads(done.out[done.out.index("{") :])
        answer = Answer(
            version=str(data["agent_version"]),
            facts=dict(data["facts"]),
            changed=bool(data["changed"]),
            diff=list(data["diff"]),
            outdated=bool(data["outdated"]),
            reboot_required=bool(data["reboot_required"]),
            problems=list(data["problems"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
    return answer if data.get("version") == 1 else None


def refuse(answer: Answer) -> None:
    """Raise the first problem by its name, with all that the agent said."""
    if answer.problems:
        first = answer.problems[0]
        raise Refused(first["name"], " ".join(each["text"] for each in answer.problems), answer)


class Refused(DesktopOutcome):
    """The agent did not do all that was asked; what it did is in its answer."""

    def __init__(self, outcome: str, text: str, answer: Answer) -> None:
        self.answer = answer
        super().__init__(
            outcome, "the desktop's agent", seen=None, wanted="", next_step="run site.yml again after that"
        )
        self.args = (f"the desktop's agent refused: {text}",)


def renewed_token(answer: Answer, wanted: WantedToken, now: float) -> tuple[str, str]:
    """Return a new token and why it is needed; two empty strings where the desktop's own is good."""
    told = answer.facts.get("token") or {}
    has = proven(str(told.get("signed", "")), str(told.get("sha256", "")), wanted)
    reason = renewal_reason(has, wanted, now)
    if not has and told.get("sha256"):
        reason = "token was not signed with the pool's key"
    return (mint(wanted, now), reason) if reason else ("", "")


def renewed_certificate(answer: Answer, hub: WantedHub, now: float) -> tuple[str, str]:
    """Return a new key and certificate and why; two empty strings where the desktop's own are good."""
    told = answer.facts.get("hub") or {}
    moment = datetime.fromtimestamp(now, UTC)
    reason = public_renewal_reason(
        str(told.get("certificate", "")), hub.certificate, hub.authority.certificate, moment
    )
    if told and not reason and not told.get("usable"):
        reason = "the key belongs to another certificate"
    return (issue(hub.authority, hub.certificate, moment), reason) if reason else ("", "")


def may_reboot(answer: Answer, *, allowed: bool) -> str:
    """Return why the desktop must not be restarted now, empty if it may. Unknown: somebody is there."""
    if not allowed:
        return "not allowed (windows_agent_reboot)"
    state = (answer.facts.get("agent") or {}).get("state", "unknown")
    if state not in AWAY:
        return f"its owner may be there (the agent says {state})"
    if there := [each for each in answer.facts.get("sessions", ()) if _somebody(each)]:
        return f"{len(there)} of its sessions are in use"
    return ""


def _somebody(session: Mapping[str, Any]) -> bool:
    return bool(session.get("user")) and session.get("state") == "active" and not session.get("locked")
