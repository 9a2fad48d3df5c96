# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is: subnets and hosts as plain values, and the names that follow from them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network

# A dot separates the parts of a namespace name: neither lab, subnet nor host names may hold one.
NAMESPACE_PREFIX = "eyrie"
# IFNAMSIZ is 16 with the closing zero byte.
INTERFACE_NAME_LENGTH = 15
PACKAGE_CACHE_PORT = 3142
GENUINE = "openmosix"
FAKE = "openmosix-fake"
WINDOWS = "windows"
PC, PC_LEGACY = "pc", "pc-grub-legacy"
DISK_KINDS = ("vm", PC, PC_LEGACY)  # QEMU runs them from a disk of their own


@dataclass(frozen=True)
class Subnet:
    """One office network: a bridge in a namespace of its own."""

    name: str
    network: IPv4Network

    @property
    def router(self) -> IPv4Address:
        """The first address belongs to the lab's router."""
        return self.network.network_address + 1


@dataclass(frozen=True)
class Host:
    """One machine of the office."""

    name: str
    kind: str  # of topology.KINDS; openmosix-fake stands for openmosix, see node_choice
    subnet: Subnet
    address: IPv4Address
    mac: str
    groups: tuple[str, ...]
    memory_mib: int  # of a vm; a container has what the machine has
    cpus: int

    @property
    def is_desktop(self) -> bool:
        """Desktops have an owner."""
        return self.is_windows or "linux_desktops" in self.groups

    @property
    def is_node(self) -> bool:
        """An openMosix node, genuine or fake: its ssh server and its shell are those of 2004."""
        return self.kind in (GENUINE, FAKE)

    @property
    def is_windows(self) -> bool:
        """A Windows desktop: reached by WinRM, never by ssh."""
        return self.kind == WINDOWS

    @property
    def is_emulated(self) -> bool:
        """QEMU runs it: the address is set inside, its cable ends in a tap."""
        return self.kind in (*DISK_KINDS, GENUINE)


@dataclass(frozen=True)
class Topology:
    """A whole lab as its file describes it."""

    name: str
    subnets: tuple[Subnet, ...]
    hosts: tuple[Host, ...]

    @cached_property
    def by_name(self) -> dict[str, Host]:
        """Return the hosts by name."""
        return {host.name: host for host in self.hosts}

    @property
    def router_namespace(self) -> str:
        """Where the lab is entered: it has a leg in every subnet."""
        return namespace(self.name, "router")

    def subnet_namespace(self, subnet: Subnet) -> str:
        """Return the namespace of a subnet's bridge."""
        return namespace(self.name, "subnet", subnet.name)

    def host_namespace(self, host: Host) -> str:
        """Return the namespace of a container's network."""
        return namespace(self.name, "host", host.name)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of host there are, sorted."""
        return tuple(sorted({host.kind for host in self.hosts}))


def namespace(lab: str, *parts: str) -> str:
    """Return the name of a network namespace of this lab."""
    return ".".join((NAMESPACE_PREFIX, lab, *parts))


def interface(prefix: str, name: str) -> str:
    """Return an interface name the kernel accepts; long names end in a hash of the whole."""
    full = prefix + name
    if len(full) <= INTERFACE_NAME_LENGTH:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:6]
    return full[: INTERFACE_NAME_LENGTH - 6] + digest


def derived_mac(lab: str, host: str) -> str:
    """Return a locally administered address that stays the same for this host of this lab."""
    digest = hashlib.sha256(f"{lab}/{host}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))
