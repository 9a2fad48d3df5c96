# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the programs that make, sign and read an MSI; each is named with its package when it is missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from eyrie.errors import EyrieError

PACKAGES = {
    "wixl": "wixl",
    "msibuild": "msitools",
    "msiinfo": "msitools",
    "osslsigncode": "osslsigncode",
}
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""A cabinet's times are local ones, and the tools read nothing else of the environment."""


def require(*programs: str) -> None:
    """Refuse to go on without these programs, naming all that are missing at once."""
    missing = [name for name in programs if shutil.which(name, path=_ENVIRONMENT["PATH"]) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES[name] for name in missing}))
        raise EyrieError(
            "programs for MSIs",
            seen=f"no {', '.join(missing)}",
            wanted="all of them",
            next_step=f"apt-get install {packages}",
        )


def run(
    argv: Sequence[str | Path], *, cwd: Path | None = None, quiet: bool = False, env: Mapping[str, str] = {}
) -> bytes:
    """Run a program and return what it printed; `quiet` takes any word on stderr for a failure.

    wixl exits 0 when it drops what it does not know, with a warning.
    """
    done = subprocess.run(argv, cwd=cwd, env={**_ENVIRONMENT, **env}, capture_output=True, check=False)
    if done.returncode or (quiet and done.stderr.strip()):
        said = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace")
        raise EyrieError(
            f"{argv[0]}",
            seen=f"exit status {done.returncode}: {said[-600:]}",
            wanted="success without a warning",
        )
    return done.stdout
