# SPDX-License-Identifier: GPL-3.0-or-later
"""Start one program so that it can always be found again (run as a script, standard library only).

The program's own process writes its record (pid and start time, which stay its own through exec) before it
becomes the program: whoever started it may be killed at any moment, and still every process has its record.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn


def main(text: str) -> int:
    """Start what the JSON text describes; wait until it really runs (`daemon`), or become it."""
    spec = json.loads(text)
    for path in list(Path("/proc/self/fd").iterdir()):  # the lab's lock: held here, not by what this becomes
        if int(path.name) > 2 and path.exists():
            os.set_inheritable(int(path.name), False)
    if not spec["daemon"]:
        _become(spec, 2)
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        os.setsid()
        _become(spec, writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as complaints:  # closed by exec
        complaint = complaints.read()
    sys.stderr.write(complaint)
    return 1 if complaint else 0


def _become(spec: dict[str, Any], complaints: int) -> NoReturn:
    try:
        if spec["cgroup"]:
            Path(spec["cgroup"]).mkdir(parents=True, exist_ok=True)
            (Path(spec["cgroup"]) / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
        _record(Path(spec["record"]))
        _redirect(spec["log"])
        os.execvpe(spec["argv"][0], spec["argv"], {**os.environ, **spec["environment"]})  # noqa: S606
    except OSError as error:
        os.write(complaints, f"{spec['argv'][0]}: {error}".encode())
        os._exit(127)


def _record(path: Path) -> None:
    """Write pid and start time (field 22 of stat, counted after the command name) in one rename."""
    stat = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps({"pid": os.getpid(), "start": int(stat[19])}), encoding="ascii")
    temporary.rename(path)


def _redirect(log: str) -> None:
    source = os.open("/dev/null", os.O_RDONLY)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, copy in ((source, 0), (target, 1), (target, 2)):
        os.dup2(descriptor, copy)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
