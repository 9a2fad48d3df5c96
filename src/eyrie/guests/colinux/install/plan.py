# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is there to what is wanted, in ordered steps. No I/O.

Power may be cut between any two steps, and in the middle of one: planned again from what is there then, the
rest leads to the same end. So nothing is replaced while it is loaded or runs, and what tells of a thing is
written after it (the image's mark, the service after its configuration).
"""

from __future__ import annotations

from collections.abc import Iterator

from eyrie.errors import EyrieError
from eyrie.guests.colinux.install.model import (
    ACCOUNT,
    DRIVER_FILE,
    PROGRAM,
    RECOVERY,
    RUNNING,
    START,
    Present,
    Service,
    Step,
    Wanted,
)
from eyrie.guests.colinux_names import DAEMON

TEMPORARY = ".new"
IN_USE = "in-use"
BROUGHT = ("eyrie.b64", "eyrie.vbs")
"""What the program was decoded from (carry)."""


def present(seen: Present, wanted: Wanted) -> list[Step]:
    """Return the steps to a desktop with this guest; none if it has it."""
    image = _image(seen, wanted)
    changed = [name for name, digest in wanted.files.items() if seen.files.get(name) != digest]
    strays = sorted(name for name in seen.files if name.endswith(TEMPORARY) or name in BROUGHT)
    driver = _driver(seen, wanted)
    service = _service(seen, wanted)
    steps: list[Step] = []
    why = _stop(seen, wanted, bool(changed or image), driver or service)
    held = wanted.start == "agent" and seen.service and bool(changed or image or driver or service)
    if held:
        steps.append(Step("hold-service", wanted.service, "the agent must not start it meanwhile"))
    if held or (why and seen.guest):  # the agent may have started it since the look
        steps.append(Step("stop", wanted.service, why))
    if service and seen.service:
        steps.append(Step("remove-service", wanted.service, service))
    if driver and seen.driver:
        steps.append(Step("remove-driver", "", driver))
    if not seen.folder:
        steps.append(Step("make-folder", wanted.folder))
    if seen.files.get(PROGRAM) != wanted.files[PROGRAM]:
        steps.append(Step("bring-program", PROGRAM))
    steps += [Step("delete", name, "left by a run that was cut off") for name in strays]
    steps += [Step("put", name) for name in changed if name not in (PROGRAM, wanted.mark)]
    steps += image
    if driver:
        steps.append(Step("install-driver", DRIVER_FILE, driver))
    if seen.events.lower() != daemon(wanted).lower():
        steps.append(Step("set-events"))
    if service:
        steps.append(Step("install-service", wanted.service, service))
    steps += _settings(None if service or held else seen.service, wanted)
    if wanted.running and (why or not seen.guest):
        steps.append(Step("start", wanted.service, why if seen.guest else ""))
    return steps


def absent(seen: Present, wanted: Wanted) -> list[Step]:
    """Return the steps to a desktop without it."""
    if seen.folder and seen.files and PROGRAM not in seen.files:
        raise EyrieError(
            f"folder {wanted.folder}",
            seen=", ".join(sorted(seen.files)[:8]),
            wanted=f"our own, with {PROGRAM} in it",
            next_step="correct colinux_folder, or remove by hand what others put there",
        )
    steps = [Step("stop", wanted.service)] if seen.guest else []
    steps += [Step("remove-service", wanted.service)] if seen.service else []
    steps += [Step("remove-driver")] if seen.driver and _ours(seen.driver, wanted) else []
    steps += [Step("remove-events")] if seen.events.lower() == daemon(wanted).lower() else []
    return [*steps, Step("remove-folder", wanted.folder)] if seen.folder else steps


def daemon(wanted: Wanted) -> str:
    """Return the daemon's path."""
    return rf"{wanted.folder}\{DAEMON}"


def _image(seen: Present, wanted: Wanted) -> list[Step]:
    """Bring the image; its mark goes first and comes last."""
    if seen.files.get(wanted.image) == IN_USE and not seen.guest:
        raise EyrieError(
            rf"image {wanted.folder}\{wanted.image}",
            seen="in use, and not by this guest",
            wanted="an image that nobody else has open: a guest shares it with nobody",
            next_step="end the other guest, the copy or the antivirus that holds it",
        )
    if not wanted.image_sha256:
        if wanted.image not in seen.files:
            raise EyrieError(
                f"image {wanted.folder}\\{wanted.image}",
                seen="not there",
                wanted="the guest's root file system",
                next_step="put it there, unpacked, or name one of the control host with colinux_image_file",
            )
        return []
    mark = seen.files.get(wanted.mark)
    if wanted.image in seen.files and mark == wanted.files[wanted.mark]:
        return []
    steps = [Step("delete", wanted.mark)] if mark is not None else []
    return [*steps, Step("put", wanted.image, "another image, or a part of one"), Step("put", wanted.mark)]


def _driver(seen: Present, wanted: Wanted) -> str:
    """Return why the driver has to be installed anew, or nothing."""
    if seen.driver is None:
        return "not installed"
    if not _ours(seen.driver, wanted):
        raise EyrieError(
            "driver CoLinuxDriver",
            seen=seen.driver.line,
            wanted=f"none, or that of {wanted.folder}",
            next_step="remove it with its own colinux-daemon.exe --remove-driver",
        )
    if seen.driver.state != RUNNING:
        return f"there and does not run: state {seen.driver.state}"
    if seen.files.get(DRIVER_FILE) != wanted.files[DRIVER_FILE]:
        return "another release"
    return ""


def _ours(driver: Service, wanted: Wanted) -> bool:
    return driver.line.strip('"').lower() == rf"{wanted.folder}\{DRIVER_FILE}".lower()


def _service(seen: Present, wanted: Wanted) -> str:
    """Return why the service has to be registered anew, or nothing."""
    if seen.service is None:
        return "not registered"
    # Each release writes the line in its own way.
    line = seen.service.line.lower()
    parts = (daemon(wanted), rf"{wanted.folder}\{wanted.config}", wanted.service)
    if any(part.lower() not in line for part in parts):
        return "another command line"
    if seen.files.get(DAEMON) != wanted.files[DAEMON]:  # what it stores depends on the release
        return "another release"
    return ""


def _stop(seen: Present, wanted: Wanted, files: bool, again: str) -> str:
    """Return why a guest that runs must not run on, or nothing."""
    if wanted.running is False:
        return "not wanted now"
    if files:
        return "its files change"
    if again:
        return again
    if wanted.running is None:
        return ""
    if seen.service and seen.service.state == RUNNING and not seen.daemons:
        return "service RUNNING with no guest"
    if seen.guest and not seen.helpers:
        return "its network's helper is gone"
    return ""


def _settings(service: Service | None, wanted: Wanted) -> Iterator[Step]:
    """Set what --install-service sets otherwise."""
    if service is None or (service.start, service.account.lower()) != (START[wanted.start], ACCOUNT.lower()):
        yield Step("configure-service", wanted.service)
    if service is None or not _recovers(service, wanted):
        yield Step("set-recovery", wanted.service)


def _recovers(service: Service, wanted: Wanted) -> bool:
    """Whether Windows starts it again after a crash as wanted: behind the agent's back, never."""
    if wanted.start == "agent":
        return not any(action for action, _delay in service.recovery[1])
    return service.recovery == RECOVERY
