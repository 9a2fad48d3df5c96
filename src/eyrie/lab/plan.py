# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings a lab up: a declared list of steps, each knowing whether it is already done. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eyrie.lab.model import Host, Topology
from eyrie.lab.network_plan import NamespaceSpec, States, host_spec, is_built, router_spec, subnet_spec


@dataclass(frozen=True)
class Present:
    """What of a lab is there now. Host and image kind names stand for what is whole, not merely begun."""

    keys: bool = False
    namespaces: States = field(default_factory=dict)
    package_cache: bool = False
    proxy: bool = False  # the way to Windows desktops
    images: frozenset[str] = frozenset()
    rooted: frozenset[str] = frozenset()  # hosts that have their disk or tree
    seeded: frozenset[str] = frozenset()  # hosts whose own files are the wanted ones
    running: frozenset[str] = frozenset()
    answering: frozenset[str] = frozenset()
    strangers: tuple[str, ...] = ()  # hosts that are there, but not in the lab's file


@dataclass(frozen=True)
class Step:
    """One step; `verb` says what is to be done to `subject`."""

    verb: str  # keys | remove | network | cache | proxy | image | prepare | boot | answer
    subject: str
    title: str
    done: bool
    spec: NamespaceSpec | None = None


def plan(topology: Topology, present: Present) -> tuple[Step, ...]:
    """Return all steps in order, those included that are done."""
    return tuple(_steps(topology, present))


def _steps(topology: Topology, present: Present) -> Iterator[Step]:
    yield Step("keys", topology.name, "make the lab's ssh keys", present.keys)
    for name in present.strangers:
        yield Step("remove", name, f"remove {name}, which the lab's file no longer has", done=False)
    for subnet in topology.subnets:
        yield _network(
            subnet.name, f"subnet {subnet.name} {subnet.network}", subnet_spec(topology, subnet), present
        )
    yield _network("router", "router between the subnets", router_spec(topology), present)
    for host in topology.hosts:
        yield _network(
            host.name, f"cable of {host.name} to {host.subnet.name}", host_spec(topology, host), present
        )
    yield Step("cache", "package cache", "start the package cache", present.package_cache)
    if any(host.is_windows for host in topology.hosts):
        yield Step("proxy", "winrm proxy", "open the way to the Windows desktops", present.proxy)
    for kind in topology.kinds:
        needed = any(host.kind == kind and host.name not in present.rooted for host in topology.hosts)
        yield Step("image", kind, f"{kind} image", not needed or kind in present.images)
    for host in topology.hosts:
        ready = host.name in present.rooted & present.seeded
        yield Step("prepare", host.name, f"files of {host.name}", ready)
    for host in topology.hosts:
        yield Step("boot", host.name, f"start {host.name}", _runs(topology, host, present))
    for host in topology.hosts:
        answers = _runs(topology, host, present) and host.name in present.answering
        yield Step("answer", host.name, f"{host.name} answers on {host.address}", answers)


def _network(subject: str, title: str, spec: NamespaceSpec, present: Present) -> Step:
    return Step("network", subject, title, is_built(spec, present.namespaces), spec)


def _runs(topology: Topology, host: Host, present: Present) -> bool:
    """A host that lost its namespace or its tree runs on where nobody can reach it: it has to start again."""
    has_network = topology.host_namespace(host) in present.namespaces
    return host.name in present.running & present.rooted and has_network
