# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of a desktop, what it said, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eyrie.errors import EyrieError
from eyrie.guests.colinux.model import Kind
from eyrie.guests.colinux.release import Release

RUNNING = 4
"""A service's state (sc query)."""

TRAPS = {
    "not-administrator": "the account may not install a driver",
    "no-wmi": "wmic answers nothing",
    "architecture": "a Windows of 64 bits, or of another processor",
    "windows-unread": "its version could not be read",
    "windows-2000": "Windows 2000, which cannot answer",
    "windows-old": "Windows NT 4 and older",
    "windows-server": "Windows Server",
    "windows-vista": "Vista or 7 with a release before 0.7.1",
    "windows-new": "Windows 8 and later",
    "reboot-pending": "a restart is due",
    "pae": "PAE is on, and 0.6.1 cannot bear it",
    "dep": "DEP of the processor has switched PAE on",
    "pae-unread": "whether PAE is on could not be read",
    "ram-unread": "the amount of memory could not be read",
    "ram-too-much": "more memory than the release bears",
    "memory-limit": "the guest asks for what no guest of the release gets",
    "memory-share": "the guest would leave Windows too little",
    "driver-elsewhere": "the driver is another installation's",
    "driver-stopped": "the driver is there and does not run",
    "guest-running": "a guest of another installation runs",
    "guests-too-many": "the release bears no further guest",
    "hypervisor": "another hypervisor is loaded",
    "network-kind": "the release does not know this kind of network",
    "network-slirp": "slirp cannot serve openMosix",
    "winpcap-missing": "WinPcap is not installed",
    "npcap": "Npcap is there instead of WinPcap",
    "winpcap-stopped": "WinPcap's driver npf does not run",
    "adapter-none": "no adapter of a local network",
    "adapter-wireless-only": "wireless adapters alone",
    "adapter-missing": "no adapter of the name wanted",
    "adapter-ambiguous": "several adapters fit",
    "adapter-wireless": "the adapter wanted is wireless",
    "adapter-unplugged": "the adapter has no link",
    "adapter-localised": "the adapter's name is not ASCII",
    "adapter-sign": "the adapter's name has a sign that no @file can hold",
    "adapter-long": "the adapter's name is longer than an XML file can hold",
    "tap-vista": "TAP of a release before 0.7.1 on Vista or 7",
    "tap-two": "two TAP adapters",
    "tap-openvpn": "the TAP adapter may be OpenVPN's",
    "tap-name": "the TAP adapter has another name than wanted",
    "tap-localised": "the TAP adapter's name is not ASCII",
    "signing-block": "Windows refuses unsigned drivers",
    "signing-prompt": "Windows asks about unsigned drivers",
    "signing-vista": "Vista and 7 want a signed catalogue for TAP",
    "folder": "the folder's path has a blank or is none",
    "disk-missing": "the folder's drive is no local disk",
    "disk-full": "too little room for the image",
    "disk-fat": "the image is too large for a file of FAT",
}
"""Every reason to refuse a desktop."""


@dataclass(frozen=True)
class Wanted:
    """What shall run there."""

    release: Release
    folder: str = r"C:\coLinux"
    memory_mib: int = 128
    image_mib: int = 0
    """Room that the images need; nought: they are there."""

    network: Kind = "bridge"
    adapter: str = ""
    """What names the adapter, as in the guest's configuration; empty: the only one there is."""

    openmosix: bool = True
    switch_pae_off: bool = False
    """The caller's word that PAE and DEP may be switched off for 0.6.1."""

    accept_untested: bool = False
    """The caller's word that what nobody has reported to work may be tried, on a pilot PC."""


@dataclass(frozen=True)
class Adapter:
    """A network adapter that has a connection."""

    index: int
    description: str
    connection: str
    status: int | None = None
    """2: connected, 7: no cable (Win32_NetworkAdapter.NetConnectionStatus)."""

    device: str = ""
    """Its PnP name; programs' own adapters begin with ROOT."""

    medium: int | None = None
    """NDIS_PHYSICAL_MEDIUM (ntddndis.h): 1 and 9 are wireless LANs."""

    component: str = ""


@dataclass(frozen=True)
class Volume:
    """A local disk's volume."""

    letter: str
    free: int
    system: str


@dataclass(frozen=True)
class Seen:
    """A desktop as it answered. None and empty values: it did not say."""

    windows: tuple[int, int] | None = None
    architecture: str = ""
    administrator: bool = False
    wmi: bool = False
    product: int | None = None
    """1: workstation, 2 and 3: servers (Win32_OperatingSystem.ProductType)."""

    ram: int | None = None
    free_ram: int | None = None
    pae: bool | None = None
    dep_processor: bool | None = None
    dep_policy: int | None = None
    """0: always off, 1: always on, 2: opt in, 3: opt out (DataExecutionPrevention_SupportPolicy)."""

    start_options: str = ""
    services: Mapping[str, int] = field(default_factory=dict)
    """State of each service that is there; 4: runs."""

    driver_image: str = ""
    daemons: tuple[str, ...] = ()
    """Command lines of running guests."""

    adapters: tuple[Adapter, ...] = ()
    taps: tuple[tuple[int, str], ...] = ()
    """Index and ComponentId of the TAP adapters of the network class."""

    openvpn: bool = False
    signing: int | None = None
    """0: ignore, 1: warn, 2: block."""

    volumes: tuple[Volume, ...] = ()
    reboot_pending: bool = False


class Refusal(EyrieError):
    """Why a desktop is refused, what would lift it, and what that costs."""

    def __init__(self, trap: str, thing: str, *, seen: object, wanted: str, lift: str, cost: str) -> None:
        assert trap in TRAPS, trap
        self.trap = trap
        self.lift = lift
        self.cost = cost
        super().__init__(thing, seen=seen, wanted=wanted, next_step=f"{lift}. It costs: {cost}")


@dataclass(frozen=True)
class Weakening:
    """What must be switched off before a guest may start, and how it is put back."""

    where: str
    change: str
    undo: str
    cost: str


@dataclass(frozen=True)
class Verdict:
    """What was found."""

    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()
    adapter: str = ""
    """What names the adapter in the guest's configuration."""

    weakening: Weakening | None = None

    @property
    def fit(self) -> bool:
        """Whether a guest can run there, once the weakening is made that the caller chose."""
        return not self.refusals
