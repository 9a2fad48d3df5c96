# SPDX-License-Identifier: GPL-3.0-or-later
"""What the values of the roles' variables have to be, beyond the types that their argument specs state."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eyrie.desktops.sources import is_source
from eyrie.engines.tokens import revocations
from eyrie.errors import EyrieError
from eyrie.kernels.release import is_release, is_word
from eyrie.node_vms.model import node_vms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Least and greatest value. A contract test keeps this in step with the argument specs.
RANGES: dict[str, tuple[float, float]] = {
    "agent_backoff_first_seconds": (1, 3600),
    "agent_backoff_max_seconds": (1, 86400),
    "agent_evict_grace_seconds": (2, 60),
    "agent_foreign_cpu_percent": (1, 100),
    "agent_guest_cpu_percent": (1, 100),
    "agent_guest_cpus": (1, 64),
    "agent_guest_memory_mib": (192, 1048576),
    "agent_hub_port": (1024, 65535),
    "windows_agent_hub_port": (1024, 65535),
    "windows_agent_hub_certificate_days": (1, 3650),
    "agent_idle_poll_seconds": (0.1, 5),
    "agent_idle_seconds": (5, 86400),
    "agent_lease_seconds": (10, 86400),
    "agent_master_port": (1024, 65535),
    "agent_start_timeout_seconds": (10, 3600),
    "colinux_answer_port": (0, 65535),
    "colinux_busy_lead_minutes": (0, 480),
    "colinux_hours_drain_minutes": (0, 240),
    "colinux_hours_stop_minutes": (0, 240),
    "colinux_image_mib": (0, 1 << 20),
    "colinux_memory_mib": (8, 1000),
    "colinux_start_seconds": (1, 3600),
    "colinux_stop_seconds": (5, 3600),
    "depot_certificate_days": (2, 825),
    "depot_port": (1024, 65535),
    "guest_qemu_master_port": (1024, 65535),
    "htcondor_job_lease_seconds": (20, 86400),
    "htcondor_negotiator_interval_seconds": (5, 3600),
    "htcondor_port": (1024, 65535),
    "htcondor_token_lifetime_days": (1, 3650),
    "network_ipsec_certificate_days": (1, 3650),
    "openmosix_kernel_boot_timeout_seconds": (10, 7200),
    "openmosix_kernel_build_jobs": (1, 256),
    "openmosix_kernel_health_timeout_seconds": (0, 3600),
    "openmosix_kernel_panic_seconds": (1, 600),
    "openmosix_tools_drain_seconds": (1, 86400),
    "openmosix_tools_wait_seconds": (0, 600),
    "openmosix_vm_boot_seconds": (10, 3600),
    "openmosix_vm_cpu_percent": (1, 100),
    "openmosix_vm_stop_seconds": (5, 3600),
    "windows_agent_backoff_first_seconds": (1, 3600),
    "windows_agent_backoff_max_seconds": (1, 86400),
    "windows_agent_colinux_answer_port": (0, 65535),
    "windows_agent_evict_grace_seconds": (2, 120),
    "windows_agent_foreign_cpu_percent": (1, 100),
    "windows_agent_guest_cpu_percent": (1, 100),
    "windows_agent_guest_cpus": (1, 64),
    "windows_agent_guest_memory_mib": (192, 1048576),
    "windows_agent_idle_poll_seconds": (0.1, 5),
    "windows_agent_idle_seconds": (5, 86400),
    "windows_agent_lease_seconds": (10, 86400),
    "windows_agent_master_port": (1024, 65535),
    "windows_agent_start_timeout_seconds": (10, 3600),
    "windows_agent_reconnect_seconds": (10, 3600),
    "pool_hub_certificate_days": (1, 3650),
    "pool_hub_flood_per_second": (1, 100_000),
    "pool_hub_mtu": (576, 9000),
    "pool_hub_port": (1024, 65535),
}


@dataclass(frozen=True)
class Form:
    """What a text has to look like: a test, and the words for it."""

    fits: Callable[[str], bool]
    wanted: str


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text) is not None


def _is_host_address(text: str) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_multicast or address.is_loopback)


def _is_interface_address(text: str) -> bool:
    try:
        interface = ipaddress.IPv4Interface(text)
    except ValueError:
        return False
    return "/" in text and _is_host_address(str(interface.ip))


_POOL = Form(
    _matches(r"[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?"), "small letters, digits, '.' and '-', at most 64"
)
_ADDRESS = Form(_is_host_address, "the IPv4 address of one host, not loopback")
_MAYBE_ADDRESS = Form(lambda text: text == "" or _is_host_address(text), f"{_ADDRESS.wanted}, or nothing")
# It ends up in a host name, an identity and a guest's boot files. slot1, slot1_2, ... are HTCondor's own.
DESKTOP = Form(
    _matches(r"(?!slot\d)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"),
    "small letters, digits and '-', at most 63, and no name of a slot such as slot1",
)
_ACCOUNT = Form(_matches(r"[a-z_][a-z0-9_.-]{0,31}"), "the name of an account")
_SUBMITTER = Form(_matches(r"\*|[a-z_][a-z0-9_.-]{0,31}"), "the name of an account, or '*'")
_SERVICE_ACCOUNT = Form(
    _matches(r"(?!root$)[a-z_][a-z0-9_-]{0,31}"), "the name of an account of its own, not root"
)
_ARCHITECTURE = Form(_matches("amd64|i386"), "amd64 or i386")
_DEBIAN_PACKAGE = Form(_matches(r"[a-z0-9][a-z0-9+.-]+"), "the name of a Debian package")
_SCOPE = Form(_matches(r"[A-Z_]+"), "an authority of HTCondor such as ADVERTISE_STARTD")
# What Linux takes as an interface's name, less what would have to be quoted.
_INTERFACE_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}"
_INTERFACE = Form(_matches(_INTERFACE_NAME), "the name of a network interface, at most 15 characters")
_MAYBE_INTERFACE = Form(_matches(f"({_INTERFACE_NAME})?"), "the name of a network interface, or nothing")
_MAYBE_INTERFACE_ADDRESS = Form(
    lambda text: text == "" or _is_interface_address(text), "an address such as 10.77.0.1/24, or nothing"
)
_MAYBE_SHA256 = Form(_matches(r"([0-9a-f]{64})?"), "64 small hex digits, or nothing")
_SERIAL = Form(_matches(r"[0-9A-Fa-f]{1,40}"), "the serial number of a certificate, in hex")
_DEPOT_URL = Form(
    _matches(r"https://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~-]+)*"), "an https URL without a slash at its end"
)
_MSI_SOURCE = Form(is_source, "depot, none, an https URL, \\\\SERVER\\SHARE\\X.msi or C:\\FOLDER\\X.msi")
_RELEASE = Form(is_release, "a kernel's release such as 2.4.26-om")
_WORD = Form(is_word, "a word of a kernel's command line such as nmi_watchdog=1")

FORMS: dict[str, Form] = {
    "agent_hub_address": _ADDRESS,
    "agent_hub_guest_address": _MAYBE_INTERFACE_ADDRESS,
    "agent_master_address": _ADDRESS,
    "agent_name": DESKTOP,
    "agent_pool_name": _POOL,
    "depot_address": _ADDRESS,
    "depot_pool_name": _POOL,
    "guest_qemu_master_address": _ADDRESS,
    "htcondor_address": _ADDRESS,
    "htcondor_admins": _ACCOUNT,
    "htcondor_pool_name": _POOL,
    "htcondor_submitters": _SUBMITTER,
    "htcondor_token_desktop": DESKTOP,
    "htcondor_token_scopes": _SCOPE,
    "network_ipsec_address": _ADDRESS,
    "network_ipsec_pool_name": _POOL,
    "openmosix_tools_address": _ADDRESS,
    "openmosix_kernel_append": _WORD,
    "openmosix_kernel_archive_sha256": _MAYBE_SHA256,
    "openmosix_kernel_release": _RELEASE,
    "openmosix_vm_bridge": _INTERFACE,
    "openmosix_vm_bridge_address": _MAYBE_INTERFACE_ADDRESS,
    "openmosix_vm_bridge_interface": _MAYBE_INTERFACE,
    "openmosix_vm_kernel_sha256": _MAYBE_SHA256,
    "openmosix_vm_root_image_sha256": _MAYBE_SHA256,
    "pool_hub_address": _ADDRESS,
    "pool_hub_bridge": _MAYBE_INTERFACE,
    "pool_hub_desktop": DESKTOP,
    "pool_hub_guest_address": _MAYBE_ADDRESS,
    "pool_hub_pool_name": _POOL,
    "pool_hub_private_address": _MAYBE_INTERFACE_ADDRESS,
    "pool_hub_revoked_certificates": _SERIAL,
    "pool_network_address": _ADDRESS,
    "windows_agent_depot_url": _DEPOT_URL,
    "windows_agent_hub_address": _ADDRESS,
    "windows_agent_hub_guest_address": _MAYBE_INTERFACE_ADDRESS,
    "windows_agent_master_address": _ADDRESS,
    "windows_agent_msi_source": _MSI_SOURCE,
    "windows_agent_name": DESKTOP,
    "windows_agent_pool_name": _POOL,
    "wine_architectures": _ARCHITECTURE,
    "wine_fonts": _DEBIAN_PACKAGE,
    "wine_job_user": _SERVICE_ACCOUNT,
}


def faults(values: Mapping[str, Any]) -> list[EyrieError]:
    """Find every value that is out of its range or has another form, in the order of the names."""
    found: list[EyrieError] = []
    for name, value in sorted(values.items()):
        found += _range_fault(name, value) + _form_faults(name, value)
    if isinstance(entries := values.get("htcondor_revoked_tokens"), list):
        try:
            for each in revocations(entries):
                found += _form_fault("htcondor_revoked_tokens, desktop", each.desktop, DESKTOP)
        except EyrieError as error:
            found.append(error)
    return found + _node_faults(values)


def _node_faults(values: Mapping[str, Any]) -> list[EyrieError]:
    """Find what is wrong with the openMosix nodes that a master is to run."""
    if "openmosix_vm_network" not in values or "openmosix_vm_nodes" not in values:
        return []
    try:
        node_vms(
            values["openmosix_vm_nodes"],
            values["openmosix_vm_network"],
            values.get("openmosix_vm_gateway", ""),
            " ".join(map(str, values.get("openmosix_vm_init_options", []))),
        )
    except EyrieError as error:
        return [error]
    return []


def _range_fault(name: str, value: Any) -> list[EyrieError]:
    if name not in RANGES:
        return []
    least, most = RANGES[name]
    number = _number(value)
    if number is not None and least <= number <= most:
        return []
    wanted = f"a number from {least:g} to {most:.0f}"
    return [EyrieError(name, seen=value, wanted=wanted, next_step="correct it in the inventory")]


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _form_faults(name: str, value: Any) -> list[EyrieError]:
    form = FORMS.get(name)
    if form is None:
        return []
    values = value if isinstance(value, list) else [value]
    return [fault for each in values for fault in _form_fault(name, each, form)]


def _form_fault(name: str, value: Any, form: Form) -> list[EyrieError]:
    if isinstance(value, str) and form.fits(value):
        return []
    return [EyrieError(name, seen=value, wanted=form.wanted, next_step="correct it in the inventory")]
