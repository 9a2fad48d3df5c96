# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eyrie.errors import EyrieError

if TYPE_CHECKING:
    from pathlib import Path


def keep(file: Path, text: str) -> None:
    """Write a site's secret that was made just now, 0600; one that is there is never replaced."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another host's task was first
        raise EyrieError(
            f"{file}", seen="a file that was made just now", wanted="to be the only one that makes it",
            next_step="run it again",
        ) from None  # fmt: skip
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(text)
    ignore = file.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="ascii")
