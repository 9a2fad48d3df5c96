# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hub tells about itself: a JSON object to whoever connects to its status socket, or metrics."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from eyrie.hub.switch import Switch


@dataclass
class Report:
    """What happened at the door since the start."""

    since: float
    admitted: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        """Count one that did not get in."""
        if reason in self.refused or len(self.refused) < 64:  # OpenSSL's words: many, but not without end
            self.refused[reason] = self.refused.get(reason, 0) + 1


def describe(pool: str, switch: Switch, report: Report, peers: Mapping[str, str]) -> bytes:
    """Return the hub's state as one line of JSON."""
    ports = {
        port.name or "trunk": {**asdict(port.counters), "peer": peers.get(port.name, "")}
        for port in switch.ports()
    }
    state = {
        "version": 1,
        "pool": pool,
        "up_seconds": round(time.time() - report.since, 1),
        "guests": {"known": len(switch.names()), "connected": len(set(ports) - {"trunk"})},
        "admitted": report.admitted,
        "refused": report.refused,
        "missing": [name for name in switch.names() if name not in ports],
        "ports": ports,
    }
    return json.dumps(state, sort_keys=True).encode() + b"\n"


def metrics(state: Mapping[str, Any]) -> str:
    """Return a state in the text format that Prometheus reads."""
    return "".join(f"{line}\n" for line in _lines(state))


def _lines(state: Mapping[str, Any]) -> Iterator[str]:
    yield "# TYPE eyrie_hub_guests gauge"
    for kind, count in sorted(state["guests"].items()):
        yield f'eyrie_hub_guests{{state="{kind}"}} {count}'
    yield "# TYPE eyrie_hub_admitted_total counter"
    yield f"eyrie_hub_admitted_total {state['admitted']}"
    yield "# TYPE eyrie_hub_refused_total counter"
    for reason, count in sorted(state["refused"].items()):
        yield f'eyrie_hub_refused_total{{reason="{_escape(reason)}"}} {count}'
    for what in ("received_frames", "received_bytes", "sent_frames", "sent_bytes"):
        yield f"# TYPE eyrie_hub_{what}_total counter"
        for name, port in sorted(state["ports"].items()):
            yield f'eyrie_hub_{what}_total{{port="{name}"}} {port[what]}'
    yield "# TYPE eyrie_hub_dropped_frames_total counter"
    for name, port in sorted(state["ports"].items()):
        for reason, count in sorted(port["dropped"].items()):
            yield f'eyrie_hub_dropped_frames_total{{port="{name}",reason="{_escape(reason)}"}} {count}'


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
