# SPDX-License-Identifier: GPL-3.0-or-later
"""`./run lab` from a fresh clone: with the caches that are there, and with none."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab.paths import CACHE, Paths
from tests.bench.figure import Figure

ROOT = Path(__file__).parents[3]
NAME = "bench"  # a lab of its own: it stands beside whatever is there
WARM, COLD = "`./run lab` with caches", "`./run lab` cold"
WARM_NOTE = (
    "A fresh clone: Python environment, lab, site.yml, demonstration; images and packages from the caches."
)
COLD_NOTE = (
    "As above with no image and no package cached. Debian packages that are installed already are not "
    "installed again: add that for a machine with only the base system."
)


def measure_warm(say: Callable[[str], None]) -> list[Figure]:
    say("`./run lab` from a fresh clone, with caches")
    return [Figure(WARM, 4, "min", (_lab_minutes(),), "max", WARM_NOTE)]


def measure_cold(say: Callable[[str], None]) -> list[Figure]:
    say("`./run lab` from a fresh clone, without caches")
    with _no_cache():
        return [Figure(COLD, 12, "min", (_lab_minutes(),), "max", COLD_NOTE)]


@contextmanager
def _no_cache() -> Iterator[None]:
    """Lay the caches aside and put them back, whatever happens."""
    aside = CACHE.with_name(CACHE.name + ".aside")
    if aside.exists():
        raise EyrieError(
            str(aside), seen="left by a run that was killed", wanted="nothing", next_step=f"mv it to {CACHE}"
        )
    had_cache = CACHE.exists()
    if had_cache:
        CACHE.rename(aside)
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", "--", str(CACHE)], check=True)
        if had_cache:
            aside.rename(CACHE)


def _lab_minutes() -> float:
    if Paths(NAME).state.exists():
        raise EyrieError(
            f"lab {NAME}", seen="exists", wanted="none", next_step=f"`eyrie lab down --name {NAME}`"
        )
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"} | {
        "EYRIE_LAB_NAME": NAME
    }
    with tempfile.TemporaryDirectory(prefix="eyrie-bench-", dir="/var/tmp") as directory:
        clone = Path(directory) / "eyrie"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        started = time.monotonic()
        try:
            done = subprocess.run(
                ["./run", "lab"], cwd=clone, env=environment, capture_output=True, text=True, check=False
            )
            seconds = time.monotonic() - started
        finally:
            subprocess.run(
                ["./run", "lab-down"], cwd=clone, env=environment, capture_output=True, check=False
            )
    if done.returncode != 0:
        raise EyrieError("./run lab", seen=(done.stdout + done.stderr)[-1500:], wanted="exit status 0")
    return seconds / 60
