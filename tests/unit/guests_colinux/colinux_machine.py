# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop that does the planner's steps as the fact sheet says Windows and coLinux do. It is a model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from eyrie.guests.colinux import Release
from eyrie.guests.colinux.install.model import (
    ACCOUNT,
    DISABLED,
    DRIVER_FILE,
    KERNEL,
    PROGRAM,
    RECOVERY,
    RUNNING,
    START,
    STOPPED,
    Present,
    Service,
    Step,
    Wanted,
)
from eyrie.guests.colinux_names import DAEMON, HELPERS

FOLDER = r"C:\coLinux"
HELPER = HELPERS["bridge"]


def wanted(release: str = "0.6.1", *, image: str = "i1", **changes: object) -> Wanted:
    """A guest, the content of whose files is told by its release."""
    of = Release.of(release)
    names = (DAEMON, DRIVER_FILE, KERNEL, HELPER)
    config = "desk.xml" if of.format == "xml" else "desk.conf"
    files = {
        **{name: f"{name} of {release}" for name in names},
        PROGRAM: "program",
        config: f"text {release}",
    }
    if image:
        files["root_fs.sha256"] = f"mark of {image}"
    usual = Wanted(
        release=of,
        service="Eyrie",
        config=config,
        files=files,
        helper=HELPER,
        image_sha256=image and f"sum {image}",
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


@dataclass
class Machine:
    """What is on it: files by content, driver and service by state, processes."""

    files: dict[str, str] | None = None
    driver: tuple[int, str] | None = None
    """State, and the content that is loaded."""

    driver_line: str = rf"{FOLDER}\{DRIVER_FILE}"
    service: Service | None = None
    events: str = ""
    daemon: bool = False
    helper: bool = False
    dirty: list[str] = field(default_factory=list)
    """Guests that were cut off while they ran, by our doing."""

    def look(self) -> Present:
        """Read it."""
        files = dict(self.files or {})
        if PROGRAM not in files:
            files = dict.fromkeys(files, "")
        return Present(
            folder=self.files is not None,
            files=files,
            driver=Service(self.driver[0], self.driver_line) if self.driver else None,
            service=self.service,
            events=self.events,
            daemons=int(self.daemon),
            helpers=int(self.helper),
        )

    def cut_power(self, during: Step | None = None) -> None:
        """Cut it, perhaps while a step is done, and switch it on again."""
        if during and during.verb == "put" and self.files is not None:
            self.files[f"{during.name}.new"] = "a part"
        if during and during.verb == "bring-program" and self.files is not None:
            self.files |= {"eyrie.b64": "text", PROGRAM: "half a program"}
        self.daemon = self.helper = False
        if self.service:
            self.service = replace(self.service, state=STOPPED)
        if self.driver and self.files and DRIVER_FILE in self.files:
            self.driver = (RUNNING, self.files[DRIVER_FILE])
        elif self.driver:
            self.driver = (STOPPED, "")
        if self.service and self.service.start == START["auto"]:
            self.run()

    def run(self) -> None:
        """Start the service: RUNNING first, the rest as it may be."""
        assert self.service
        files = self.files or {}
        release = files.get(DAEMON, "").rpartition(" ")[2]
        fits = bool(release) and all(files.get(name) == f"{name} of {release}" for name in (KERNEL, HELPER))
        loaded = self.driver == (RUNNING, f"{DRIVER_FILE} of {release}")
        config = any(files.get(name) == f"text {release}" for name in ("desk.xml", "desk.conf"))
        up = fits and loaded and config and "root_fs" in files
        self.service = replace(self.service, state=RUNNING if up else STOPPED)
        self.daemon = self.helper = up

    def do(self, step: Step, want: Wanted) -> None:
        """Do a step; what a real desktop would refuse is an error of the plan."""
        verb = step.verb.replace("-", "_")
        getattr(self, f"_{verb}")(step, want)

    def _stop(self, step: Step, want: Wanted) -> None:
        self.daemon = self.helper = False
        if self.service:
            self.service = replace(self.service, state=STOPPED)

    def _hold_service(self, step: Step, want: Wanted) -> None:
        assert self.service
        self.service = replace(self.service, start=DISABLED)

    def agent_starts(self) -> None:
        """The desktop's agent tries to start the guest, as it may at any time."""
        if self.service and self.service.start != DISABLED and not self.daemon:
            self.run()

    def _remove_service(self, step: Step, want: Wanted) -> None:
        assert self.service and not self.daemon, "a service is removed after it was stopped"
        self.service = None

    def _remove_driver(self, step: Step, want: Wanted) -> None:
        assert self.driver and not self.daemon, "monitors are running"
        self.driver = None

    def _make_folder(self, step: Step, want: Wanted) -> None:
        assert self.files is None
        self.files = {}

    def _bring_program(self, step: Step, want: Wanted) -> None:
        assert self.files is not None
        self.files[PROGRAM] = want.files[PROGRAM]
        self.files.pop("eyrie.b64", None)

    def _delete(self, step: Step, want: Wanted) -> None:
        assert self.files
        del self.files[step.name]

    def _put(self, step: Step, want: Wanted) -> None:
        assert self.files is not None and self.files.get(PROGRAM) == want.files[PROGRAM], (
            "brought by the program"
        )
        assert not (self.daemon and step.name in (want.image, DAEMON, HELPER)), "in use"
        assert not (self.driver and step.name == DRIVER_FILE), "loaded"
        self.files[step.name] = "the guest wrote" if step.name == want.image else want.files[step.name]

    def _install_driver(self, step: Step, want: Wanted) -> None:
        assert self.driver is None, "it would say success and change nothing"
        assert self.files is not None
        self.driver = (RUNNING, self.files[DRIVER_FILE])
        self.driver_line = rf"{FOLDER}\{DRIVER_FILE}"

    def _set_events(self, step: Step, want: Wanted) -> None:
        self.events = rf"{FOLDER}\{DAEMON}"

    def _install_service(self, step: Step, want: Wanted) -> None:
        assert self.service is None, "a name that exists fails"
        assert self.files is not None and want.config in self.files, "0.7 reads it on the spot"
        line = rf'"{FOLDER}\{DAEMON}" --run-service "{want.service}" {FOLDER}\{want.config}'
        self.service = Service(STOPPED, line, START["demand"], r"NT AUTHORITY\NetworkService", (90, ()))

    def _configure_service(self, step: Step, want: Wanted) -> None:
        assert self.service
        self.service = replace(self.service, start=START[want.start], account=ACCOUNT)

    def _set_recovery(self, step: Step, want: Wanted) -> None:
        assert self.service
        self.service = replace(self.service, recovery=(86400, ()) if want.start == "agent" else RECOVERY)

    def _start(self, step: Step, want: Wanted) -> None:
        assert self.service
        if self.daemon and not self.helper:
            raise AssertionError("started while a guest without a network runs")
        self.run()

    def _remove_events(self, step: Step, want: Wanted) -> None:
        self.events = ""

    def _remove_folder(self, step: Step, want: Wanted) -> None:
        assert not self.daemon and self.driver is None
        self.files = None
