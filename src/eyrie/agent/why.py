# SPDX-License-Identifier: GPL-3.0-or-later
"""Why is this desktop not in the pool, and what would change that? In sentences, from the status alone."""

from __future__ import annotations

from typing import Any, Mapping

from eyrie.agent import hints
from eyrie.agent.status import duration


def explain(status: Mapping[str, Any]) -> str:
    """Return the answer."""
    meanwhile = status.get("meanwhile")
    if meanwhile is not None:
        broken = f"The configuration of this desktop is broken: {status['reason']} until it is put right."
        return f"{broken}\n{explain({**status, **meanwhile, 'meanwhile': None, 'problems': []})}"
    sentences = [_SAY[status["state"]](status)]
    sentences += [f"Besides: {text}." for text in status.get("problems", []) if text != status["reason"]]
    return "\n".join(sentences)


def _joined(status: Mapping[str, Any]) -> str:
    pool = status["pool"]["name"]
    return f"This desktop is in the pool {pool}, since {duration(status['since_seconds'])} ago."


def _starting(status: Mapping[str, Any]) -> str:
    return f"This desktop is about to join: {status['reason']} (for {duration(status['since_seconds'])} now)."


def _evicting(status: Mapping[str, Any]) -> str:
    return f"This desktop is leaving the pool: {status['reason']}. Its guest is gone within seconds."


def _disabled(status: Mapping[str, Any]) -> str:
    return (
        f"This desktop is left out at its owner's wish: {status['reason']}. "
        f"It joins again after `{hints.RESUME}` by the same user or {hints.ROOT}."
    )


def _failed(status: Mapping[str, Any]) -> str:
    retry = status["retry_in_seconds"]
    if retry is None:
        return f"This desktop cannot join: {status['reason']}. It goes on by itself once that is put right."
    tries = f"after {status['failures']} tries " if status["failures"] > 1 else ""
    return (
        f"This desktop cannot join: {status['reason']}. "
        f"It tries again {tries}in {duration(retry)}, or at once after `{hints.RELOAD}`."
    )


def _waiting(status: Mapping[str, Any]) -> str:
    idle, needed = status["idle_seconds"], status["needed_idle_seconds"]
    if idle is None:
        return f"This desktop counts as busy: {status['reason']}. It joins {_when(needed)} once that ends."
    left = max(0.0, needed - idle)
    return (
        f"This desktop has been idle for {duration(idle)} of the {duration(needed)} it takes "
        f"({status['idle_reason']}). It joins in {duration(left)} if nobody touches it."
    )


def _when(needed: float | None) -> str:
    return f"after {duration(needed)} without anybody" if needed else "later"


_SAY = {
    "joined": _joined,
    "starting": _starting,
    "evicting": _evicting,
    "disabled": _disabled,
    "failed": _failed,
    "busy": _waiting,
    "idle-wait": _waiting,
}
