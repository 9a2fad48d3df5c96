# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what is wrong with an inventory before anything is changed. Pure: needs no host."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eyrie.errors import EyrieError
from eyrie.inventory.variables import DESKTOP, faults

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

FAMILIES = ("masters", "linux_desktops", "windows_desktops", "openmosix_nodes")
MEMBERS: dict[str, tuple[str, ...]] = {
    "htcondor": ("masters",),
    "guest_image": ("linux_desktops",),
    "guest_qemu": ("linux_desktops",),
    "agent": ("linux_desktops",),
    "depot": ("masters",),
    "windows_agent": ("windows_desktops",),
    "colinux": ("windows_desktops",),
    "colinux_hours": ("windows_desktops",),
    "wine": ("masters",),
    "pool_hub": ("masters",),
    "pool_network": ("masters", "linux_desktops", "windows_desktops", "openmosix_nodes"),
    "openmosix_vm": ("masters",),
    "openmosix_kernel": ("openmosix_nodes",),
    "openmosix_tools": ("openmosix_nodes",),
}
"""Feature group -> families whose hosts it may hold."""
NEEDS: dict[str, tuple[str, ...]] = {
    "agent": ("guest_image", "guest_qemu"),
    "colinux_hours": ("colinux",),
}
"""Feature group -> feature groups its hosts must be in as well."""
SAME = (
    ("agent_pool_name", "htcondor_pool_name"),
    ("agent_master_address", "htcondor_address"),
    ("agent_master_port", "htcondor_port"),
    ("windows_agent_pool_name", "htcondor_pool_name"),
    ("windows_agent_master_address", "htcondor_address"),
    ("windows_agent_master_port", "htcondor_port"),
    ("guest_qemu_master_address", "htcondor_address"),
    ("guest_qemu_master_port", "htcondor_port"),
)
"""A desktop's variable, and the master's whose value it must have."""
JOINING = frozenset({"agent", "windows_agent"})
"""Feature groups whose hosts join the pool."""


@dataclass(frozen=True)
class Host:
    """One host of the inventory. `values` holds only what is known before the host was reached."""

    name: str
    groups: frozenset[str]
    variables: frozenset[str]
    values: Mapping[str, Any] = field(default_factory=dict)


def problems(hosts: Sequence[Host], known: Collection[str], roles: Collection[str]) -> list[EyrieError]:
    """Find everything wrong, in a stable order; `known` are the variables the roles' argument specs name."""
    found = [
        *_names(hosts),
        *_addresses(hosts),
        *_groups(hosts),
        *_misspelt(hosts, known, roles),
        *_values(hosts),
        *_managers(hosts),
        *_depots(hosts),
        *_agreement(hosts),
        *_revoked(hosts),
    ]
    return list({str(each): each for each in found}.values())


def _names(hosts: Iterable[Host]) -> Iterable[EyrieError]:
    desktops: dict[str, list[str]] = defaultdict(list)
    for host in hosts:
        if host.groups & {"linux_desktops", "windows_desktops"}:
            name = _pool_name(host)
            desktops[name.lower()].append(host.name)
            if not DESKTOP.fits(name):
                yield EyrieError(
                    f"name of desktop {host.name} in the pool",
                    seen=name,
                    wanted=DESKTOP.wanted,
                    next_step="set agent_name (windows_agent_name)",
                )
    for name, owners in desktops.items():
        if len(owners) > 1:
            yield EyrieError(
                f"name {name!r} in the pool",
                seen=_listed(owners),
                wanted="one desktop a name",
                next_step="rename all but one, or set agent_name",
            )


def _addresses(hosts: Iterable[Host]) -> Iterable[EyrieError]:
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for host in hosts:
        if host.values.get("ansible_connection") != "local" and "ansible_host" in host.values:
            # Several hosts may stand behind one address, each at its own port.
            place = (str(host.values["ansible_host"]), str(host.values.get("ansible_port", "")))
            places[place].append(host.name)
    for (address, _port), owners in places.items():
        if len(owners) > 1:
            yield EyrieError(
                f"address {address} (ansible_host)",
                seen=_listed(owners),
                wanted="one host an address",
                next_step="correct all but one in the inventory",
            )


def _groups(hosts: Iterable[Host]) -> Iterable[EyrieError]:
    for host in hosts:
        families = [family for family in FAMILIES if family in host.groups]
        if len(families) > 1:
            yield EyrieError(
                f"families of host {host.name}",
                seen=_listed(families),
                wanted="exactly one",
                next_step="take it out of all but one",
            )
        for feature, allowed in MEMBERS.items():
            if feature not in host.groups:
                continue
            if not set(families) & set(allowed):
                yield EyrieError(
                    f"host {host.name} in group {feature}",
                    seen=_listed(families) or "no family",
                    wanted=f"a host of {_listed(allowed)}",
                    next_step=f"add it to {_listed(allowed)}, or take it out of {feature}",
                )
            for needed in NEEDS.get(feature, ()):
                if needed not in host.groups:
                    yield EyrieError(
                        f"host {host.name} in group {feature}",
                        seen=f"not in {needed}",
                        wanted=f"in {needed} as well",
                        next_step=f"add it to {needed}",
                    )


