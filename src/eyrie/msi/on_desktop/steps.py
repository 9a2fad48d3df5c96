# SPDX-License-Identifier: GPL-3.0-or-later
"""What each custom action of the MSI does; why there are these is in `eyrie.msi.tables`."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path

assert sys.platform == "win32"

from eyrie.msi.on_desktop import disk, scm  # noqa: E402 - only there
from eyrie.msi.on_desktop.releases import image_path, publish, release_of, remove_others  # noqa: E402

RELEASE = Path(sys.argv[0]).resolve().parent
INSTALL = RELEASE.parent.parent if RELEASE.parent.name == "versions" else RELEASE
BEFORE = INSTALL / "before.json"
VALUES = ("Version", "InstallDir", "Server", "Pool", "Release")
STARTS = 3  # the service manager gives a program 30 s to answer, which a busy desktop may miss
PENDING_SECONDS = 60.0


def remember() -> None:
    """Write down what runs now, for `undo`."""
    with scm.service(scm.QUERY_CONFIG) as handle:
        image = scm.configured(handle) if handle else None
    before = {"image": image, "values": {name: scm.get_value(name) for name in VALUES}}
    BEFORE.write_text(json.dumps(before), encoding="utf-8")


def adopt() -> None:
    """Make this release the one that runs: first the service, then the paths that people use.

    Its files are on the disk before the service names them.
    """
    try:
        disk.flush(RELEASE)
    except OSError as error:  # Wine cannot; and no desktop shall go without its agent for that
        scm.set_value("LastTrouble", f"adopt: {error}")
    with scm.service(scm.QUERY_CONFIG | scm.CHANGE_CONFIG) as handle:
        if handle and scm.configured(handle) != image_path(RELEASE):
            scm.configure(handle, image_path(RELEASE))
    scm.set_value("Release", RELEASE.name)
    publish(RELEASE, INSTALL)


def undo() -> None:
    """Go back to what ran before, where something did."""
    before = json.loads(BEFORE.read_text(encoding="utf-8"))
    release = release_of(before["image"])
    if release is None:
        return
    with scm.service(scm.CHANGE_CONFIG | scm.START) as handle:
        if handle:
            scm.configure(handle, before["image"])
        for name, value in before["values"].items():
            scm.set_value(name, value)
        publish(release, INSTALL)
        if handle:
            scm.start(handle)


def check() -> None:
    """Wait until the service runs; not every installer that registers one quotes its path.

    That it names this release is on the disk then: only after this step the old one goes.
    """
    with scm.service(scm.QUERY_CONFIG | scm.CHANGE_CONFIG) as handle:
        if handle and scm.configured(handle) != image_path(RELEASE):
            scm.configure(handle, image_path(RELEASE))
    if not _starts():
        state = scm.state()
        undo()
        raise OSError(f"the service {scm.SERVICE} does not run (state {state})")
    scm.flush()


def _starts() -> bool:
    """Wait until the service runs; start it again where it did not come up."""
    for _attempt in range(STARTS):
        if _comes_up():
            return True
        with scm.service(scm.START) as handle, suppress(OSError):
            if handle:
                scm.start(handle)
    return _comes_up()


def _comes_up() -> bool:
    """Wait until the service runs; it does not once it says for a second that it is stopped."""
    begun = alive = time.monotonic()
    while (state := scm.state()) != scm.RUNNING:
        now = time.monotonic()
        if state != scm.STOPPED:
            alive = now
        if now - alive > 1.0 or now - begun > PENDING_SECONDS:
            return False
        time.sleep(0.1)
    return True


def enrol(secret: str) -> None:
    """Leave the enrolment secret where the service takes it away at its start."""
    scm.set_value("Enrolment", secret)


def leave() -> None:
    """Remove what these steps made."""
    remove_others(RELEASE, INSTALL)
    with suppress(OSError):
        BEFORE.unlink()
    scm.remove_keys()


STEPS = {"remember": remember, "adopt": adopt, "undo": undo, "check": check, "enrol": enrol, "leave": leave}


def main() -> int:
    """Take one step; nobody sees what a custom action prints, so its trouble is kept in the registry."""
    verb, words = sys.argv[1], sys.argv[2:]
    try:
        STEPS[verb](*words)  # type: ignore[operator]
    except (OSError, ValueError) as error:
        scm.set_value("LastTrouble", f"{verb}: {error}")
        return 1
    return 0
