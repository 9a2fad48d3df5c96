# SPDX-License-Identifier: GPL-3.0-or-later
"""What `eyrie agent status` shows: a plain dictionary made here, a page of text made there."""

from __future__ import annotations

import math
from typing import Any, Iterable, Mapping

from eyrie.agent.config import Config
from eyrie.agent.driver import Driver
from eyrie.agent.idle.base import Idleness, Reading
from eyrie.agent.model import State, Value


def build(
    value: Value,
    now: float,
    idleness: Idleness,
    readings: Iterable[Reading],
    config: Config | None,
    driver: Driver,
) -> dict[str, Any]:
    """Return the part of the status that the machine, the sources and the guest make up."""
    return {
        "state": value.state.value,
        "reason": value.reason,
        "since_seconds": round(now - value.since, 1),
        "failures": value.failures,
        "retry_in_seconds": _retry(value, now),
        "idle_seconds": _number(idleness.seconds),
        "idle_reason": idleness.reason,
        "sources": [
            {
                "source": each.source,
                "kind": each.kind.value,
                "seconds": _number(each.seconds),
                "detail": each.detail,
            }
            for each in readings
        ],
        "name": config.name if config else None,
        "needed_idle_seconds": config.idle.seconds if config else None,
        "pool": _pool(config),
        "guest": _guest(driver),
    }


def broken(status: Mapping[str, Any], problem: str, seconds: float) -> dict[str, Any]:
    """Return the status under a broken configuration, while the last good one stays in force."""
    told = {"state": State.FAILED.value, "reason": problem, "since_seconds": round(seconds, 1)}
    return {**status, **told, "meanwhile": {key: status[key] for key in told}}


def _retry(value: Value, now: float) -> float | None:
    if value.state is not State.FAILED or not value.retry_at:
        return None
    return round(max(0.0, value.retry_at - now), 1)


def _number(seconds: float | None) -> float | None:
    """Return seconds as JSON can hold them; endless idleness (outside the calendar) becomes null."""
    return None if seconds is None or math.isinf(seconds) else round(seconds, 1)


def _pool(config: Config | None) -> dict[str, Any] | None:
    if config is None:
        return None
    return {"name": config.pool.name, "master": config.pool.master, "port": config.pool.port}


def _guest(driver: Driver) -> dict[str, Any] | None:
    guest = driver.guest
    if guest is None:
        return None
    return {
        "pid": guest.pid,
        "accelerator": guest.accelerator,
        "image_id": driver.image_id,
        "jobs": driver.jobs,
        "cpu_seconds": round(guest.cpu_seconds(), 1),
    }


def page(status: Mapping[str, Any]) -> str:
    """Return the status as text for a terminal."""
    lines = [
        f"desktop   {status['name'] or '(no configuration)'}",
        *headlines(status),
        f"idle      {_idle_line(status)}",
    ]
    guest = status["guest"]
    if guest:
        jobs = "1 job" if guest["jobs"] == 1 else f"{guest['jobs']} jobs"
        lines.append(
            f"guest     process {guest['pid']} ({guest['accelerator']}), {jobs}, image {guest['image_id']}"
        )
    lines += [f"problem   {text}" for text in status.get("problems", []) if text != status["reason"]]
    lines += [f"source    {each['source']}: {_source_line(each)}" for each in status["sources"]]
    for entry in status.get("history", [])[-10:]:
        lasted = entry.get("joined_seconds")
        tail = f" (was joined for {duration(lasted)})" if lasted is not None else ""
        lines.append(f"history   {entry['at']} {entry['state']}: {entry['reason']}{tail}")
    return "\n".join(lines)


def headlines(status: Mapping[str, Any]) -> list[str]:
    """Return the desktop's state; below a broken configuration's, what goes on under the last good one."""
    parts = {"state": status, "meanwhile": status.get("meanwhile")}
    return [
        f"{title:10}{part['state']} for {duration(part['since_seconds'])}: {part['reason']}"
        for title, part in parts.items()
        if part is not None
    ]


def _idle_line(status: Mapping[str, Any]) -> str:
    needed = status["needed_idle_seconds"]
    wanted = f", {duration(needed)} needed" if needed else ""
    if status["idle_seconds"] is None:
        return f"not known ({status['idle_reason']}){wanted}"
    return f"{duration(status['idle_seconds'])}{wanted} ({status['idle_reason']})"


def _source_line(source: Mapping[str, Any]) -> str:
    if source["kind"] != "idle":
        return f"{source['kind']} ({source['detail']})"
    if source["seconds"] is None:
        return str(source["detail"])
    return f"idle {duration(source['seconds'])} ({source['detail']})"


def duration(seconds: float) -> str:
    """Return seconds as a person says them."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
