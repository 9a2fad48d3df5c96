# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the agent's package onto a desktop, whatever happens on the way."""

from __future__ import annotations

from eyrie.desktops import lines, look
from eyrie.desktops.lines import Folder
from eyrie.desktops.model import Desktop, DesktopOutcome, Done, Lost, Package, Seen, Story
from eyrie.desktops.plan import Step, plan
from eyrie.errors import EyrieError
from eyrie.windows.installer_codes import Ending, Outcome, explain

BUSY_PAUSES = (5, 10, 20, 40, 60, 60, 60, 60)
"""Seconds between tries while Windows Installer is busy: five minutes in all."""

LOST_TRIES = 3
SETTLE_POLLS, SETTLE_SECONDS = 100, 3.0
TASK_POLLS, TASK_SECONDS = 150, 2.0


def see(desktop: Desktop) -> Seen:
    """Look at a desktop, in one round trip."""
    done = desktop.run(look.line())
    seen = look.parse(done)
    if seen is None:
        raise DesktopOutcome(
            "no cmd.exe",
            "command prompt of this desktop",
            seen=done.reason,
            wanted="cmd.exe's answers",
            next_step="is the host in the right group? windows_desktops are spoken to by cmd.exe",
        )
    return seen


def install(desktop: Desktop, package: Package, story: Story, *, check: bool = False) -> tuple[Step, Seen]:
    """Have the package installed; returns what that took and how the desktop is now.

    A connection that is lost while msiexec runs tells nothing of its end: the desktop is looked at again, and
    what is still to do is done.
    """
    lines.check_source(package.source)
    first: Step | None = None
    seen: Seen | None = None
    for left in range(LOST_TRIES, -1, -1):
        try:
            if seen is not None:
                settle(desktop, seen, story)
            seen = see(desktop)
            step = plan(seen, package)
            first = first or step
            if step is Step.KEEP or check:
                return first, seen
            if settle(desktop, seen, story):  # of a play that was ended, or another one
                seen = see(desktop)
                if plan(seen, package) is Step.KEEP:
                    return first, seen
            _install_once(desktop, package, seen, story)
        except Lost:
            if not left:
                raise
            story.tell("the connection was lost; looking again")
            desktop.again()
        else:
            return first, _proven(desktop, package)
    raise AssertionError("the last try returns or raises")


def settle(desktop: Desktop, seen: Seen, story: Story) -> bool:
    """Let a msiexec end that nobody waits for: a second one beside it would take its files away.

    Returns whether there was one.
    """
    for waited in range(SETTLE_POLLS):
        if lines.BUSY not in desktop.run(Folder(seen.programs).quiet()).out:
            return waited > 0
        if not waited:
            story.tell("waiting for a msiexec that runs already")
        story.sleep(SETTLE_SECONDS)
    raise DesktopOutcome(
        "another installation is running",
        "msiexec of an earlier play on this desktop",
        seen=f"still running after {SETTLE_POLLS * SETTLE_SECONDS:.0f} s",
        wanted="its end",
        next_step="end it on the desktop, or restart that, then run again",
    )


def _proven(desktop: Desktop, package: Package) -> Seen:
    seen = see(desktop)
    if plan(seen, package, tidy=False) is not Step.KEEP:
        raise DesktopOutcome(
            "not installed after all",
            "agent of this desktop after msiexec",
            seen=seen.version or "none",
            wanted=package.version,
            next_step="see the event log of the desktop (source MsiInstaller), then run again",
        )
    return seen


def _install_once(desktop: Desktop, package: Package, seen: Seen, story: Story) -> None:
    folder = Folder(seen.programs)
    must(desktop, folder.make(), "make a folder for the package")
    source = _fetch(desktop, package, seen, folder, story)
    for product in seen.products:
        forget_dead(desktop, product, story)
    ending = msiexec(desktop, folder, folder.install(package, source), story)
    if ending.outcome is Outcome.OTHER_VERSION and seen.products:
        for product in seen.products:
            story.tell(f"removing {product}")
            ended(msiexec(desktop, folder, folder.uninstall(product), story), removed=True)
        ending = msiexec(desktop, folder, folder.install(package, source), story)
    ended(ending)
    story.reboot = story.reboot or ending.reboot
    desktop.run(folder.remove())
    for release in sorted(set(seen.releases) - {package.release} if package.release else ()):
        # Windows Installer forgets what a hanging service or a lost power kept it from removing.
        desktop.run(folder.remove_release(release))


def forget_dead(desktop: Desktop, product: str, story: Story) -> bool:
    """Have a product forgotten that Windows Installer could neither upgrade nor remove: its package is gone.

    A lost power leaves that, where the disk has the removal of a package and not yet that of its entry; so
    does who tidies Windows' folder of packages. Returns whether it was so.
    """
    if lines.DEAD not in desktop.run(lines.dead(product)).out:
        return False
    story.tell(f"forgetting {product}: the package that Windows Installer kept of it is gone")
    desktop.run(lines.forget(product))  # not all need be there; one that stays makes msiexec end by its name
    return True


