# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases as folders, and the paths that lead to one of them."""

from __future__ import annotations

import filecmp
import shutil
import time
from contextlib import suppress
from pathlib import Path

AGENT = "agent.pyz"
INSTALLER = "installer.pyz"
PYTHON = "python"


def image_path(release: Path) -> str:
    """Return the service's command line, quoted: an unquoted path with blanks would run C:\\Program.exe."""
    program, agent = release / PYTHON / "pythonw.exe", release / AGENT
    return f'"{program}" -B "{agent}" service'


def release_of(image: str | None) -> Path | None:
    """Return the folder of the release that a service's command line names, if its files are there."""
    program = (image or "").split('"')[1:2]
    if not program:
        return None
    release = Path(program[0]).parent.parent
    return release if Path(program[0]).is_file() and (release / AGENT).is_file() else None


def publish(release: Path, install: Path) -> None:
    """Copy a release to the paths that people use; each has the old file or the new one, never none.

    Copies, not links: a link to a program that runs cannot be removed.
    """
    (install / PYTHON).mkdir(exist_ok=True)
    wanted = {Path(AGENT), Path(INSTALLER)} | {
        Path(PYTHON, path.name) for path in (release / PYTHON).iterdir()
    }
    for name in sorted(wanted):
        place(release / name, install / name)
    for path in (install / PYTHON).iterdir():
        if Path(PYTHON, path.name) not in wanted:
            with suppress(OSError):  # in use: it goes with the next release
                path.unlink()


def place(source: Path, target: Path) -> None:
    """Copy a file over another; what is in use is moved out of the way first, which Windows allows."""
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return
    draft = target.with_name(target.name + ".new")
    shutil.copyfile(source, draft)
    try:
        draft.replace(target)
    except PermissionError:
        target.replace(target.with_name(f"{target.name}.{time.time_ns()}.old"))
        draft.replace(target)


def remove_others(release: Path, install: Path) -> None:
    """Remove the copies, and releases that a lost power left; Windows Installer removes its own files."""
    shutil.rmtree(install / PYTHON, ignore_errors=True)
    for name in (AGENT, INSTALLER):
        with suppress(OSError):
            (install / name).unlink()
    for folder in release.parent.iterdir():
        if folder != release:
            shutil.rmtree(folder, ignore_errors=True)
