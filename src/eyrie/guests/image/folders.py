# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of guest images on a desktop: which of them nobody needs any more."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from eyrie.errors import EyrieError

_ID = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"([0-9a-f]{64}) (\d+) (used|unused)")

# A guest that runs, or is about to, names its image in QEMU's command line, whatever the agent is told now.
_READ = """
cd {directory} 2>/dev/null || exit 0
running=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n')
for folder in *; do
    [ -d "$folder" ] && [ ! -L "$folder" ] && [ ${{#folder}} -eq 64 ] || continue
    case $folder in *[!0-9a-f]*) continue ;; esac
    case $running in *{directory}/"$folder"/*) use=used ;; *) use=unused ;; esac
    echo "$folder $(stat -c %Y "$folder") $use"
done
"""


@dataclass(frozen=True)
class Folder:
    """One image on a desktop: id, when its last file came (Unix time), whether a guest runs from it."""

    image_id: str
    changed: int
    used: bool


def read_command(directory: str) -> str:
    """Return the sh script that tells of every image in the directory, a line each; others are none."""
    return _READ.format(directory=shlex.quote(directory))


def parse(output: str) -> tuple[Folder, ...]:
    """Read those lines; one of another form is an error, not an image that nobody uses."""
    found = []
    for line in output.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise EyrieError(
                "the desktop's answer about its guest images",
                seen=line,
                wanted="an id, a time, and used or unused",
                next_step="run the shell of that desktop by hand: does it print something at every login?",
            )
        found.append(Folder(match[1], int(match[2]), match[3] == "used"))
    return tuple(found)


def plan(folders: Iterable[Folder], wanted: str) -> tuple[str, ...]:
    """Return the ids to remove: all but the wanted one, those that guests run from, and the newest other."""
    if not _ID.fullmatch(wanted):
        raise EyrieError(
            "the guest image to keep", seen=wanted, wanted="64 hex digits", next_step="run site.yml whole"
        )
    others = sorted(
        (each for each in folders if each.image_id != wanted), key=lambda each: (each.changed, each.image_id)
    )
    return tuple(each.image_id for each in others[:-1] if not each.used)


def remove_command(directory: str, image_ids: Iterable[str]) -> str:
    """Return the sh line that removes images, all of them or a message why not."""
    return "rm -rf -- " + " ".join(shlex.quote(f"{directory}/{image_id}") for image_id in image_ids)
