# SPDX-License-Identifier: GPL-3.0-or-later
"""Host keys of nodes: made once on the control host, kept with the site's secrets."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from eyrie.errors import EyrieError


def host_key(folder: Path, name: str) -> tuple[bytes, str]:
    """Return a node's private host key (made if there is none) and its public line."""
    file = folder / f"{name}.rsa"
    try:
        if not file.exists():
            _make(folder, file)
        private = file.read_bytes()
        public = file.with_suffix(".rsa.pub").read_text(encoding="ascii")
    except OSError as error:
        raise EyrieError(
            f"the host key of node {name}",
            seen=str(error),
            wanted=f"{file} and {file}.pub, or a folder to make them in",
        ) from error
    if b"BEGIN RSA PRIVATE KEY" not in private:
        raise EyrieError(
            f"the host key of node {name}, {file}",
            seen=private[:27].decode(errors="replace"),
            wanted="an RSA key in PEM form, as sshd of 2004 reads it",
            next_step="decrypt it, or remove it and let a new one be made",
        )
    return private, " ".join(public.split()[:2])


def _make(folder: Path, file: Path) -> None:
    """Make a key of the only kind that sshd of 2004 and today's ssh have in common."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="ascii")
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
        new = Path(scratch) / "key"
        command = [
            "ssh-keygen",
            "-q",
            "-t",
            "rsa",
            "-b",
            "2048",
            "-m",
            "PEM",
            "-N",
            "",
            "-C",
            "",
            "-f",
            str(new),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            raise EyrieError("ssh-keygen", seen=str(error), wanted="a program that makes RSA keys") from error
        new.with_suffix(".pub").replace(file.with_suffix(".rsa.pub"))
        new.replace(file)
