# SPDX-License-Identifier: GPL-3.0-or-later
"""A FAKE desktop: a dictionary that answers the lines that are sent, with exit codes a test scripts.

What real programs answer is the lab's desktop's business (tests/integration/test_windows_role.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from eyrie.desktops.look import packed, unpacked
from eyrie.desktops.model import Done, Lost
from eyrie.msi.identity import UPGRADE_CODE

PROGRAMS = r"C:\Program Files"
NEW = "{11111111-2222-3333-4444-555555555555}"
OLD = "{AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE}"


@dataclass
class FakeWindows:
    ver: str = "Microsoft Windows [Version 10.0.19045.3803]"
    arch: str = "AMD64,%PROCESSOR_ARCHITEW6432%"
    version: str = ""
    products: list[str] = field(default_factory=list)
    service: bool = False
    curl: bool = True
    pending: tuple[str, ...] = ()
    left: set[str] = field(default_factory=set)
    codes: list[object] = field(default_factory=list)
    """What msiexec ends with, one after the other: a code, or what to do at once; 0 afterwards."""

    sha256: str = "ab" * 32
    log: str = ""
    fetched: int = 0
    task_code: int | None = None
    stubborn: bool = False
    repaired: int = 0
    purged: int = 0
    busy: int = 0
    """How often a msiexec that nobody waits for is still found running."""

    dead: set[str] = field(default_factory=set)
    """Products whose package is gone: Windows Installer can neither upgrade nor remove them."""

    releases: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    given: list[bytes] = field(default_factory=list)
    came_back: int = 0
    _result: str = ""

    def __post_init__(self) -> None:
        self.products, self.codes, self.left = list(self.products), list(self.codes), set(self.left)

    def again(self) -> None:
        self.came_back += 1

    def count(self, words: str) -> int:
        return sum(words in line for line in self.lines)

    def run(self, line: str, given: bytes | None = None) -> Done:
        self.lines.append(line)
        if given is not None:
            self.given.append(given)
        for pattern, answer in self._answers():
            if match := re.search(pattern, line):
                return answer(match)
        raise AssertionError(f"the fake desktop knows no {line!r}")

    def _answers(self) -> list[tuple[str, Callable[[re.Match[str]], Done]]]:
        return [
            (r"^ver & ", lambda _: self._look()),
            (r"^del /q .* echo eyrie:busy", lambda _: self._quiet()),
            (r"^for /f .*\\Products\\(\w+)\\Inst", lambda match: self._looked_for(unpacked(match[1]))),
            (r"^reg delete .*\\Installer\\Products\\(\w+) ", lambda match: self._forgot(unpacked(match[1]))),
            (r"versions.(\d[^\\]*).*agent\.pyz\" purge", lambda match: self._purged(match[1])),
            (r"msiexec (/\w+) (\"[^\"]+\"|\S+)", lambda match: self._msiexec(match[1], match[2].strip('"'))),
            (r" & mkdir ", lambda _: self._made(True)),
            (r"^rmdir /s /q .*versions.(\d[^\"]*)", lambda match: self._released(match[1])),
            (r"rmdir /s /q \"([^\"]+)\"", lambda match: self._removed(match[1])),
            (r"rmdir /s /q (\S+)", lambda match: self._removed(match[1])),
            (r"curl\.exe|^copy ", lambda _: self._fetched()),
            (
                r"^certutil -hashfile",
                lambda _: Done(0, f"Hash SHA256:\r\n{self.sha256}\r\nCertUtil: ok\r\n", ""),
            ),
            (r"result\.txt\" type|result\.txt type", lambda _: Done(0, self._result, "")),
            (r"^type .*agent\.log", lambda _: Done(0, self.log, "")),
            (r"schtasks /run", lambda _: self._task()),
            (r"schtasks|^more >|del /q", lambda _: Done(0, "", "")),
            (r"^sc |^reg delete", lambda _: self._tidied()),
        ]

    def _look(self) -> Done:
        rows = [self.ver, f"eyrie:arch={self.arch} ", f"eyrie:programs={PROGRAMS} "]
        if self.version:
            rows += [r"HKEY_LOCAL_MACHINE\Software\Eyrie\Agent", f"    Version    REG_SZ    {self.version}"]
        if self.service:
            folder = rf"{PROGRAMS}\Eyrie\versions\r1"
            image = rf'"{folder}\python\pythonw.exe" -B "{folder}\agent.pyz" service'
            rows += [f"    ImagePath    REG_EXPAND_SZ    {image}"]
        if self.products:
            rows += [rf"HKEY_LOCAL_MACHINE\...\{packed(UPGRADE_CODE)}"]
            rows += [f"    {packed(product)}    REG_SZ    " for product in self.products]
        rows += self.releases
        rows += [f"eyrie:reboot={each}" for each in self.pending]
        rows += ["eyrie:curl=yes"] if self.curl else []
        rows += [f"eyrie:left={each} " for each in sorted(self.left)]
        return Done(0, "\r\n".join(["", *rows, "eyrie:end=yes", ""]), "")

    def _msiexec(self, verb: str, what: str) -> Done:
        code = self.codes.pop(0) if self.codes else 0
        if self.dead & set(self.products):
            code = 1612 if verb == "/x" else 1603
        if code == "lost before":
            raise Lost
        if code in (0, 3010, 1641, "lost after"):
            self._do(verb, what)
        if code == "lost after":
            raise Lost
        return Done(int(str(code)), "", "")

    def _do(self, verb: str, what: str) -> None:
        if verb == "/i" and "REINSTALL=" in self.lines[-1]:
            self.repaired += 1
        elif verb == "/i":
            self.version, self.products, self.service = "0.2.0", [NEW], True
            self.left |= {rf"{PROGRAMS}\Eyrie", r"C:\ProgramData\Eyrie"}
        else:
            self.products.remove(what)
            if not self.stubborn:
                self.version, self.service, self.left = "", False, {e for e in self.left if "install" in e}

    def _looked_for(self, product: str) -> Done:
        return Done(0, "eyrie:dead\r\n" if product in self.dead else "", "")

    def _forgot(self, product: str) -> Done:
        self.products.remove(product)
        return Done(0, "", "")

    def _purged(self, release: str) -> Done:
        assert release in self.releases
        self.purged += 1
        return Done(0, "", "")

    def _released(self, release: str) -> Done:
        self.releases.remove(release)
        return Done(0, "", "")

    def _quiet(self) -> Done:
        self.busy -= 1
        return Done(0, "eyrie:busy\r\n" if self.busy >= 0 else "", "")

    def _made(self, made: bool) -> Done:
        self.left.add(rf"{PROGRAMS}\Eyrie-install")
        return Done(0 if made else 1, "", "")

    def _removed(self, folder: str) -> Done:
        self.left.discard(folder)
        return Done(0, "", "")

    def _fetched(self) -> Done:
        return Done(
            self.fetched, "", "curl: (22) The requested URL returned error: 404" if self.fetched else ""
        )

    def _task(self) -> Done:
        if self.task_code is not None:
            self._result = f"{self.task_code}\r\n"
            if self.task_code in (0, 3010):
                self._do("/i", "")
        return Done(0, "", "")

    def _tidied(self) -> Done:
        self.version, self.service = "", False
        return Done(0, "", "")
