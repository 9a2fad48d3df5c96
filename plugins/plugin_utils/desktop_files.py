# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies files to and from a desktop through a function that runs command lines there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from ansible.errors import AnsibleFileNotFound

from eyrie.errors import EyrieError
from eyrie.windows import remote_python

SIZE = 96 * 1024
Run = Callable[[str, Iterable[bytes] | None], tuple[int, bytes, bytes]]


class DesktopFiles:
    """Files by the agent's own Python; nothing else on a desktop is asked to do it."""

    def __init__(self, run: Run, python: str | None) -> None:
        self._run = run
        self._python = python

    def put(self, source: Path, path: str) -> None:
        """Write a file there; an old one stays until the new one is whole."""
        if not source.is_file():
            raise AnsibleFileNotFound(file_name=str(source))
        line = remote_python.put_line(self._interpreter(path))
        with source.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            content.seek(0)
            _checked(self._run(line, remote_python.put_input(path, digest, content, SIZE)), path)

    def fetch(self, path: str, target: Path) -> None:
        """Read a file there."""
        line = remote_python.fetch_line(self._interpreter(path))
        done = self._run(line, [remote_python.fetch_input(path)])
        content = _checked(done, path)
        if remote_python.fetch_sha256(done[2]) != hashlib.sha256(content).hexdigest():
            raise _not_copied(path, "a SHA-256 that differs")
        target.write_bytes(content)

    def _interpreter(self, path: str) -> str:
        if self._python:
            return self._python
        raise EyrieError(
            f"file {path} on a desktop",
            seen="no ansible_winrm_agent_python",
            wanted="the path of the agent's python.exe, which copies files",
            next_step="set it once the agent is installed; before that the desktop gets nothing but the MSI",
        )


def _checked(done: tuple[int, bytes, bytes], path: str) -> bytes:
    code, stdout, stderr = done
    if code == 0:
        return stdout
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    if lines and lines[-1].startswith("FileNotFoundError"):
        raise AnsibleFileNotFound(file_name=path)
    raise _not_copied(path, lines[-1] if lines else f"exit status {code}")


def _not_copied(path: str, seen: str) -> EyrieError:
    return EyrieError(
        f"file {path} on a desktop",
        seen=seen,
        wanted="a copy with the same SHA-256",
        next_step="check room and rights there, then run again",
    )
