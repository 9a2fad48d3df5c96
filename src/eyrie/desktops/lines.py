# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines that install and remove; every value goes through `eyrie.windows.quoting`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eyrie.desktops.look import INSTALL_FOLDER, INSTALLER, packed
from eyrie.desktops.model import DesktopOutcome, Done, Package
from eyrie.desktops.sources import is_place
from eyrie.errors import EyrieError
from eyrie.msi.identity import UPGRADE_CODE
from eyrie.windows.quoting import command_line, msi_property

TASK = "Eyrie install"
BUSY = "eyrie:busy"
DEAD = "eyrie:dead"
_RELEASE = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,63}")
_PRODUCT = re.compile(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}")


def agent(words: list[str], python: str, program: str) -> str:
    """Run a verb of an agent that was found."""
    return command_line([python, "-B", program, *words])


def agent_of_release(words: str, release: str) -> str:
    """Run a verb of the agent that a release installs, where cmd itself knows the folder of programs."""
    folder = rf"%ProgramFiles%\Eyrie\versions\{_checked(release)}"
    return rf'"{folder}\python\python.exe" -B "{folder}\agent.pyz" {words}'


def _checked(release: str) -> str:
    if not _RELEASE.fullmatch(release):
        raise EyrieError("the agent's release", seen=release, wanted="a version and part of a hash")
    return release


class Folder:
    """Where the package lies while it is installed: below %ProgramFiles%, where only administrators write.

    What was hashed is then what is installed; in a temporary folder anybody could exchange it in between.
    """

    def __init__(self, programs: str) -> None:
        self.path = rf"{programs}\{INSTALL_FOLDER}"
        self._releases = rf"{programs}\Eyrie\versions"
        self.msi = rf"{self.path}\agent.msi"
        self.log = rf"{self.path}\agent.log"
        self.authority = rf"{self.path}\authority.pem"
        self.script = rf"{self.path}\install.cmd"
        self.result = rf"{self.path}\result.txt"

    def make(self) -> str:
        """Have the folder, empty."""
        return f"{self.remove()} & {command_line(['mkdir', self.path])}"

    def remove(self) -> str:
        """Have it gone; that it was not there is no fault."""
        return f"{command_line(['rmdir', '/s', '/q', self.path])} 2>nul"

    def remove_release(self, release: str) -> str:
        """Have an old release gone whose package is; what a program holds of it stays for the next run."""
        path = rf"{self._releases}\{_checked(release)}"
        return f"{command_line(['rmdir', '/s', '/q', path])} 2>nul"

    def fetch(self, package: Package) -> str:
        """Bring the package here."""
        if is_url(package.source):
            # An authority of the pool's own publishes no list of what it revoked.
            trust = ["--ssl-no-revoke", "--cacert", self.authority] if package.ca else []
            options = ["--fail", "--silent", "--show-error", "--retry", "3", *trust]
            return command_line(["curl.exe", *options, "--output", self.msi, package.source])
        return command_line(["copy", "/y", "/b", package.source, self.msi])

    def hash(self) -> str:
        """Print its hash; certutil reads a local file and nothing else here."""
        return command_line(["certutil", "-hashfile", self.msi, "SHA256"])

    def install(self, package: Package, source: str = "") -> str:
        """Install silently, wait, and keep the log."""
        line = self._msiexec("/i", source or self.msi)
        return " ".join([line, *(msi_property(name, value) for name, value in package.properties)])

    def uninstall(self, product: str) -> str:
        """Remove a product."""
        return self._msiexec("/x", _product(product))

    def repair(self, package: Package, source: str = "") -> str:
        """Put a package's files back, whatever is there; `/f` would want the one that Windows keeps."""
        everything = (msi_property("REINSTALL", "ALL"), msi_property("REINSTALLMODE", "vamus"))
        return " ".join([self.install(package, source), *everything])

    def _msiexec(self, verb: str, what: str) -> str:
        # msiexec parses its line by itself: an option must not be quoted, as `*` would have it.
        line = command_line(["start", "", "/wait", "msiexec", verb, what, "/qn", "/norestart"])
        return f"{line} /l*v {command_line([self.log])}"

    def read_log(self) -> str:
        """Print the log; cmd's own `type` understands the UTF-16 that it is written in."""
        return command_line(["type", self.log])

    @staticmethod
    def write(path: str) -> str:
        """Write standard input, which is text, to a file."""
        # Not a console: it copies, line by line.
        return f"more >{command_line([path])}"

    def quiet(self) -> str:
        """Say whether a msiexec that nobody waits for any more still writes its log, which it keeps open."""
        log = command_line([self.log])
        return f"del /q {log} 2>nul & if exist {log} echo {BUSY}"

    def script_of(self, line: str) -> bytes:
        """Return a batch file that runs a line and leaves its exit code, whole or not at all."""
        draft = command_line([self.result + ".new"])
        rows = [
            "@echo off",
            line,
            f"echo %errorlevel%>{draft}",
            f"move /y {draft} {command_line([self.result])}",
        ]
        return ("\r\n".join(rows) + "\r\n").encode("ascii", "strict")

    def create_task(self) -> str:
        """Have the system account run the script once; no password is asked for."""
        return command_line(
            ["schtasks", "/create", "/f", "/tn", TASK, "/ru", "SYSTEM", "/sc", "once", "/st", "00:00",
             "/tr", f'"{self.script}"']
        )  # fmt: skip

    def read_result(self) -> str:
        """Print the exit code once it is there."""
        path = command_line([self.result])
        return f"(if exist {path} type {path})"


