# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions: one line for cmd.exe of Windows XP and up. It changes nothing and needs nothing installed.

wmic comes with XP Professional. It would wait for input where there is no console: hence `<nul`. Nobody ran
the line on Microsoft's Windows yet.
"""

from __future__ import annotations

MARK = "colinux:"
DRIVER = "CoLinuxDriver"
HYPERVISORS = {
    "vmx86": "VMware",
    "VBoxDrv": "VirtualBox",
    "VBoxSup": "VirtualBox",
    "VMM": "Virtual PC",
    "vmms": "Hyper-V",
    "HvHost": "Hyper-V",
    "IntelHaxm": "HAXM",
    "kqemu": "QEMU's accelerator",
}
"""Services of other hypervisors' drivers."""

SERVICES = (DRIVER, "npf", "npcap", *HYPERVISORS)
_NETWORK_CLASS = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4D36E972-E325-11CE-BFC1-08002BE10318}"
_CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
_POLICY = r"HKCU\Software\Policies\Microsoft\Windows NT\Driver Signing"
_SYSTEM = ("DataExecutionPrevention_", "FreePhysicalMemory=", "PAEEnabled=", "ProductType=")
_ADAPTER = "Description,Index,NetConnectionID,NetConnectionStatus,PNPDeviceID"


def line() -> str:
    """Return the line. It holds no value of the inventory, so that cmd may expand its variables."""
    parts = [
        "ver",
        f"echo {MARK}arch=%PROCESSOR_ARCHITECTURE%,%PROCESSOR_ARCHITEW6432%",
        # Readable for administrators alone, whatever the language.
        _if(r"reg query HKU\S-1-5-19", "administrator"),
        _part("system"),
        # All at once, for one property that a Windows does not know fails the others.
        f'wmic os get /value <nul 2>nul | findstr /b "{" ".join(_SYSTEM)}"',
        "wmic computersystem get TotalPhysicalMemory /value <nul 2>nul",
        _part("registry"),
        f"reg query {_CONTROL} /v SystemStartOptions 2>nul",
        rf"reg query HKLM\SYSTEM\CurrentControlSet\Services\{DRIVER} /v ImagePath 2>nul",
        r'reg query "HKLM\SOFTWARE\Microsoft\Driver Signing" /v Policy 2>nul',
        f'reg query "{_POLICY}" /v BehaviorOnFailedVerify 2>nul',
        _if(r"reg query HKLM\SOFTWARE\OpenVPN", "openvpn"),
        _if(rf'reg query "{_CONTROL}\Session Manager" /v PendingFileRenameOperations', "reboot"),
        # In brackets, for all that follows on a line belongs to a `for`.
        f"(for %s in ({' '.join(SERVICES)}) do @(echo {MARK}service=%s& sc query %s))",
        _part("classes"),
        f'reg query "{_NETWORK_CLASS}" /s 2>nul | findstr /i "HKEY_ ComponentId"',
        _part("adapters"),
        f'wmic nic where "NetConnectionID is not null" get {_ADAPTER} /value <nul 2>nul',
        _part("media"),
        r"wmic /namespace:\\root\wmi path MSNdis_PhysicalMediumType"
        " get InstanceName,NdisPhysicalMediumType /value <nul 2>nul",
        _part("daemons"),
        "wmic process where \"Name='colinux-daemon.exe'\" get CommandLine,ProcessId /value <nul 2>nul",
        _part("volumes"),
        'wmic logicaldisk where "DriveType=3" get DeviceID,FileSystem,FreeSpace /value <nul 2>nul',
        f"echo {MARK}end=yes",
    ]
    return " & ".join(parts)


def _if(command: str, name: str) -> str:
    return f"({command} >nul 2>nul && echo {MARK}{name}=yes)"


def _part(name: str) -> str:
    return f"echo {MARK}part={name}"
