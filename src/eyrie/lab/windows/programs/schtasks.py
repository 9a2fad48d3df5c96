# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for schtasks: /create, /run, /query, /end, /delete of tasks, run as the lab's broker's user.

/run starts the program detached, as Windows' Task Scheduler does, and keeps its exit code as the last result.
No trigger ever fires by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from .stand_in import introduce, load, say, store, write

TASKS = "tasks"
WITH_VALUE = (
    "/tn",
    "/tr",
    "/sc",
    "/st",
    "/sd",
    "/ru",
    "/rp",
    "/rl",
    "/fo",
    "/xml",
    "/s",
    "/u",
    "/p",
    "/d",
    "/mo",
)
FLAGS = ("/f", "/v", "/z", "/nh", "/hresult", "/i", "/np", "/it")
NEVER_RAN = 267011  # SCHED_S_TASK_HAS_NOT_RUN
RUNNING = 267009  # SCHED_S_TASK_RUNNING
MISSING = "ERROR: The system cannot find the file specified."


def main(argv: list[str]) -> int:
    """Obey one verb."""
    if introduce("schtasks", "runs tasks as the desktop's one user, on /run only", argv):
        return 0
    if argv[0] == "--follow":
        return _follow(argv[1])
    verbs = {"/create": create, "/run": run, "/query": query, "/delete": delete, "/end": end}
    options, words = {}, iter(argv[1:])
    for word in words:
        if word.lower() in WITH_VALUE:
            options[word.lower()] = next(words, "")
        elif word.lower() in FLAGS:
            options[word.lower()] = ""
        else:
            return _refuse(f"ERROR: Invalid argument/option - '{word}'.")
    verb = verbs.get(argv[0].lower())
    if verb is None:
        return _refuse(f"ERROR: Invalid argument/option - '{argv[0]}'.")
    if "/tn" not in options and verb is not query:
        return _refuse("ERROR: Invalid syntax. Mandatory option 'tn' is missing.")
    return verb(options)


def create(options: dict[str, str]) -> int:
    """Keep a task."""
    name, tasks = _name(options), load(TASKS, {})
    for key in ("/tr", "/sc"):
        if not options.get(key):
            return _refuse(f"ERROR: Invalid syntax. Mandatory option '{key[1:]}' is missing.")
    if len(options["/tr"]) > 261:
        return _refuse("ERROR: Value for '/tr' option cannot be more than 261 character(s).")
    if name in tasks and "/f" not in options:
        return _refuse(f'ERROR: The task name "{name}" already exists.')
    tasks[name] = {"run": options["/tr"], "user": options.get("/ru", ""), "result": NEVER_RAN, "pid": 0}
    store(TASKS, tasks)
    say(f'SUCCESS: The scheduled task "{name}" has successfully been created.')
    return 0


def run(options: dict[str, str]) -> int:
    """Start a task beside whoever asked: it outlives the remote shell."""
    name, tasks = _name(options), load(TASKS, {})
    if name not in tasks:
        return _refuse(MISSING)
    _update(name, result=RUNNING)
    follower = [sys.executable, "-B", "-X", "utf8", "-m", "desktop_programs.schtasks", "--follow", name]
    _start_outside_of_jobs(subprocess.list2cmdline(follower))
    say(f'SUCCESS: Attempted to run the scheduled task "{name}".')
    return 0


def query(options: dict[str, str]) -> int:
    """Tell of tasks, in the form of `/fo list /v` only as far as name, status and last result go."""
    tasks, name = load(TASKS, {}), options.get("/tn", "").lstrip("\\")
    if name and name not in tasks:
        return _refuse(MISSING)
    for each in [name] if name else sorted(tasks):
        running = tasks[each]["result"] == RUNNING
        say(f"TaskName:      \\{each}")
        say(f"Status:        {'Running' if running else 'Ready'}")
        say(f"Last Result:   {tasks[each]['result']}")
        say()
    return 0


def delete(options: dict[str, str]) -> int:
    """Forget a task."""
    name, tasks = _name(options), load(TASKS, {})
    if name not in tasks:
        return _refuse(MISSING)
    del tasks[name]
    store(TASKS, tasks)
    say(f'SUCCESS: The scheduled task "{name}" was successfully deleted.')
    return 0


def end(options: dict[str, str]) -> int:
    """End what a task started."""
    name, tasks = _name(options), load(TASKS, {})
    if name not in tasks:
        return _refuse(MISSING)
    if tasks[name]["result"] == RUNNING and tasks[name]["pid"]:
        subprocess.run(
            ["taskkill", "/f", "/t", "/pid", str(tasks[name]["pid"])], capture_output=True, check=False
        )
    say(f'SUCCESS: The scheduled task "{name}" has been terminated successfully.')
    return 0


def _name(options: dict[str, str]) -> str:
    return options["/tn"].lstrip("\\")


def _update(name: str, **changes: Any) -> None:
    tasks = load(TASKS, {})
    if name in tasks:
        tasks[name].update(changes)
        store(TASKS, tasks)


def _follow(name: str) -> int:
    """Run a task's program to its end and keep its exit code."""
    task = load(TASKS, {}).get(name)
    if task is None:
        return 1
    quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    try:
        program = subprocess.Popen(task["run"], cwd=os.environ.get("SYSTEMROOT"), **quiet)
    except OSError as error:
        _update(name, result=error.errno or 2)
        return 1
    _update(name, pid=program.pid)
    _update(name, result=program.wait(), pid=0)
    return 0


def _start_outside_of_jobs(line: str) -> None:
    """Leave the order to the broker, whose children are in nobody's job."""
    write(f"start-{time.time_ns()}", line)


def _refuse(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
