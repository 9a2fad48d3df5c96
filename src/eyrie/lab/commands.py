# SPDX-License-Identifier: GPL-3.0-or-later
"""Run short system programs; a failure becomes an EyrieError that quotes what the program said."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from eyrie.errors import EyrieError


def run(argv: Sequence[str], *, stdin: str = "", timeout: float = 60) -> str:
    """Run to the end and return stdout."""
    try:
        # close_fds=False: the program holds the lab's lock while it runs, even if this process is killed.
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False, close_fds=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EyrieError(f"program {argv[0]}", seen=str(error), wanted="a normal end") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise EyrieError(f"`{' '.join(argv)}` failed ({done.returncode})", seen=said, wanted="exit status 0")
    return done.stdout
