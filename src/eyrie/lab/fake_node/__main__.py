# SPDX-License-Identifier: GPL-3.0-or-later
"""Become process 1 of a fake node: `python -m eyrie.lab.fake_node ROOT IMAGE ADDRESS HOSTNAME`.

Runs in namespaces of its own (mounts, processes, host name, network), which end with it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from eyrie.lab.commands import run
from eyrie.lab.fake_node.call import CALLS
from eyrie.lab.fake_node.kernel import Kernel

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def main(root: Path, image: Path, address: str, name: str) -> None:
    """Mount what belongs to the node, start its ssh server, and act as its kernel."""
    socket.sethostname(name)
    _mount(root, image)
    kernel = Kernel(root, address)
    subprocess.Popen(["chroot", str(root), "/libexec/sshd", "-D", "-e", "-f", "/etc/sshd_config"])
    print(f"fake openMosix node {name} at {address}", flush=True)  # noqa: T201 # the console
    kernel.run()


def _mount(root: Path, image: Path) -> None:
    for name in ("lib", "lib64"):
        run(["mount", "--bind", str(image / "usr" / name), str(root / "usr" / name)])
    run(["mount", "-t", "proc", "proc", str(root / "libexec/proc")])
    run(["mount", "-t", "tmpfs", "-o", "mode=555,size=16m", "proc", str(root / "proc")])
    run(["mount", "-t", "tmpfs", "-o", "mode=755,size=1m", "dev", str(root / "dev")])
    # A genuine kernel answers a tool without a disk: one that waited for it would be down to its peers.
    run(["mount", "-t", "tmpfs", "-o", "mode=755,size=16m", "calls", str(root / CALLS)])
    for device in DEVICES:
        (root / "dev" / device).touch()
        run(["mount", "--bind", f"/dev/{device}", str(root / "dev" / device)])
    (root / "dev/pts").mkdir()
    run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", str(root / "dev/pts")])
    (root / "dev/ptmx").symlink_to("pts/ptmx")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:5])
