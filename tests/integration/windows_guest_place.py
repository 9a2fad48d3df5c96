# SPDX-License-Identifier: GPL-3.0-or-later
"""A place to try Windows guests in: the lab's Wine, the real Windows Python and QEMU, a real guest image.

Without the desktop's service and WinRM, so that a test talks to the guest backend itself. Everything is laid
over its originals and runs in namespaces that end with it.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from eyrie.apt_mirror import debian_mirror
from eyrie.artefacts.windows_files import windows_python, windows_qemu
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import Recipe, cache_root
from eyrie.lab.images import ImageStore
from eyrie.lab.paths import CACHE
from eyrie.lab.processes import Processes
from eyrie.lab.windows.desktop import ENVIRONMENT

ROOT = Path(__file__).parents[2]
INSIDE = "opt/guest"  # Z:\\opt\\guest for Windows
PYTHON = r"Z:\opt\guest\python\python.exe"
QEMU = r"Z:\opt\guest\qemu\qemu-system-x86_64.exe"
ADDRESS = "10.99.1.20"
_ENTER = """
set -e
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
# The namespace of processes outlives an agent that is killed: else it would be what ends the guest.
chroot "$root" "$@" || { test $? -ne 137 || sleep 30; }
"""


class Place:
    """One Windows machine's worth of Wine, in a network namespace of its own."""

    def __init__(self, python_version: str = "") -> None:
        self._top = Path(tempfile.mkdtemp(prefix="eyrie-wine-", dir="/var/tmp"))
        self.name = self._top.name
        self._mounts: list[Path] = []
        try:
            self._make(python_version)
        except BaseException:
            self.close()
            raise

    def _make(self, python_version: str) -> None:
        self.root = self._overlay("root", _wine())
        (self.root / INSIDE).mkdir(parents=True)
        cache = cache_root()
        python = windows_python(cache, python_version) if python_version else windows_python(cache)
        for name, origin in {
            "python": python,
            "qemu": windows_qemu(cache),
            "image": build_image(Recipe(), debian_mirror).directory,
            "eyrie": ROOT / "src" / "eyrie",
            "tests": ROOT / "tests",
        }.items():
            self._overlay(name, origin, self.root / INSIDE / name)
        (paths,) = (self.root / INSIDE / "python").glob("python3*._pth")
        paths.write_text(f"{paths.stem}.zip\n.\n..\n..\\packages\n..\\tests\\integration\n", encoding="ascii")
        library = self.root / "opt/eyrie-lab/lib/desktop_programs"
        shutil.copytree(ROOT / "src/eyrie/lab/windows/programs", library, dirs_exist_ok=True)
        self._network()

    def _overlay(self, name: str, origin: Path, target: Path | None = None) -> Path:
        target = target or self._top / name
        changes, work = self._top / f"{name}.changes", self._top / f"{name}.work"
        for path in (target, changes, work):
            path.mkdir()
        options = f"lowerdir={origin},upperdir={changes},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(target)], check=True)
        self._mounts.append(target)
        return target

    def _network(self) -> None:
        """Loopback and an office: where no address but the loopback's is, QEMU finds no address at all."""
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        for words in (
            "link set lo up",
            "link add office type veth peer name far",
            f"address add {ADDRESS}/24 dev office",
            "link set office up",
            "link set far up",
        ):
            subprocess.run(["ip", "-n", self.name, *words.split()], check=True)

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """Start a Windows program; Wine and all it started end with it."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "PYTHONUTF8": "1",
            **ENVIRONMENT,
        }
        enter = ["ip", "netns", "exec", self.name]
        enter += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        enter += ["sh", "-c", _ENTER, "sh", str(self.root), "wine", *command]
        return subprocess.Popen(enter, env=environment, text=True, **options)

    def run(self, *command: str, timeout: float = 120) -> str:
        """Run a Windows program to its end; return what it printed."""
        process = self.start(
            *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            return process.communicate(timeout=timeout)[0]
        finally:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Remove all of it."""
        subprocess.run(["ip", "netns", "delete", self.name], check=False)
        for target in reversed(self._mounts):
            subprocess.run(["umount", "--recursive", "--lazy", str(target)], check=True)
        shutil.rmtree(self._top)


class Side:
    """A program on the Windows side that does what the test says: windows_guest_side.py."""

    def __init__(self, place: Place) -> None:
        self._place = place
        program = r"Z:\opt\guest\tests\integration\windows_guest_side.py"
        self.process = place.start(*(PYTHON, "-B", program), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, do: str, *, timeout: float = 60, **arguments: object) -> Any:
        """Have something done; return the answer, or raise AssertionError with the error."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()
        assert select.select([self.process.stdout], [], [], timeout)[0], f"no answer to {do}"
        line = self.process.stdout.readline()
        assert line, f"the Windows side ended while asked to {do}"
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["answer"]

    def qemu(self) -> int | None:
        """Return QEMU's process as Linux sees it; never more than one."""
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and self._is(path)]
        assert len(pids) <= 1, pids
        return pids[0] if pids else None

    def _is(self, path: Path) -> bool:
        """Wine's own helpers carry no such name; our namespace tells other tests' apart."""
        try:
            ours = Path(f"/run/netns/{self._place.name}").stat().st_ino
            words = (path / "cmdline").read_bytes().split(b"\0")
            return words[0].endswith(b"qemu-system-x86_64.exe") and (path / "ns/net").stat().st_ino == ours
        except OSError:
            return False

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def cpu(pid: int) -> float:
    """Return the processor seconds of all threads as Linux counts them; what is gone uses none."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return total / 1e9


def wait_until(seen: Any, seconds: float) -> float:
    """Wait for something to become true; return how long it took."""
    began = time.monotonic()
    while not seen():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.01)
    return time.monotonic() - began


def _wine() -> Path:
    """Return the tree of the lab's Windows desktops, building it if need be."""
    store = ImageStore(CACHE / "lab-images")
    if store.path("windows").exists():  # to look whether it is whole takes half a minute
        return store.path("windows") / "root"
    with tempfile.TemporaryDirectory() as logs:
        store.build("windows", debian_mirror(), Processes("windows-guest", Path(logs)))
    return store.path("windows") / "root"


def require_tools() -> None:
    """Fail, with the names, when something these tests need is missing: a skipped test proves nothing."""
    assert os.geteuid() == 0, "these tests need root"
    missing = [name for name in ("ip", "unshare", "mount", "mmdebstrap") if shutil.which(name) is None]
    assert not missing, f"these tests need {', '.join(missing)}"
