# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of the guest's kernel and image without applications."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from eyrie.errors import EyrieError
from tests.bench.figure import Figure
from tests.bench.office import Office

WHAT = "guest: kernel + image without applications"
NOTE = "All files of an image built with no further packages, as they lie on a desktop."


def measure(office: Office) -> list[Figure]:
    """Build the image without applications (from the caches, where they have it) and add up its files."""
    office.say("guest image without applications")
    with tempfile.TemporaryDirectory(prefix="eyrie-bench-", dir="/var/tmp") as directory:
        done = subprocess.run(
            ["eyrie", "guest", "build", "--output", directory], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise EyrieError("eyrie guest build", seen=done.stderr.strip()[-600:], wanted="exit status 0")
        files = [path for path in Path(directory).rglob("*") if path.is_file()]
        sizes = {path.name: path.stat().st_size for path in files}
    detail = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sorted(sizes.items()))
    return [Figure(WHAT, 25, "MB", (sum(sizes.values()) / 1e6,), "max", f"{NOTE} {detail}.")]
