# SPDX-License-Identifier: GPL-3.0-or-later
"""Where changed images go: never over their source, and whole or not at all."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from eyrie.errors import EyrieError


def refuse_same(source: Path, target: Path) -> None:
    """Refuse to write over the image that is read."""
    if target.exists() and target.samefile(source):
        raise EyrieError(
            f"the output {target}",
            seen="the image itself",
            wanted="another file, as images are never changed in place",
        )


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a disk image, which is mostly holes: cp keeps them."""
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", "--", source, target], check=True)


def write_whole(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a new file beside `target`, and put it there once it is whole."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise EyrieError(
            f"the output {target}", seen=error.strerror, wanted="a folder to write in"
        ) from error
    os.close(handle)
    try:
        write(Path(name))
        Path(name).replace(target)
    except OSError as error:
        raise EyrieError(f"the output {target}", seen=error.strerror, wanted="a file to write") from error
    finally:
        Path(name).unlink(missing_ok=True)
