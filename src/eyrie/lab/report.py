# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of a lab for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from eyrie.lab.lab import HostStatus, Lab
from eyrie.lab.model import FAKE, GENUINE
from eyrie.lab.pool import Slot, read_slots

KINDS = {GENUINE: "openMosix node", FAKE: "fake openMosix node"}
COLOURS = {"up": "green", "booting": "yellow", "off": "red"}


def hosts(lab: Lab) -> None:
    """Print the hosts."""
    Console(highlight=False).print(host_table(lab.topology.name, lab.status()))


def pool(lab: Lab) -> None:
    """Print the pool, if one answers, and how all this goes away again."""
    console = Console(highlight=False)
    if not any("masters" in host.groups for host in lab.topology.hosts):
        console.print(f"take it down: eyrie lab down --name {lab.topology.name}")
        return
    slots = read_slots(lab)
    if slots is None:
        console.print("no pool yet: ansible-playbook -i inventory/lab site.yml")
    else:
        console.print(slot_table(slots))
    console.print("take it down: ./run lab-down")


def host_table(name: str, found: list[HostStatus]) -> Table:
    """Return the table of hosts."""
    table = Table(title=f"lab {name}", title_justify="left")
    for heading in ("host", "kind", "subnet", "address", "state", "up for"):
        table.add_column(heading)
    for status in found:
        host = status.host
        state = f"[{COLOURS[status.state]}]{status.state}[/]"
        table.add_row(
            host.name,
            KINDS.get(host.kind, host.kind),
            host.subnet.name,
            str(host.address),
            state,
            uptime(status.seconds),
        )
    return table


def slot_table(slots: list[Slot]) -> Table:
    """Return the table of the pool's slots."""
    table = Table(title="pool", title_justify="left")
    for heading in ("slot", "desktop", "state", "activity", "MiB", "CPUs"):
        table.add_column(heading)
    for slot in slots:
        table.add_row(slot.name, slot.desktop, slot.state, slot.activity, slot.memory_mib, slot.cpus)
    return table


def uptime(seconds: float | None) -> str:
    """Return seconds as people say them."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
    )
