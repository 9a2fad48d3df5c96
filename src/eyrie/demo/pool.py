# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration asks of a master: submit, read the log, fetch, remove. Each is one round trip."""

from __future__ import annotations

import base64
import binascii
import io
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eyrie.demo.animation import LOG, SUBMIT_FILE
from eyrie.demo.remote import Remote
from eyrie.errors import EyrieError

NOT_FOUND = 127

_SUBMIT = """
set -eu
command -v condor_submit >/dev/null || exit 127
[ "$(id -u)" != 0 ] || { echo 'root may not submit jobs' >&2; exit 1; }
home=$(getent passwd "$(id -u)" | cut -d: -f6)
dir=$(mktemp -d "$home/eyrie-render.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
base64 -d | tar -x
condor_submit -terse "$1" >submitted
trap - EXIT
echo "$dir"
cat submitted
"""
_TAIL = 'cd "$1" && { tail -c "+$3" "$2" 2>/dev/null || true; } | base64 -w0'
_DESKTOPS = "condor_status -constraint 'EyrieDesktop =!= undefined' -autoformat EyrieDesktop"
_FETCH = 'cd "$1" && shift && tar -cf frames.tar -- "$@" && base64 -w0 frames.tar'
_ERRORS = 'cd "$1" && if [ -s "$2" ]; then tail -c 4000 "$2" | base64 -w0; fi'
_REMOVE = """
condor_rm "$2" >/dev/null 2>&1 || true
for second in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(condor_q "$2" -autoformat ClusterId 2>/dev/null)" ] || break
    sleep 1
done
condor_q "$2" -autoformat ClusterId
rm -rf -- "$1"
"""


@dataclass(frozen=True)
class Submitted:
    """A cluster of jobs and its directory on the master."""

    cluster: int
    directory: str


class Pool:
    """The pool as an ordinary user of its master sees it."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote

    def submit(self, files: Mapping[str, str]) -> Submitted:
        """Put the files into a new directory of the user's and submit the one called SUBMIT_FILE."""
        done = self._sh(_SUBMIT, SUBMIT_FILE, stdin=_pack(files))
        if done.returncode == NOT_FOUND:
            raise EyrieError(
                f"master {self.remote.name}",
                seen="no condor_submit",
                wanted="an HTCondor access point",
                next_step="run site.yml first",
            )
        if done.returncode != 0:
            raise EyrieError(
                f"submission on {self.remote.name}",
                seen=(done.stderr or done.stdout).strip(),
                wanted="condor_submit to accept it",
                next_step=f"look at `condor_q` and the log of condor_schedd on {self.remote.name}",
            )
        directory, span = done.stdout.strip().splitlines()[:2]
        return Submitted(cluster=int(span.split(".")[0]), directory=directory)

    def log_from(self, job: Submitted, position: int) -> bytes:
        """The job log from a byte position on; its last character may still be incomplete."""
        return base64.b64decode(self._good(_TAIL, job.directory, LOG, str(position + 1)))

    def desktops(self) -> frozenset[str]:
        """The desktops whose guests are in the pool now."""
        return frozenset(self._good(_DESKTOPS).split())

    def fetch(self, job: Submitted, names: Sequence[str]) -> list[bytes]:
        """The contents of files in the job's directory; a missing one raises EyrieError."""
        found = _unpack(self._good(_FETCH, job.directory, *names))
        return [found[name] for name in names]

    def errors(self, job: Submitted, name: str) -> str:
        """The end of what a job wrote to its stderr, empty if it never wrote."""
        return base64.b64decode(self._good(_ERRORS, job.directory, name)).decode(errors="replace")

    def remove(self, job: Submitted) -> bool:
        """Take jobs, whatever their state, and their directory away; True once they have left the queue."""
        done = self._sh(_REMOVE, job.directory, str(job.cluster))
        return done.returncode == 0 and not done.stdout.strip()

    def _sh(self, script: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return self.remote.run(["sh", "-c", script.strip(), "eyrie-demo", *words], stdin=stdin)

    def _good(self, script: str, *words: str) -> str:
        done = self._sh(script, *words)
        if done.returncode != 0:
            raise EyrieError(
                f"master {self.remote.name}",
                seen=(done.stderr or done.stdout).strip() or f"exit status {done.returncode}",
                wanted="an answer from its HTCondor",
                next_step=f"run `systemctl status condor` on {self.remote.name}",
            )
        return done.stdout


def _pack(files: Mapping[str, str]) -> str:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return base64.b64encode(buffer.getvalue()).decode()


def _unpack(text: str) -> dict[str, bytes]:
    """Read members only, never extract: what a master sends stays out of the file system."""
    try:
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(text, validate=True))) as archive:
            members = ((entry.name, archive.extractfile(entry)) for entry in archive if entry.isfile())
            return {name: file.read() for name, file in members if file}
    except (binascii.Error, tarfile.TarError, EOFError) as error:
        raise EyrieError(
            "rendered frames", seen=str(error), wanted="a whole archive", next_step="render again"
        ) from error