def _fetch(desktop: Desktop, package: Package, seen: Seen, folder: Folder, story: Story) -> str:
    """Have the package there with the right hash; returns a URL if msiexec shall fetch it itself."""
    if lines.is_url(package.source) and not seen.curl:
        if package.msiexec_fetches:
            story.tell("msiexec fetches the package itself; its hash is not checked")
            return package.source
        raise DesktopOutcome(
            "no curl on this desktop",
            "curl.exe of this desktop (Windows 10 1803 and newer have it)",
            seen="none",
            wanted="a way to fetch the MSI",
            next_step="use a share or a file as windows_agent_msi_source, or windows_agent_msiexec_fetches",
        )
    if lines.is_url(package.source) and package.ca:
        must(
            desktop, folder.write(folder.authority), "write the authority's certificate", package.ca.encode()
        )
    done = desktop.run(folder.fetch(package))
    if done.code != 0:
        raise DesktopOutcome(
            "the package cannot be fetched",
            f"the MSI from {package.source}",
            seen=done.reason,
            wanted="the file",
            next_step="check that this desktop reaches it; a share is not reached by NTLM logons, which"
            " delegate nothing: use the depot's URL, Kerberos with delegation, or a file on the desktop",
        )
    lines.compare(desktop.run(folder.hash()), package)
    return ""


def msiexec(desktop: Desktop, folder: Folder, line: str, story: Story) -> Ending:
    """Run msiexec until it is not busy, and as the system account where only that helps."""
    for pause in (*BUSY_PAUSES, 0):
        done = desktop.run(line)
        ending = _explained(desktop, folder, done.code)
        story.tell(f"msiexec ended with {done.code}: {ending.outcome.value}")
        if ending.as_system:
            return _as_system(desktop, folder, line, story)
        if not ending.retry or not pause:
            return ending
        story.sleep(pause)
    raise AssertionError("the last try returns")


def _explained(desktop: Desktop, folder: Folder, code: int) -> Ending:
    ending = explain(code)
    if ending.outcome is not Outcome.FAILED:
        return ending
    # Not every `type` turns the log's UTF-16 into what the prompt speaks; what is looked for is ASCII.
    return explain(code, desktop.run(folder.read_log()).out.replace("\0", ""))


def _as_system(desktop: Desktop, folder: Folder, line: str, story: Story) -> Ending:
    """Run the same line by a task of the system account, which needs no key container of ours."""
    must(desktop, folder.write(folder.script), "write the task's script", folder.script_of(line))
    must(desktop, lines.delete_result(folder), "forget an earlier result")
    must(desktop, folder.create_task(), "create a task of the system account")
    try:
        must(desktop, lines.run_task(), "run the task")
        code = _result(desktop, folder, story)
    finally:
        desktop.run(lines.delete_task())
    ending = _explained(desktop, folder, code)
    story.tell(f"msiexec as SYSTEM ended with {code}: {ending.outcome.value}")
    return ending


def _result(desktop: Desktop, folder: Folder, story: Story) -> int:
    for _ in range(TASK_POLLS):
        text = desktop.run(folder.read_result()).out.strip()
        if text.lstrip("-").isdigit():
            return int(text)
        story.sleep(TASK_SECONDS)
    raise DesktopOutcome(
        "the task does not end",
        f"task {lines.TASK!r} on this desktop",
        seen=f"no result within {TASK_POLLS * TASK_SECONDS:.0f} s",
        wanted="msiexec's exit code",
        next_step="see the task's history and the log beside its script, then run again",
    )


def repair(desktop: Desktop, package: Package, seen: Seen, story: Story) -> None:
    """Have Windows Installer put back what is missing or altered of an agent that is installed."""
    story.tell("the agent does not answer; repairing it")
    folder = Folder(seen.programs)
    must(desktop, folder.make(), "make a folder for the package")
    source = _fetch(desktop, package, seen, folder, story)
    ending = msiexec(desktop, folder, folder.repair(package, source), story)
    ended(ending)
    story.reboot = story.reboot or ending.reboot
    desktop.run(folder.remove())


def ended(ending: Ending, *, removed: bool = False) -> None:
    """Raise the named outcome of a run that did not do its work."""
    if ending.ok or (removed and ending.outcome is Outcome.ABSENT):
        return
    raise DesktopOutcome(
        ending.outcome.value,
        "msiexec on this desktop",
        seen=f"exit code {ending.code}, {ending.outcome.value}",
        wanted="0",
        next_step=f"{ending.next_step}; its log: %ProgramFiles%\\{look.INSTALL_FOLDER}\\agent.log",
    )


def must(desktop: Desktop, line: str, purpose: str, given: bytes | None = None) -> Done:
    """Run a line that must succeed."""
    done = desktop.run(line, given)
    if done.code != 0:
        raise EyrieError(
            f"Could not {purpose}",
            seen=done.reason,
            wanted="exit code 0",
            next_step="check rights and room there",
        )
    return done
