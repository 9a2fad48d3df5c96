# SPDX-License-Identifier: GPL-3.0-or-later
"""Desktops that answer the preflight's line.

All of it is MADE UP after the documentation of wmic, reg and sc: nobody ran the line on Microsoft's Windows,
and nothing here was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from eyrie.guests.colinux.preflight.script import SERVICES

MIB = 1 << 20
XP = "Microsoft Windows XP [Version 5.1.2600]"
SEVEN = "Microsoft Windows [Version 6.1.7601]"
CLASS = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Class\{4D36E972-E325-11CE-BFC1-08002BE10318}"
INTEL = "Intel(R) PRO/100 VE Network Connection"


@dataclass(frozen=True)
class Nic:
    """An adapter; `component` is the ID of its driver in the network class."""

    connection: str = "LAN1"
    description: str = INTEL
    index: int = 1
    status: int | None = 2
    device: str = r"PCI\VEN_8086&DEV_1050\4&1"
    medium: int | None = 0
    component: str = "pci\\ven_8086"


@dataclass(frozen=True)
class Fake:
    """A desktop that can run a guest, unless a test says otherwise."""

    ver: str = XP
    arch: str = "x86,%PROCESSOR_ARCHITEW6432%"
    administrator: bool = True
    wmi: bool = True
    product: int = 1
    ram: object = 1024 * MIB - 65536
    free_kib: int = 700_000
    pae: str | None = "FALSE"
    dep: tuple[str, int] | None = ("FALSE", 2)
    options: str = " NOEXECUTE=OPTIN FASTDETECT"
    services: dict[str, int] = field(default_factory=lambda: {"npf": 4})
    image: str = ""
    daemons: tuple[str, ...] = ()
    nics: tuple[Nic, ...] = (Nic(),)
    openvpn: bool = False
    signing: str = ""
    policy: str = ""
    volumes: tuple[tuple[str, int, str], ...] = (("C:", 20_000, "NTFS"),)
    reboot: bool = False

    def but(self, **changes: object) -> Fake:
        return replace(self, **changes)  # type: ignore[arg-type]

    def answer(self) -> str:
        """What the line prints, with the two carriage returns of wmic and the tabs of XP's reg."""
        rows = ["", self.ver, f"colinux:arch={self.arch} "]
        rows += ["colinux:administrator=yes"] if self.administrator else []
        rows += ["colinux:part=system", *self._system()]
        rows += ["colinux:part=registry", *self._registry()]
        rows += ["colinux:openvpn=yes"] if self.openvpn else []
        rows += ["colinux:reboot=yes"] if self.reboot else []
        for name in SERVICES:
            rows += [f"colinux:service={name}", *self._service(name)]
        rows += ["colinux:part=classes", *self._classes()]
        rows += ["colinux:part=adapters", *self._adapters()]
        rows += ["colinux:part=media", *self._media()]
        rows += ["colinux:part=daemons"]
        rows += _wmic(
            [{"CommandLine": line, "ProcessId": str(at)} for at, line in enumerate(self.daemons, 40)]
        )
        rows += ["colinux:part=volumes"]
        disks = [
            {"DeviceID": letter, "FileSystem": system, "FreeSpace": str(mib * MIB)}
            for letter, mib, system in self.volumes
        ]
        rows += _wmic(disks) if self.wmi else []
        return "\r\n".join([*rows, "colinux:end=yes", ""])

    def _system(self) -> list[str]:
        if not self.wmi:
            return []
        values = {}
        if self.dep is not None:
            values["DataExecutionPrevention_32BitApplications"] = self.dep[0]
            values["DataExecutionPrevention_Available"] = self.dep[0]
            values["DataExecutionPrevention_SupportPolicy"] = str(self.dep[1])
        values["FreePhysicalMemory"] = str(self.free_kib)
        if self.pae is not None:
            values["PAEEnabled"] = self.pae
        values["ProductType"] = str(self.product)
        return [
            *(f"{key}={value}\r" for key, value in values.items()),
            "\r",
            f"TotalPhysicalMemory={self.ram}\r",
        ]

    def _registry(self) -> list[str]:
        control = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control"
        rows = [
            "",
            "! REG.EXE VERSION 3.0",
            "",
            control,
            f"    SystemStartOptions\tREG_SZ\t{self.options}",
            "",
        ]
        if self.image:
            rows += [f"    ImagePath\tREG_EXPAND_SZ\t{self.image}"]
        if self.signing:
            rows += [f"    Policy\tREG_BINARY\t{self.signing}"]
        if self.policy:
            rows += [f"    BehaviorOnFailedVerify\tREG_DWORD\t{self.policy}"]
        return rows

    def _service(self, name: str) -> list[str]:
        state = self.services.get(name)
        if state is None:
            return [
                "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:",
                "",
                "Det finns ingen sådan tjänst.",
                "",
            ]
        kind = "10  WIN32_OWN_PROCESS " if name in ("vmms", "HvHost") else "1  KERNEL_DRIVER "
        words = {1: "STOPPED", 2: "START_PENDING", 4: "RUNNING"}[state]
        return [
            "",
            f"SERVICE_NAME: {name}",
            f"        TYPE               : {kind}",
            f"        STATUS             : {state}  {words} ",
            "                                (STOPPABLE,NOT_PAUSABLE,IGNORES_SHUTDOWN)",
            "        WIN32_EXIT_CODE    : 0  (0x0)",
            "",
        ]

    def _classes(self) -> list[str]:
        rows = []
        for nic in self.nics:
            rows += [rf"{CLASS}\{nic.index:04}", f"    ComponentId\tREG_SZ\t{nic.component}"]
            rows += [rf"{CLASS}\{nic.index:04}\Ndi", "    DriverDate\tREG_SZ\t7-1-2001"]
        return rows

    def _adapters(self) -> list[str]:
        records = []
        for nic in self.nics:
            record = {
                "Description": nic.description,
                "Index": str(nic.index),
                "NetConnectionID": nic.connection,
                "NetConnectionStatus": "" if nic.status is None else str(nic.status),
                "PNPDeviceID": nic.device,
            }
            records.append(record)
        return _wmic(records)

    def _media(self) -> list[str]:
        found = [nic for nic in self.nics if nic.medium is not None]
        return _wmic(
            [{"InstanceName": nic.description, "NdisPhysicalMediumType": str(nic.medium)} for nic in found]
        )


def _wmic(records: list[dict[str, str]]) -> list[str]:
    rows = ["\r", "\r"]
    for record in records:
        rows += [*(f"{key}={value}\r" for key, value in record.items()), "\r", "\r"]
    return rows
