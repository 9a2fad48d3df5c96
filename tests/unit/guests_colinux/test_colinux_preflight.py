# SPDX-License-Identifier: GPL-3.0-or-later
"""Each trap on a desktop is refused by name, alone, with its remedy; a sound desktop is not.

The desktops are made up: nobody ran the preflight on Microsoft's Windows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.guests.colinux import Release
from eyrie.guests.colinux.preflight import TRAPS, Verdict, Wanted, judge, line, parse
from eyrie.windows.quoting import CMD_LENGTH, for_slash_c
from tests.unit.guests_colinux.colinux_desktop import INTEL, SEVEN, XP, Fake, Nic

PAGE = Path(__file__).parents[3] / "docs/colinux.md"
GOOD = Fake()
WLAN = Nic("WLAN", "Intel(R) PRO/Wireless 2200BG", 2)
TAP = Nic("TAP-coLinux", "TAP-Win32 Adapter", 7, device=r"ROOT\NET\0000", component="TAP0801co")
OLD_TAP = Nic("TAP-coLinux", "TAP-Win32 Adapter", 7, device=r"ROOT\NET\0000", component="tapdev")
SECOND = Nic("LAN2", "3Com 3C920 Integrated Fast Ethernet", 3)
NEW: dict[str, Any] = {"release": "0.7.9", "openmosix": False}
TAPPED: dict[str, Any] = {**NEW, "network": "tap"}


def verdict(desktop: Fake, **wanted: Any) -> Verdict:
    release = Release.of(wanted.pop("release", "0.6.1"))
    return judge(parse(desktop.answer(), "desk-1"), Wanted(release, **wanted))


def traps(desktop: Fake, **wanted: Any) -> list[str]:
    return [each.trap for each in verdict(desktop, **wanted).refusals]


SOUND: dict[str, tuple[Fake, dict[str, Any]]] = {
    "XP with 0.6.1": (GOOD, {}),
    "XP with 0.7.9": (GOOD, NEW),
    "7 with 0.7.9": (GOOD.but(ver=SEVEN, pae="TRUE", dep=("TRUE", 2)), NEW),
    "ndis needs no WinPcap": (GOOD.but(services={}), {**NEW, "network": "ndis"}),
    "slirp needs no adapter": (GOOD.but(services={}, nics=()), {**NEW, "network": "slirp"}),
    "a TAP that is there": (GOOD.but(nics=(Nic(), TAP)), TAPPED),
    "a TAP of 0.6.1 that is there": (GOOD.but(nics=(Nic(), OLD_TAP)), {"network": "tap"}),
    "one of two TAPs that is named": (
        GOOD.but(nics=(TAP, Nic("TAP2", "TAP-Win32 Adapter #2", 8, component="TAP0801co"))),
        {**TAPPED, "adapter": "TAP2"},
    ),
    "unsigned drivers are taken": (GOOD.but(signing="00"), TAPPED),
    "the domain takes them": (GOOD.but(signing="02", policy="0x0"), TAPPED),
    "the driver of this folder runs": (
        GOOD.but(services={"npf": 4, "CoLinuxDriver": 4}, image=r"\??\c:\COLINUX\linux.sys"),
        {},
    ),
    "a guest of this folder runs": (GOOD.but(daemons=(r'"C:\coLinux\colinux-daemon.exe" -d -c a.xml',)), {}),
    "other hypervisors that do not run": (GOOD.but(services={"npf": 4, "VBoxDrv": 1, "vmms": 1}), {}),
    "a second adapter without a cable": (GOOD.but(nics=(Nic(), Nic("LAN2", "3Com", 3, status=7))), {}),
    "a wireless adapter beside": (GOOD.but(nics=(Nic(), WLAN)), {}),
    "programs' own adapters beside": (
        GOOD.but(nics=(Nic(), Nic("VMnet1", "VMware Virtual", 4, device=r"ROOT\VMWARE\0000"))),
        {},
    ),
    "FireWire beside": (GOOD.but(nics=(Nic(), Nic("1394", "1394 Net Adapter", 4, medium=7))), {}),
    "one of two adapters that is named": (GOOD.but(nics=(Nic(), SECOND)), {"adapter": "3Com"}),
    "the exact name before a part": (
        GOOD.but(nics=(Nic("LAN"), Nic("LAN 2", "3Com", 3, status=7))),
        {**NEW, "adapter": "LAN"},
    ),
    "PAE with 0.6.2": (GOOD.but(pae="TRUE", dep=("TRUE", 2)), {"release": "0.6.2"}),
    "7 with 0.7.1": (GOOD.but(ver=SEVEN), {**NEW, "release": "0.7.1"}),
    "a TAP on 7 with 0.7.1": (GOOD.but(ver=SEVEN, nics=(Nic(), TAP)), {**TAPPED, "release": "0.7.1"}),
    "start options as boot.ini has them": (GOOD.but(pae=None, options=" /execute /nopae"), {}),
    "PAE off by its start options": (GOOD.but(pae=None, options=" EXECUTE NOPAE FASTDETECT"), {}),
    "PAE off by DEP always off": (
        GOOD.but(pae=None, dep=("TRUE", 0), options=" NOEXECUTE=ALWAYSOFF NOPAE"),
        {},
    ),
    "as much memory as 0.6.1 bears": (GOOD.but(ram=0xFF000000), {}),
    "as much memory as 0.7.3 bears": (GOOD.but(ram=4 << 30), {**NEW, "release": "0.7.3"}),
    "all but 64 MB for the guest": (GOOD.but(ram=256 << 20), {"memory_mib": 192}),
    "three quarters for the guest": (GOOD.but(ram=128 << 20), {"memory_mib": 96}),
    "just room enough": (GOOD, {"image_mib": 20_000}),
    "a large image on NTFS, a small one on FAT32": (
        GOOD.but(volumes=(("C:", 20_000, "FAT32"),)),
        {"image_mib": 4095},
    ),
    "another drive": (
        GOOD.but(volumes=(("C:", 1, "NTFS"), ("D:", 9000, "NTFS"))),
        {"folder": r"D:\a", "image_mib": 9},
    ),
    "a server that is a pilot": (
        GOOD.but(ver="Microsoft Windows [Version 5.2.3790]", product=3),
        {"accept_untested": True},
    ),
    "Vista that is a pilot": (
        GOOD.but(ver="Microsoft Windows [Version 6.0.6002]"),
        {"accept_untested": True},
    ),
}


@pytest.mark.parametrize(("desktop", "wanted"), SOUND.values(), ids=SOUND)
def test_a_sound_desktop_is_not_refused(desktop: Fake, wanted: dict[str, Any]) -> None:
    found = verdict(desktop, **wanted)
    assert found.refusals == () and found.fit and found.weakening is None


CASES: dict[str, tuple[str, Fake, dict[str, Any], str]] = {
    "no administrator": (
        "not-administrator",
        GOOD.but(administrator=False),
        {},
        "log in as an administrator",
    ),
    "a 64-bit cmd.exe": (
        "architecture",
        GOOD.but(arch="AMD64,%PROCESSOR_ARCHITEW6432%"),
        {},
        "found 'AMD64'",
    ),
    "a 32-bit cmd.exe on 64 bits": (
        "architecture",
        GOOD.but(arch="x86,AMD64"),
        {},
        "found 'AMD64', wanted x86",
    ),
    "ARM": ("architecture", GOOD.but(arch="ARM64,%PROCESSOR_ARCHITEW6432%"), {}, "found 'ARM64'"),
    "an architecture nobody told": ("architecture", GOOD.but(arch="%A%,%B%"), {}, "found 'unknown'"),
    "no version": ("windows-unread", GOOD.but(ver="ver: not found"), {}, "wanted 5.1 (XP) to 6.1 (7)"),
    "Windows 2000": (
        "windows-2000",
        GOOD.but(ver="Microsoft Windows 2000 [Version 5.00.2195]"),
        {},
        "by hand",
    ),
    "Windows NT": ("windows-old", GOOD.but(ver="Windows NT Version 4.0  "), {}, "found '4.0'"),
    "Server 2003": ("windows-server", GOOD.but(ver="Microsoft Windows [Version 5.2.3790]"), {}, "a pilot"),
    "Server 2008": ("windows-server", GOOD.but(ver=SEVEN, product=3), NEW, "accept_untested"),
    "a domain's controller": ("windows-server", GOOD.but(ver=SEVEN, product=2), NEW, "a workstation"),
    "Vista with 0.6.1": (
        "windows-vista",
        GOOD.but(ver="Microsoft Windows [Version 6.0.6002]"),
        {},
        "0.7.1 or later",
    ),
    "7 with 0.6.4": (
        "windows-vista",
        GOOD.but(ver=SEVEN),
        {"release": "0.6.4"},
        "told of 0.6.4 on Vista or 7",
    ),
    "Windows 8": ("windows-new", GOOD.but(ver="Microsoft Windows [Version 6.2.9200]"), NEW, "found '6.2'"),
    "Windows 10": (
        "windows-new",
        GOOD.but(ver="Microsoft Windows [Version 10.0.19045]"),
        NEW,
        "never supported",
    ),
    "a restart that is due": (
        "reboot-pending",
        GOOD.but(reboot=True),
        {},
        "restart the desktop while nobody",
    ),
    "PAE": ("pae", GOOD.but(pae="TRUE"), {}, "PAE of this Windows: found 'on', wanted off: 0.6.1"),
    "PAE by its start options": ("pae", GOOD.but(pae=None, options=" PAE FASTDETECT"), {}, "loses /pae"),
    "DEP": ("dep", GOOD.but(pae="TRUE", dep=("TRUE", 2)), {}, "takes DEP's protection from all programs"),
    "DEP by its start options": ("dep", GOOD.but(pae=None, dep=("TRUE", 3)), {}, "gets /execute /nopae"),
    "PAE that nobody told": ("pae-unread", GOOD.but(pae=None, dep=None), {}, "may crash Windows otherwise"),
    "PAE that may be on": ("pae-unread", GOOD.but(pae=None, dep=("FALSE", 2)), {}, "NOEXECUTE=OPTIN"),
    "memory that nobody told": ("ram-unread", GOOD.but(ram=""), {}, "TotalPhysicalMemory"),
    "4 GB with 0.6.1": ("ram-too-much", GOOD.but(ram=0xFF000001), {}, "at most 4080 MiB with 0.6.1"),
    "4 GB with 0.7.2": (
        "ram-too-much",
        GOOD.but(ram=4 << 30),
        {**NEW, "release": "0.7.2"},
        "at most 4080 MiB",
    ),
    "8 GB with 0.7.9": ("ram-too-much", GOOD.but(ram=8 << 30), NEW, "found '8192 MiB', wanted at most 4096"),
    "a guest too large for 0.6.1": ("memory-limit", GOOD, {"memory_mib": 513}, "8 to 512 MiB with 0.6.1"),
    "a guest too small": ("memory-limit", GOOD, {"memory_mib": 4}, "8 to 512 MiB"),
    "a guest too large for a PC": (
        "memory-share",
        GOOD.but(ram=256 << 20),
        {"memory_mib": 193},
        "found '193 of 256 MiB', wanted at most 192 MiB",
    ),
    "a guest too large for a small PC": (
        "memory-share",
        GOOD.but(ram=128 << 20),
        {"memory_mib": 97},
        "96 MiB",
    ),
    "a driver of andLinux": (
        "driver-elsewhere",
        GOOD.but(services={"npf": 4, "CoLinuxDriver": 4}, image=r"\??\C:\andLinux\linux.sys"),
        {},
        r"found 'C:\\andLinux\\linux.sys', wanted none, or that of C:\coLinux",
    ),
    "a driver's entry without its driver": (
        "driver-elsewhere",
        GOOD.but(image=r"\??\C:\old\linux.sys"),
        {},
        "--remove-driver",
    ),
    "a driver that does not run": (
        "driver-stopped",
        GOOD.but(services={"npf": 4, "CoLinuxDriver": 1}, image=r"\??\C:\coLinux\linux.sys"),
        {},
        "--remove-driver, then --install-driver",
    ),
    "somebody else's guest": (
        "guest-running",
        GOOD.but(daemons=(r"C:\coLinux2\colinux-daemon.exe -d -c a.xml",)),
        {},
        "stop it (poweroff inside it)",
    ),
    "a guest of no known folder": (
        "guest-running",
        GOOD.but(daemons=("",)),
        {},
        "found 'colinux-daemon.exe'",
    ),
    "sixteen guests": (
        "guests-too-many",
        GOOD.but(daemons=tuple(rf"C:\coLinux\colinux-daemon.exe -c {n}.xml" for n in range(16))),
        {},
        "found 16, wanted fewer than 16 with 0.6.1",
    ),
    "VMware": ("hypervisor", GOOD.but(services={"npf": 4, "vmx86": 4}), {}, "found 'VMware'"),
    "VirtualBox": ("hypervisor", GOOD.but(services={"npf": 4, "VBoxDrv": 4}), NEW, "stops with a VMX mode"),
    "Virtual PC": ("hypervisor", GOOD.but(services={"npf": 4, "VMM": 4}), {}, "Windows may crash"),
    "Hyper-V": ("hypervisor", GOOD.but(services={"npf": 4, "vmms": 4}), {}, "no machine of Hyper-V runs"),
    "ndis too early": (
        "network-kind",
        GOOD,
        {**NEW, "release": "0.7.3", "network": "ndis"},
        "0.7.3 does not",
    ),
    "slirp too early": ("network-kind", GOOD, {"openmosix": False, "network": "slirp"}, "does not know it"),
    "slirp for openMosix": ("network-slirp", GOOD, {"release": "0.6.2", "network": "slirp"}, "10.0.2.15"),
    "no WinPcap": ("winpcap-missing", GOOD.but(services={}), {}, "found 'no service npf'"),
    "Npcap": ("npcap", GOOD.but(services={"npcap": 4}), {}, "install WinPcap"),
    "WinPcap that does not run": (
        "winpcap-stopped",
        GOOD.but(services={"npf": 1}),
        {},
        "sc config npf start=",
    ),
    "no adapter": ("adapter-none", GOOD.but(nics=()), {}, "switch it on in the Device Manager"),
    "programs' own adapters alone": (
        "adapter-none",
        GOOD.but(nics=(Nic("VMnet1", "VMware", device=r"ROOT\VMWARE\0000"),)),
        {},
        "none of a local network",
    ),
    "wireless by its words": ("adapter-wireless-only", GOOD.but(nics=(WLAN,)), {}, "PRO/Wireless 2200BG"),
    "wireless by its medium": (
        "adapter-wireless-only",
        GOOD.but(nics=(Nic("Net 3", "Dell 1390 Mini-Card", medium=9),)),
        {},
        "one MAC address a station",
    ),
    "a name of another desktop": (
        "adapter-missing",
        GOOD,
        {"adapter": "Realtek"},
        f"adapter Realtek: found 'descriptions {INTEL}'",
    ),
    "a connection in another language": (
        "adapter-missing",
        GOOD.but(nics=(Nic("LAN-Verbindung"),)),
        {**NEW, "adapter": "Local Area Connection"},
        "found 'connections LAN-Verbindung'",
    ),
    "two adapters with cables": (
        "adapter-ambiguous",
        GOOD.but(nics=(Nic(), SECOND)),
        {},
        "name it with adapter",
    ),
    "two adapters of one make": (
        "adapter-ambiguous",
        GOOD.but(nics=(Nic(), Nic("LAN2", f"{INTEL} #2", 2, status=7))),
        {},
        "looks for a part of the name, and takes the first",
    ),
    "a part of two connections": (
        "adapter-ambiguous",
        GOOD.but(nics=(Nic("LAN 1"), Nic("LAN 2", "3Com", 3))),
        {**NEW, "adapter": "LAN"},
        "all have LAN in them",
    ),
    "a wireless adapter by name": (
        "adapter-wireless",
        GOOD.but(nics=(Nic(), WLAN)),
        {"adapter": "2200BG"},
        "name the adapter with the cable",
    ),
    "no cable": ("adapter-unplugged", GOOD.but(nics=(Nic(status=7),)), {}, "adapter LAN1: found 'no link'"),
    "no cable in the one that is named": (
        "adapter-unplugged",
        GOOD.but(nics=(Nic(status=7), SECOND)),
        {"adapter": "Intel"},
        "plug it in",
    ),
    "an adapter that is off": ("adapter-unplugged", GOOD.but(nics=(Nic(status=0),)), {}, "no link"),
    "a localised connection": (
        "adapter-localised",
        GOOD.but(nics=(Nic("Nätverk"),)),
        NEW,
        "connection's name: found 'Nätverk'",
    ),
    "a localised connection that cannot even be read": (
        "adapter-localised",
        GOOD.but(nics=(Nic("N\ufffdtverk"),)),
        NEW,
        "renames a connection",
    ),
    "a localised description": (
        "adapter-localised",
        GOOD.but(nics=(Nic(description="Carte réseau"),)),
        {},
        "adapter's description",
    ),
    "a comment in a connection's name": (
        "adapter-sign",
        GOOD.but(nics=(Nic("LAN #2"),)),
        NEW,
        "found 'LAN #2'",
    ),
    "a long description": ("adapter-long", GOOD.but(nics=(Nic(description="x" * 64),)), {}, "63 characters"),
    "TAP of 0.6.4 on Vista": (
        "tap-vista",
        GOOD.but(ver="Microsoft Windows [Version 6.0.6002]", nics=(Nic(), TAP)),
        {"release": "0.6.4", "network": "tap", "accept_untested": True},
        "earlier ones crash Vista",
    ),
    "two TAPs": (
        "tap-two",
        GOOD.but(nics=(TAP, Nic("TAP2", "TAP-Win32 Adapter #2", 8, component="TAP0801co"))),
        TAPPED,
        "found 'TAP-coLinux, TAP2'",
    ),
    "OpenVPN beside 0.6.1": (
        "tap-openvpn",
        GOOD.but(nics=(Nic(), OLD_TAP), openvpn=True),
        {"network": "tap"},
        "has the same ID, tapdev",
    ),
    "a TAP of another name": (
        "tap-name",
        GOOD.but(nics=(Nic(), TAP)),
        {**TAPPED, "adapter": "TAP"},
        "TAP adapter TAP: found 'TAP-coLinux', wanted a connection of exactly that name",
    ),
    "a localised TAP": (
        "tap-localised",
        GOOD.but(nics=(Nic("Nätverk 7", "TAP", 7, component="TAP0801co"),)),
        TAPPED,
        "newname=TAP-coLinux",
    ),
    "unsigned drivers are refused": ("signing-block", GOOD.but(signing="02"), TAPPED, "refuses unsigned"),
    "the domain refuses them": (
        "signing-block",
        GOOD.but(signing="00", policy="0x2"),
        TAPPED,
        "domain's policy",
    ),
    "Windows asks": ("signing-prompt", GOOD.but(signing="01"), TAPPED, "nobody is there to answer"),
    "Windows asks, as it is by default": ("signing-prompt", GOOD, TAPPED, "install TAP by hand once"),
    "another release's TAP": ("signing-prompt", GOOD.but(nics=(Nic(), TAP)), {"network": "tap"}, "asks"),
    "7 asks": ("signing-vista", GOOD.but(ver=SEVEN, signing="00"), TAPPED, "without a signed catalogue"),
    "a folder with a blank": ("folder", GOOD, {"folder": r"C:\co Linux"}, "lose the quotes"),
    "a folder without a drive": ("folder", GOOD, {"folder": r"coLinux"}, "correct folder"),
    "a drive that is none": ("disk-missing", GOOD, {"folder": r"D:\coLinux"}, "drive D:: found 'C:'"),
    "a full disk": ("disk-full", GOOD, {"image_mib": 20_001}, "found '20000 MiB free', wanted 20001 MiB"),
    "an image too large for FAT32": (
        "disk-fat",
        GOOD.but(volumes=(("C:", 20_000, "FAT32"),)),
        {"image_mib": 4096},
        "convert C: /fs:ntfs",
    ),
}


@pytest.mark.parametrize(("trap", "desktop", "wanted", "told"), CASES.values(), ids=CASES)
def test_each_trap_is_refused_alone_and_with_its_remedy(
    trap: str, desktop: Fake, wanted: dict[str, Any], told: str
) -> None:
    found = verdict(desktop, **wanted)
    assert [each.trap for each in found.refusals] == [trap]
    (refusal,) = found.refusals
    assert told in str(refusal)
    assert refusal.lift and refusal.cost and not found.fit
    assert str(refusal).endswith(f"Next: {refusal.lift}. It costs: {refusal.cost}")


def test_a_desktop_without_wmic_is_refused_whatever_else_it_says() -> None:
    assert traps(GOOD.but(wmi=False, nics=())) == ["no-wmi", "pae-unread", "ram-unread", "adapter-none"]


def test_every_trap_has_a_case_and_a_row_in_the_docs() -> None:
    assert {case[0] for case in CASES.values()} | {"no-wmi"} == TRAPS.keys()
    rows = re.findall(r"(?m)^\| `([a-z0-9-]+)` \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"))
    assert rows == list(TRAPS.items())


def test_all_refusals_are_told_at_once() -> None:
    bad = GOOD.but(arch="AMD64,", ver=SEVEN, pae="TRUE", services={"VBoxDrv": 4}, nics=(WLAN,), reboot=True)
    assert traps(bad, folder=r"E:\a") == [
        "architecture",
        "windows-vista",
        "reboot-pending",
        "pae",
        "hypervisor",
        "disk-missing",
        "winpcap-missing",
        "adapter-wireless-only",
    ]


def test_pae_and_dep_are_switched_off_by_choice_alone_and_can_be_put_back() -> None:
    desktop = GOOD.but(pae="TRUE", dep=("TRUE", 2))
    assert verdict(desktop).weakening is None
    chosen = verdict(desktop, switch_pae_off=True)
    assert chosen.fit and chosen.weakening is not None
    assert "/execute /nopae" in chosen.weakening.change and "DEP" in chosen.weakening.cost
    assert "/noexecute=optin /fastdetect" in chosen.weakening.undo
    assert verdict(GOOD, switch_pae_off=True).weakening is None
    assert verdict(desktop, switch_pae_off=True, **NEW).weakening is None
    assert traps(GOOD.but(pae=None, dep=None), switch_pae_off=True) == ["pae-unread"]


def test_the_adapter_is_named_as_the_release_looks_for_it() -> None:
    assert verdict(GOOD).adapter == INTEL
    assert verdict(GOOD, **NEW).adapter == "LAN1"
    assert verdict(GOOD.but(nics=(Nic(description="Carte réseau 3Com"),)), adapter="3Com").adapter == "3Com"
    assert verdict(GOOD.but(nics=(Nic(), SECOND))).adapter == ""


def test_what_is_good_to_know_is_told() -> None:
    running = GOOD.but(services={"npf": 4, "CoLinuxDriver": 4}, image=r"\??\C:\coLinux\linux.sys")
    (first, second, third) = verdict(running.but(free_kib=100_000)).notes
    assert r"runs already, from \??\C:\coLinux\linux.sys" in first
    assert second.startswith("97 MiB of memory are free now")
    assert third.startswith("0.6.1 is not told when Windows shuts down")
    assert verdict(GOOD, **NEW).notes == ()


def test_the_line_is_short_enough_and_whole() -> None:
    text = for_slash_c(line())
    assert len(text) < CMD_LENGTH - 100
    depth = 0
    for sign in re.sub(r'"[^"]*"', "", text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0 and text.count('"') % 2 == 0 and not re.search(r"[\r\n^!]", text)
    # What follows a `for` outside of brackets would be run once for each of its words.
    assert " & for " not in text and " & (for " in text
    for word in ("del ", "reg add", "reg delete", "sc config", "sc start", "net start", "bcdedit", "bootcfg"):
        assert word not in text
    for question in re.findall(r"wmic [^&|]*", text):
        assert "<nul" in question and "call" not in question and "set " not in question


@given(st.integers(0, 20_000))
def test_an_answer_that_is_cut_is_no_answer(place: int) -> None:
    text = GOOD.answer()
    if place < len(text) - len("end=yes\r\n"):
        with pytest.raises(EyrieError, match="answer of desktop desk-1"):
            parse(text[:place], "desk-1")


def test_another_shell_is_no_answer() -> None:
    for text in ("", "sh: ver: not found", "colinux:end", "echo colinux:end=yes is not recognized"):
        with pytest.raises(EyrieError, match=r"one to cmd\.exe"):
            parse(text, "desk-1")


def test_columns_of_vista_and_numbers_of_all_widths_are_read() -> None:
    text = GOOD.but(image=r"\??\C:\coLinux\linux.sys", signing="01", nics=(Nic(), TAP)).answer()
    spaced = text.replace("\t", "    ")
    assert parse(spaced, "x") == parse(text, "x")
    seen = parse(text.replace("REG_BINARY\t01", "REG_BINARY\t02000000"), "x")
    assert (seen.signing, seen.taps, seen.windows) == (2, ((7, "tap0801co"),), (5, 1))
    assert [(each.connection, each.component) for each in seen.adapters] == [
        ("LAN1", ""),
        ("TAP-coLinux", "tap0801co"),
    ]
    assert XP in text and seen.services == {"npf": 4}


def test_signs_that_wmic_writes_as_xml_does_are_read() -> None:
    nic = Nic("LAN & more", "3Com <PCI>", device=r"PCI\VEN_10B7&DEV_9200")
    text = GOOD.but(nics=(nic,)).answer()
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped != text and parse(escaped, "x") == parse(text, "x")
    assert verdict(GOOD.but(nics=(nic,)), **NEW).adapter == "LAN & more"
