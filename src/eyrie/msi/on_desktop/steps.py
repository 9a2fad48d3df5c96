# SPDX-License-Identifier: GPL-3.0-or-later
"""What each custom action of the MSI does; why there are these is in `eyrie.msi.tables`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

assert sys.platform == "win32"

from eyrie.msi.on_desktop import scm  # noqa: E402 - only there
from eyrie.msi.on_desktop.releases import image_path, publish, release_of, remove_others  # noqa: E402

RELEASE = Path(sys.argv[0]).resolve().parent
INSTALL = RELEASE.parent.parent
START_SECONDS = 30.0
STOPPED_SECONDS = 5.0  # a service that says so for this long is not merely slow


def adopt() -> None:
    """Make this release the one that runs: first the service, then the paths that people use."""
    wanted = image_path(RELEASE)
    with scm.service(scm.QUERY_CONFIG | scm.CHANGE_CONFIG) as handle:
        current = scm.configured(handle) if handle else None
        scm.set_value("Previous", current if current != wanted else None)
        if handle and current != wanted:
            scm.configure(handle, wanted)
    scm.set_value("Release", RELEASE.name)
    publish(RELEASE, INSTALL)


def undo() -> None:
    """Go back to the release that ran before, where there was one."""
    previous = scm.get_value("Previous")
    release = release_of(previous)
    if previous is None or release is None:
        return
    with scm.service(scm.CHANGE_CONFIG | scm.START) as handle:
        if handle:
            scm.configure(handle, previous)
            scm.start(handle)
    scm.set_value("Release", release.name)
    scm.set_value("Previous", None)
    publish(release, INSTALL)


def check() -> None:
    """Wait until the service runs; not every installer that registers one quotes its path."""
    with scm.service(scm.QUERY_CONFIG | scm.CHANGE_CONFIG) as handle:
        if handle and scm.configured(handle) != image_path(RELEASE):
            scm.configure(handle, image_path(RELEASE))
    begun = alive = time.monotonic()
    while (state := scm.state()) != scm.RUNNING:
        now = time.monotonic()
        if state != scm.STOPPED:
            alive = now
        if now - alive > STOPPED_SECONDS or now - begun > START_SECONDS:
            raise OSError(f"the service {scm.SERVICE} does not run (state {state})")
        time.sleep(0.1)


def enrol(secret: str) -> None:
    """Leave the enrolment secret where the service takes it away at its start."""
    scm.set_value("Enrolment", secret)


def leave() -> None:
    """Remove what these steps made."""
    remove_others(RELEASE, INSTALL)


STEPS = {"adopt": adopt, "undo": undo, "check": check, "enrol": enrol, "leave": leave}


def main() -> int:
    """Take one step; nobody sees what a custom action prints, so its trouble is kept in the registry."""
    verb, words = sys.argv[1], sys.argv[2:]
    try:
        STEPS[verb](*words)  # type: ignore[operator]
    except OSError as error:
        scm.set_value("LastTrouble", f"{verb}: {error}")
        return 1
    return 0