def _misspelt(hosts: Iterable[Host], known: Collection[str], roles: Collection[str]) -> Iterable[EyrieError]:
    owners: dict[str, list[str]] = defaultdict(list)
    for host in hosts:
        for name in unknown_variables(host.variables, known, roles):
            owners[name].append(host.name)
    for name, names in sorted(owners.items()):
        yield EyrieError(
            f"variable {name} of {_listed(names)}",
            seen="a name that no role knows",
            wanted=nearest(name, known),
            next_step="correct or remove it in the inventory",
        )


def unknown_variables(names: Iterable[str], known: Collection[str], roles: Collection[str]) -> list[str]:
    """Pick the names that look like a role's variable but are none."""
    prefixes = tuple(f"{role}_" for role in roles)
    return sorted(name for name in names if name.startswith(prefixes) and name not in known)


def nearest(name: str, known: Collection[str]) -> str:
    """Guess which name was meant."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"perhaps {close[0]}" if close else "a name of roles/*/README.md"


def _values(hosts: Iterable[Host]) -> Iterable[EyrieError]:
    owners: dict[str, list[str]] = defaultdict(list)
    errors: dict[str, EyrieError] = {}
    for host in hosts:
        for error in faults(host.values):
            owners[str(error)].append(host.name)
            errors[str(error)] = error
    for sentence, error in errors.items():
        yield EyrieError(
            f"{error.thing} of {_listed(owners[sentence])}",
            seen=error.seen,
            wanted=error.wanted,
            next_step=error.next_step,
        )


def _managers(hosts: Sequence[Host]) -> Iterable[EyrieError]:
    managers = [host.name for host in hosts if "htcondor" in host.groups]
    if len(managers) > 1:
        yield EyrieError(
            "group htcondor",
            seen=_listed(managers),
            wanted="one master",
            next_step="leave only the central manager in it",
        )
    if joining := [] if managers else sorted({_joined(host) for host in hosts} - {""}):
        yield EyrieError(
            "group htcondor",
            seen="no host",
            wanted=f"the master that the desktops of group {' and '.join(joining)} join",
            next_step="add a master to it",
        )


def _agreement(hosts: Sequence[Host]) -> Iterable[EyrieError]:
    managers = [host for host in hosts if "htcondor" in host.groups]
    if len(managers) != 1:
        return
    (manager,) = managers
    for theirs, ours in (*SAME, ("htcondor_pool_name", "htcondor_pool_name")):
        wanted = manager.values.get(ours)
        odd: dict[str, list[str]] = defaultdict(list)
        for host in hosts:
            value = host.values.get(theirs)
            if wanted is not None and value is not None and str(value) != str(wanted):
                odd[str(value)].append(host.name)
        for value, names in odd.items():
            yield EyrieError(
                f"{theirs} of {_listed(names)}",
                seen=value,
                wanted=f"{wanted}, which is {ours} of {manager.name}",
                next_step="set it once, for all hosts, in group_vars/all",
            )


def _revoked(hosts: Iterable[Host]) -> Iterable[EyrieError]:
    for host in hosts:
        entries = host.values.get("htcondor_revoked_tokens")
        if not host.groups & JOINING or not isinstance(entries, list):
            continue
        for entry in entries:
            if (
                isinstance(entry, dict)
                and entry.get("issued_before") is None
                and entry.get("desktop") == _pool_name(host)
            ):
                yield EyrieError(
                    f"desktop {host.name}",
                    seen=f"revoked for good, and yet in group {_joined(host)}",
                    wanted="one of the two",
                    next_step=f"take it out of group {_joined(host)},"
                    " or give its revocation an issued_before",
                )


def _depots(hosts: Sequence[Host]) -> Iterable[EyrieError]:
    served = any("depot" in host.groups for host in hosts)
    lacking = [
        host.name
        for host in hosts
        if "windows_agent" in host.groups and "windows_agent_depot_url" not in host.values
    ]
    if lacking and not served:
        yield EyrieError(
            "group depot",
            seen="no host",
            wanted=f"a master that publishes what {_listed(lacking)} install",
            next_step="add a master to it, or set windows_agent_depot_url",
        )


def _joined(host: Host) -> str:
    """Name the group by which a host joins the pool, if any."""
    return next(iter(sorted(host.groups & JOINING)), "")


def _pool_name(host: Host) -> str:
    own = "windows_agent_name" if "windows_desktops" in host.groups else "agent_name"
    return str(host.values.get(own, host.name.split(".")[0]))


def _listed(names: Iterable[str], most: int = 5) -> str:
    """Name a few and count the rest: an office has hundreds."""
    everybody = list(names)
    shown = ", ".join(everybody[:most])
    return shown if len(everybody) <= most else f"{shown} and {len(everybody) - most} more"
