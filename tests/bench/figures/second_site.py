# SPDX-License-Identifier: GPL-3.0-or-later
"""What a second site.yml costs: seconds, changes, and remote round trips."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from eyrie.errors import EyrieError
from tests.bench.figure import Figure
from tests.bench.office import Office

ROOT = Path(__file__).parents[3]
SECONDS = "second `site.yml`: time"
CHANGED = "second `site.yml`: changed"
TRIPS = "second `site.yml`: remote round trips of the busiest host"
TRIPS_NOTE = (
    "Remote commands as Ansible's ssh connection counts them (`SSH: EXEC`, and each file transfer as one) in "
    "a further run with -vvv; they share one TCP connection a host (ControlPersist)."
)
_RECAP = re.compile(r"^(\S+)\s*:\s*ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
_TRIP = re.compile(r"^<([^>]+)> (?:SSH: EXEC|PUT|FETCH) ", re.MULTILINE)


def changes(output: str) -> dict[str, int]:
    """Changed tasks by host, from the recap; raise EyrieError unless every host is well."""
    rows = _RECAP.findall(output)
    bad = [host for host, _, unreachable, failed in rows if int(unreachable) or int(failed)]
    if bad or not rows:
        raise EyrieError("site.yml", seen=f"failed on {', '.join(bad) or 'everything'}", wanted="no failure")
    return {host: int(changed) for host, changed, _, _ in rows}


def round_trips(output: str) -> dict[str, int]:
    """Remote commands by host, from the output of a run with -vvv."""
    counted: dict[str, int] = {}
    for host in _TRIP.findall(output):
        counted[host] = counted.get(host, 0) + 1
    return counted


def measure(office: Office) -> list[Figure]:
    """Run once to be sure it is the second, once by the clock, once counting."""
    office.say("site.yml, until nothing changes")
    _site(office)
    started = time.monotonic()
    output = _site(office)
    seconds = time.monotonic() - started
    office.say(f"second site.yml: {seconds:.1f} s; once more, counting round trips")
    trips = round_trips(_site(office, "-vvv"))
    if not trips:
        raise EyrieError(
            "round trips of site.yml", seen="none in the output of -vvv", wanted="SSH: EXEC lines"
        )
    total = sum(trips.values())
    detail = ", ".join(f"{host} {count}" for host, count in sorted(trips.items()))
    return [
        Figure(SECONDS, 30, "s", (seconds,), "max"),
        Figure(CHANGED, 0, "tasks", (float(sum(changes(output).values())),), "max"),
        Figure(
            TRIPS,
            None,
            "commands",
            (float(max(trips.values())),),
            "max",
            f"{total} in all: {detail}. {TRIPS_NOTE}",
        ),
    ]


def _site(office: Office, *more: str) -> str:
    environment = os.environ | {
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "EYRIE_LAB_NAME": office.lab.topology.name,
    }
    command = ["ansible-playbook", "-i", str(office.options.lab.resolve()), "site.yml", *more]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EyrieError("site.yml", seen=done.stdout[-800:] + done.stderr[-800:], wanted="exit status 0")
    return done.stdout