def _product(code: str) -> str:
    if not _PRODUCT.fullmatch(code):
        raise EyrieError("the product's code", seen=code, wanted="a GUID in braces")
    return code


def dead(product: str) -> str:
    """Say whether the package that Windows Installer keeps of a product is gone: it cannot remove it then."""
    key = rf"{INSTALLER}\UserData\S-1-5-18\Products\{packed(_product(product))}\InstallProperties"
    asked = f"reg query {key} /v LocalPackage 2^>nul"
    return f'for /f "tokens=2,*" %a in (\'{asked}\') do @if not exist "%b" echo {DEAD}'


def forget(product: str) -> str:
    """Have Windows Installer forget a product: this is all it knows of one installed for the machine."""
    name, upgrades = packed(_product(product)), packed(UPGRADE_CODE)
    classes = r"HKLM\SOFTWARE\Classes\Installer"
    keys = (
        rf"{classes}\Products\{name}",
        rf"{classes}\Features\{name}",
        rf"{classes}\UpgradeCodes\{upgrades} /v {name}",
        rf"{INSTALLER}\UpgradeCodes\{upgrades} /v {name}",
        rf"{INSTALLER}\UserData\S-1-5-18\Products\{name}",
        rf"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{product}",
    )
    return " & ".join(f"reg delete {key} /f 2>nul" for key in keys)


def delete_result(folder: Folder) -> str:
    """Have no result of an earlier run."""
    path = command_line([folder.result])
    return f"(if exist {path} del /q {path})"


def run_task() -> str:
    """Start the task."""
    return command_line(["schtasks", "/run", "/tn", TASK])


def delete_task() -> str:
    """Remove the task."""
    return command_line(["schtasks", "/delete", "/f", "/tn", TASK])


def leftovers(folders: Sequence[str]) -> list[str]:
    """Remove what a package that is gone left behind: service, settings and Eyrie's own folders."""
    return [
        "sc stop EyrieAgent",
        "sc delete EyrieAgent",
        r"reg delete HKLM\Software\Eyrie\Agent /f",
        *(command_line(["rmdir", "/s", "/q", folder]) for folder in folders),
    ]


def is_url(source: str) -> bool:
    """Whether the package comes from the web."""
    return "://" in source


def check_source(source: str) -> None:
    """Refuse what is no source: http would be one that anybody on the way can exchange."""
    if source and not is_place(source):
        raise EyrieError(
            "windows_agent_msi_source",
            seen=source,
            wanted="an https URL, \\\\SERVER\\SHARE\\FILE.msi, or X:\\FOLDER\\FILE.msi",
            next_step="correct it in the inventory",
        )


def compare(done: Done, package: Package) -> None:
    """Read certutil's answer: 64 hex digits, on Windows 7 with blanks between; its words are localised."""
    found = [
        text
        for each in done.out.splitlines()
        if re.fullmatch(r"[0-9a-f]{64}", text := each.replace(" ", "").strip().lower())
    ]
    if done.code != 0 or found != [package.sha256]:
        raise DesktopOutcome(
            "the package has another hash",
            f"the MSI from {package.source}",
            seen=f"SHA-256 {found[0]}" if found else done.reason,
            wanted=f"SHA-256 {package.sha256}",
            next_step="publish the MSI that this pool uses (site.yml does); nothing was installed",
        )
