# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows machine to install MSIs on: the lab's Wine, without WinRM, with a switch.

Wine's own msiexec and service manager, laid over the lab's image; everything goes with the test.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eyrie.apt_mirror import debian_mirror
from eyrie.lab.images import ImageStore
from eyrie.lab.paths import CACHE
from eyrie.lab.processes import Processes
from eyrie.lab.windows.desktop import ENVIRONMENT

PYTHON = r"Z:\opt\eyrie-lab\python\python.exe"
SERVICES = r"HKLM\System\CurrentControlSet\Services"
SAVE = """
import ctypes, sys, winreg
backup, before = 17, ctypes.c_ubyte()
ctypes.WinDLL("ntdll").RtlAdjustPrivilege(backup, 1, 0, ctypes.byref(before))
with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, sys.argv[1]) as key:
    winreg.SaveKey(key, "C:/saved.reg")
"""
_ENTER = """
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$@"
"""


@dataclass(frozen=True)
class Done:
    """What a program on the Windows side did."""

    code: int
    out: str
    seconds: float


class Machine:
    """One machine, switched on and off; a copy of another one may start where that one stands."""

    def __init__(self, like: Machine | None = None) -> None:
        self._top = Path(tempfile.mkdtemp(prefix="eyrie-msi-", dir="/var/tmp"))
        self.name = self._top.name
        self.root = self._top / "root"
        self._process: subprocess.Popen[str] | None = None
        self._layers = [self._top / "changes", *(like._layers if like else [wine_image()])]
        for path in (self.root, self._top / "changes", self._top / "work"):
            path.mkdir()
        lower = ":".join(str(path) for path in self._layers[1:])
        options = f"lowerdir={lower},upperdir={self._layers[0]},workdir={self._top / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", self.root], check=True)
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        shutil.copy(Path(__file__).with_name("msi_side.py"), self.root / "side.py")

    @property
    def c(self) -> Path:
        """Drive C."""
        return self.root / "desktop/drive_c"

    def on(self) -> None:
        """Boot: services that start by themselves do."""
        argv = self._inside("wine", PYTHON, "-B", r"Z:\side.py")
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.run("cmd", "/c", "ver")

    def off(self) -> None:
        """Lose power: whatever runs is killed at once; the registry is as it was in that moment."""
        if self._process is None:
            return
        for option in ("-k", "-w"):
            subprocess.run(self._inside("wineserver", option), check=False, timeout=60)
        self._process.kill()
        self._process.wait()
        self._process = None

    def run(self, *argv: str, timeout: float = 300, wait: bool = True) -> Done:
        """Run a program on the Windows side, or only start it."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        begun = time.monotonic()
        process.stdin.write(json.dumps({"argv": argv, "wait": wait}) + "\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], timeout)[0], f"no end of {argv}"
        answer = json.loads(process.stdout.readline())
        return Done(answer["code"], answer["out"], time.monotonic() - begun)

    def put(self, path: Path) -> str:
        """Bring a file to the machine; return its path there."""
        shutil.copy(path, self.c / path.name)
        return f"C:\\{path.name}"

    def value(self, key: str, name: str) -> str | None:
        """Read a text of the registry."""
        done = self.run("reg", "query", key, "/v", name)
        found = [line.split("REG_SZ")[1].strip() for line in done.out.splitlines() if "REG_SZ" in line]
        return found[0] if found else None

    def saved(self, key: str) -> str:
        """Return a whole key of the machine's, as text: by `reg query /s` it takes a minute."""
        assert self.run(PYTHON, "-B", "-c", SAVE, key).code == 0
        path = self.c / "saved.reg"
        text = path.read_text(encoding="utf-8", errors="replace")
        path.unlink()
        return text

    def state(self) -> str:
        """Return the state of the agent's service."""
        out = self.run("sc", "query", "EyrieAgent").out
        found = [line.split()[-1] for line in out.splitlines() if "STATE" in line]
        return found[0] if found else "none"

    def await_running(self, seconds: float = 120) -> None:
        """Wait for the service."""
        deadline = time.monotonic() + seconds
        while (state := self.state()) != "RUNNING":
            assert time.monotonic() < deadline, f"the service is {state}"
            time.sleep(0.2)

    def close(self) -> None:
        """Remove all of it."""
        try:
            self.off()
        finally:
            subprocess.run(["ip", "netns", "delete", self.name], check=False)
            subprocess.run(["umount", "--recursive", self.root], check=True)
            shutil.rmtree(self._top)

    def _inside(self, *argv: str) -> list[str]:
        told = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "PYTHONUTF8": "1", **ENVIRONMENT}
        enter = ["ip", "netns", "exec", self.name, "unshare", "--mount", "--propagation", "private"]
        clean = ["env", "-i", *(f"{name}={value}" for name, value in told.items())]
        return [*enter, *clean, "sh", "-ec", _ENTER, "sh", str(self.root), *argv]


@contextmanager
def machine(like: Machine | None = None) -> Iterator[Machine]:
    """Have a machine that is on, for a while."""
    made = Machine(like)
    try:
        made.on()
        yield made
    finally:
        made.close()


def wine_image() -> Path:
    """Return the tree of the lab's Windows desktops, building it if need be."""
    store = ImageStore(CACHE / "lab-images")
    if not store.path("windows").exists():  # to look whether it is whole takes half a minute
        with tempfile.TemporaryDirectory() as logs:
            store.build("windows", debian_mirror(), Processes("msi", Path(logs)))
    return store.path("windows") / "root"


def require_tools() -> None:
    """Fail, with the names, when something these tests need is missing: a skipped test proves nothing."""
    assert os.geteuid() == 0, "these tests need root"
    needed = ("ip", "unshare", "mount", "mmdebstrap", "wixl", "msibuild", "osslsigncode")
    missing = [name for name in needed if shutil.which(name) is None]
    assert not missing, f"these tests need {', '.join(missing)}"
