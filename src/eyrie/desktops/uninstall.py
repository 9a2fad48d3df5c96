# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the agent off a desktop and proves that nothing of it is left."""

from __future__ import annotations

from eyrie.desktops.install import LOST_TRIES, ended, forget_dead, msiexec, must, see, settle
from eyrie.desktops.lines import Folder, agent_of_release, leftovers
from eyrie.desktops.model import Desktop, DesktopOutcome, Lost, Seen, Story


def uninstall(desktop: Desktop, story: Story, *, check: bool = False) -> bool:
    """Remove the agent, and prove that nothing of it is left; returns whether anything was there."""
    seen: Seen | None = None
    for left in range(LOST_TRIES, -1, -1):
        try:
            if seen is not None:
                settle(desktop, seen, story)
            seen = see(desktop)
            there = bool(things(seen))
            if there and not check:
                _uninstall_once(desktop, seen, story)
        except Lost:
            if not left:
                raise
            story.tell("the connection was lost; looking again")
            desktop.again()
        else:
            return there or bool(story.steps)
    raise AssertionError("the last try returns or raises")


def _uninstall_once(desktop: Desktop, seen: Seen, story: Story) -> None:
    folder = Folder(seen.programs)
    if seen.products:
        must(desktop, folder.make(), "make a folder for the log")
    for product in seen.products:
        if forget_dead(desktop, product, story):
            for release in seen.releases:  # its agent undoes what no package knows of: guest, firewall
                desktop.run(agent_of_release("purge", release))
            continue
        ending = msiexec(desktop, folder, folder.uninstall(product), story)
        ended(ending, removed=True)
        story.reboot = story.reboot or ending.reboot
    desktop.run(folder.remove())
    left = see(desktop)
    if things(left) and not left.products:
        story.tell(f"removing what a package left: {', '.join(things(left))}")
        for line in leftovers(left.left):
            desktop.run(line)
        left = see(desktop)
    if things(left):
        raise DesktopOutcome(
            "something is left",
            "this desktop after the agent was removed",
            seen=", ".join(things(left)),
            wanted="nothing of Eyrie",
            next_step="close what holds it, or restart the desktop, then run again",
        )


def things(seen: Seen) -> list[str]:
    """Name everything of Eyrie's that a desktop has."""
    found = [*seen.left, *seen.products]
    found += ["the service EyrieAgent"] if seen.service else []
    return found + ([r"HKLM\Software\Eyrie\Agent"] if seen.version else [])
