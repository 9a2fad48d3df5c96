# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a desktop to its wanted state: one command where nothing is to do, else named outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from eyrie.agent.converge.plan import HUB, TOKEN
from eyrie.desktops import lines
from eyrie.desktops.install import install, repair
from eyrie.desktops.model import Desktop, DesktopOutcome, Package, Seen, Story
from eyrie.desktops.plan import Step
from eyrie.desktops.spec import (
    NOTHING,
    Answer,
    Secrets,
    Wanted,
    may_reboot,
    read,
    refuse,
    renewed_certificate,
    renewed_token,
    spec,
)
from eyrie.engines.tokens import WantedToken

REBOOT_POLLS, REBOOT_SECONDS = 90, 10.0


@dataclass(frozen=True)
class Order:
    """What is wanted of one desktop."""

    package: Package
    wanted: Wanted
    token: WantedToken | None
    now: float
    reboot_allowed: bool = False
    check: bool = False


@dataclass
class Report:
    """How a desktop is now, and what was done."""

    changed: bool = False
    diff: list[dict[str, str]] = field(default_factory=list)
    version: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    token_reason: str = ""
    certificate_reason: str = ""
    reboot_required: bool = False
    reboot_refused: str = ""
    """Why a restart that is needed was not made."""

    rebooted: bool = False

    def take(self, answer: Answer) -> None:
        """Add what the agent did."""
        self.changed = self.changed or answer.changed
        self.diff += [dict(each) for each in answer.diff]
        self.version, self.facts = answer.version, dict(answer.facts)
        self.reboot_required = self.reboot_required or answer.reboot_required


Converge = Callable[..., Answer | None]
"""Hands the agent the spec with secrets; `check=True` asks only."""


def bring(desktop: Desktop, order: Order, story: Story) -> Report:
    """Bring it; raises a named outcome, whose desktop serves as it did before."""
    report = Report()
    answer, converge = _by_known_release(desktop, order)
    if answer is None or answer.outdated or answer.left:
        found = _after_installing(desktop, order, story, report)
        if found is None:
            return report
        converge, seen = found
        # Asked first: a new agent shall not begin without its token.
        first = converge(NOTHING, check=True)
        if first is None and order.package.source and not report.changed:
            report.changed = True
            report.diff.append({"thing": "agent", "before": "does not answer", "after": "repaired"})
            if order.check:
                return report
            repair(desktop, order.package, seen, story)
            first = converge(NOTHING, check=True)
        secrets = _secrets(order, report, _answered(first))
        _take(report, _answered(converge(secrets)))
    else:
        _take(report, answer)
        secrets = _secrets(order, report, answer)
        if secrets:
            told = _answered(converge(secrets))
            refuse(told)
            # What this would change beside the secrets in check mode was told by the answer before.
            report.take(replace(told, diff=[each for each in told.diff if each["thing"] in (TOKEN, HUB)]))
    _reboot(desktop, order, story, report, converge)
    return report


def _secrets(order: Order, report: Report, answer: Answer) -> Secrets:
    """Return new secrets where the desktop's own are not good."""
    token, certificate = "", ""
    if order.token is not None:
        token, report.token_reason = renewed_token(answer, order.token, order.now)
    if order.wanted.hub is not None:
        certificate, report.certificate_reason = renewed_certificate(answer, order.wanted.hub, order.now)
    return Secrets(token, certificate)


def _take(report: Report, answer: Answer) -> None:
    report.take(answer)
    refuse(answer)


def _by_known_release(desktop: Desktop, order: Order) -> tuple[Answer | None, Converge]:
    """Ask the agent that this pool's package installs, without a look before."""
    if not order.package.release:
        return None, lambda *_given, **_options: None
    converge = _converging(
        desktop, order, lambda words: lines.agent_of_release(words, order.package.release), any_version=False
    )
    return converge(NOTHING), converge


def _after_installing(
    desktop: Desktop, order: Order, story: Story, report: Report
) -> tuple[Converge, Seen] | None:
    """Install what is lacking; None where check mode ends here."""
    step, seen = install(desktop, order.package, story, check=order.check)
    if step is not Step.KEEP:
        before = seen.version if order.check else ""
        report.changed = True
        report.diff.append({"thing": "agent", "before": before or "absent", "after": order.package.version})
        report.reboot_required = story.reboot
    if step is not Step.KEEP and order.check:
        report.version = seen.version
        return None
    if not seen.python:
        raise DesktopOutcome(
            "agent without service",
            "service EyrieAgent of this desktop",
            seen="no command line that names the agent",
            wanted="the one that the MSI made",
            next_step="repair it (msiexec /fa), or remove the agent and run site.yml",
        )
    converge = _converging(
        desktop,
        order,
        lambda words: lines.agent(words.split(), seen.python, seen.agent),
        any_version=not order.package.source,
    )
    return converge, seen


def _converging(desktop: Desktop, order: Order, line: Callable[[str], str], *, any_version: bool) -> Converge:
    def converge(secrets: Secrets, *, check: bool = False) -> Answer | None:
        words = "converge --check" if order.check or check else "converge"
        return read(desktop.run(line(words), spec(order.wanted, secrets, any_version=any_version)))

    return converge


def _answered(answer: Answer | None) -> Answer:
    if answer is None or answer.outdated:
        raise DesktopOutcome(
            "agent does not answer",
            "agent of this desktop",
            seen=f"version {answer.version}" if answer else "no answer to converge",
            wanted="the answer of the version that was just installed",
            next_step="an antivirus may have taken a file of it: see its log, and except"
            " %ProgramFiles%\\Eyrie from it",
        )
    return answer


def _reboot(desktop: Desktop, order: Order, story: Story, report: Report, converge: Converge) -> None:
    if not report.reboot_required or order.check:
        return
    answer = _answered(converge(NOTHING))
    report.reboot_refused = may_reboot(answer, allowed=order.reboot_allowed)
    if report.reboot_refused:
        return
    before = answer.facts.get("boot_id")
    story.tell("restarting: nobody is there")
    desktop.run('shutdown /r /t 5 /d p:4:1 /c "Eyrie: an update needs a restart, and nobody is here"')
    for _ in range(REBOOT_POLLS):
        story.sleep(REBOOT_SECONDS)
        desktop.again()
        again = converge(NOTHING)
        if again is not None and again.facts.get("boot_id") != before:
            report.take(again)
            report.rebooted, report.reboot_required, report.changed = True, again.reboot_required, True
            return
    raise DesktopOutcome(
        "not restarted",
        "this desktop after shutdown /r",
        seen=f"the same boot after {REBOOT_POLLS * REBOOT_SECONDS:.0f} s",
        wanted="another one",
        next_step="look at its screen: a program may hold the restart up",
    )


def shown(diff: list[dict[str, str]]) -> dict[str, str]:
    """Return a diff as Ansible shows it."""
    return {
        side: "".join(f"{each['thing']}: {each[side]}\n" for each in diff) for side in ("before", "after")
    }


def public(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts for a result: of the token its fingerprint alone, and no certificate."""
    digest = str((facts.get("token") or {}).get("sha256", ""))
    shorter = {key: value for key, value in facts.items() if key != "hub"}
    return {**shorter, "token": f"sha256:{digest[:8]}" if digest else "absent"} if facts else {}
