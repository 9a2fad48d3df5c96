# SPDX-License-Identifier: GPL-3.0-or-later
"""What a configuration cannot ask of a release, each told by name; and what two guests of a pool share."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface

import pytest

from eyrie.errors import EyrieError
from eyrie.guests.colinux import Card, Cofs, Disk, Guest, Option, Release, check, faults, render
from eyrie.guests.colinux.boot import Identity, identity_of, words
from eyrie.guests.colinux.files import one_desktop
from tests.unit.guests_colinux.colinux_guests import AT, MIDDLE, NEW, OLD, XML

CARD = Card(0, "bridge", "LAN1", "02:00:5e:10:00:01")
ROOT = Disk(0, r"\DosDevices\c:\coLinux\root_fs")
GOOD = Guest(r"C:\coLinux\vmlinux", "root=/dev/cobd0 ro", 128, (ROOT,), (CARD,))
SECOND = Disk(1, r"\DosDevices\c:\coLinux\second")
SLIRP = Card(1, "slirp", "", "02:00:5e:10:00:02", redirections="tcp:2222:22")


def test_a_good_guest_has_no_fault_anywhere() -> None:
    assert faults(GOOD, OLD) == faults(GOOD, MIDDLE) == faults(GOOD, NEW) == []


CASES: dict[str, tuple[Guest, Release, str]] = {
    "too little memory": (replace(GOOD, memory=7), OLD, "memory: found 7, wanted 8 to 512 MB with 0.6.1"),
    "too much for 0.6.1": (replace(GOOD, memory=513), OLD, "8 to 512 MB with 0.6.1"),
    "too much for 0.6.4": (replace(GOOD, memory=1001), MIDDLE, "8 to 1000 MB"),
    "too much for 0.7.9": (replace(GOOD, memory=985), NEW, "8 to 984 MB"),
    "a long boot line": (
        replace(GOOD, boot=GOOD.boot + " " + "x" * 237),
        OLD,
        "boot line: found '256 bytes', wanted at most 255",
    ),
    "no root": (replace(GOOD, boot="ro"), OLD, "wanted root=/dev/cobd0, or an initrd"),
    "a root that is no disk": (replace(GOOD, boot="root=/dev/cobd1"), OLD, "found 'root=/dev/cobd1'"),
    "a root of devfs that is no disk": (replace(GOOD, boot="root=/dev/cobd/1"), OLD, "root=/dev/cobd1"),
    "an alias that is no disk": (replace(GOOD, boot="root=/dev/hda1"), NEW, "found 'root=/dev/hda1'"),
    "a root that is off": (replace(GOOD, disks=(replace(ROOT, enabled=False),)), OLD, "a disk of this guest"),
    "a boot line beyond ASCII": (replace(GOOD, boot=GOOD.boot + " å"), OLD, "boot line: found 'å'"),
    "a packed kernel": (replace(GOOD, kernel="vmlinux.gz"), OLD, "kernel: found 'vmlinux.gz'"),
    "a bzImage": (replace(GOOD, kernel=r"C:\a\bzImage"), OLD, "an unpacked ELF file"),
    "a kernel no file can be": (
        replace(GOOD, kernel=r"C:\a|b"),
        OLD,
        r"kernel: found 'C:\\a|b', wanted ASCII",
    ),
    "an initrd no file can be": (replace(GOOD, initrd="a?"), NEW, "initrd: found 'a?', wanted ASCII"),
    "a folder none can be": (replace(GOOD, cofs=(Cofs(0, "C:\\*"),)), NEW, "wanted ASCII without any of"),
    "a path with a comment": (replace(GOOD, kernel="vmlinux#2"), NEW, "kernel: found 'vmlinux#2'"),
    "no disk": (replace(GOOD, disks=()), OLD, "disks: found 'none'"),
    "a packed image": (
        replace(GOOD, disks=(replace(ROOT, path=ROOT.path + ".bz2"),)),
        OLD,
        "wanted an unpacked image",
    ),
    "a disk too far": (replace(GOOD, disks=(ROOT, replace(SECOND, index=32))), OLD, "cobd32"),
    "a disk twice": (replace(GOOD, disks=(ROOT, replace(SECOND, index=0))), OLD, "cobd0: found '2 times'"),
    "an image twice": (
        replace(GOOD, disks=(ROOT, replace(SECOND, path=r"C:\CoLinux\.\ROOT_FS"))),
        NEW,
        r"image c:\colinux\root_fs: found 'cobd0, cobd1'",
    ),
    "a DOS path with 0.6.1": (
        replace(GOOD, disks=(replace(ROOT, path=r"C:\coLinux\root_fs"),)),
        OLD,
        r"wanted \DosDevices\c:\coLinux\root_fs",
    ),
    "a path no file can have": (replace(GOOD, disks=(replace(ROOT, path=ROOT.path + "?"),)), OLD, "cobd0"),
    "an odd alias": (replace(GOOD, disks=(replace(ROOT, alias="sr0"),)), NEW, "alias: found 'sr0'"),
    "no MAC address": (replace(GOOD, cards=(replace(CARD, mac=""),)), OLD, "gives every guest the same"),
    "the usual MAC address": (
        replace(GOOD, cards=(replace(CARD, mac="00:43:4f:4e:45:30"),)),
        OLD,
        "another than coLinux's own",
    ),
    "a MAC address with dashes": (
        replace(GOOD, cards=(replace(CARD, mac="02-00-5e-10-00-01"),)),
        NEW,
        "17 characters with colons",
    ),
    "a MAC address of many hosts": (
        replace(GOOD, cards=(replace(CARD, mac="03:00:5e:10:00:01"),)),
        NEW,
        "of one host",
    ),
    "a MAC address twice": (replace(GOOD, cards=(CARD, replace(CARD, index=1))), NEW, "found 'eth0, eth1'"),
    "a card too far": (replace(GOOD, cards=(replace(CARD, index=16),)), OLD, "eth16: found 16"),
    "a card twice": (replace(GOOD, cards=(CARD, replace(SLIRP, index=0))), NEW, "eth0: found '2 times'"),
    "no name to bridge by": (replace(GOOD, cards=(replace(CARD, name=""),)), OLD, "adapter's description"),
    "no connection to bridge": (replace(GOOD, cards=(replace(CARD, name=""),)), NEW, "connection's name"),
    "a long name": (replace(GOOD, cards=(replace(CARD, name="x" * 64),)), OLD, "at most 63 characters"),
    "a localised name": (
        replace(GOOD, cards=(replace(CARD, name="Nätverk"),)),
        OLD,
        "wanted ASCII, not 'ä', which the desktop's code page decides on. Next: give the connection an",
    ),
    "a comment in a name": (
        replace(GOOD, cards=(replace(CARD, name="LAN #2"),)),
        NEW,
        "a comment would start",
    ),
    "slirp before 0.6.2": (
        replace(GOOD, cards=(CARD, SLIRP)),
        OLD,
        "eth1: kind slirp: found 'release 0.6.1'",
    ),
    "ndis before 0.7.4": (
        replace(GOOD, cards=(replace(CARD, kind="ndis"),)),
        Release.of("0.7.3"),
        "eth0: kind ndis",
    ),
    "a name for slirp": (replace(GOOD, cards=(replace(SLIRP, name="x"),)), NEW, "wanted none with slirp"),
    "a port that is none": (
        replace(GOOD, cards=(replace(SLIRP, redirections="tcp:0:22"),)),
        NEW,
        "found 'tcp:0:22'",
    ),
    "a port too high": (
        replace(GOOD, cards=(replace(SLIRP, redirections="tcp:1:1/udp:1:65536"),)),
        NEW,
        "found 'udp:1:65536'",
    ),
    "a port too high on the desktop": (
        replace(GOOD, cards=(replace(SLIRP, redirections="tcp:65536:1"),)),
        NEW,
        "found 'tcp:65536:1'",
    ),
    "ports of neither kind": (
        replace(GOOD, cards=(replace(SLIRP, redirections="sctp:1:1"),)),
        NEW,
        "found 'sctp:1:1'",
    ),
    "ports without slirp": (replace(GOOD, cards=(replace(CARD, redirections="tcp:1:1"),)), NEW, "only kind"),
    "promisc with 0.6.1": (replace(GOOD, cards=(replace(CARD, promisc=False),)), OLD, "promiscuous mode off"),
    "promisc of tap": (
        replace(GOOD, cards=(replace(CARD, kind="tap", promisc=False),)),
        NEW,
        "found 'tap', wanted a bridge",
    ),
    "an initrd with 0.6.1": (replace(GOOD, initrd="initrd.gz"), OLD, "initrd: found 'release 0.6.1'"),
    "a folder with 0.6.1": (replace(GOOD, cofs=(Cofs(0, "C:\\a"),)), OLD, "cofs0: found 'release 0.6.1'"),
    "a folder too far": (replace(GOOD, cofs=(Cofs(32, "C:\\a"),)), NEW, "cofs32"),
    "an option with 0.6.4": (replace(GOOD, options=(Option("exec0", ("a",)),)), MIDDLE, "wanted 0.7.1"),
    "a program too far": (replace(GOOD, options=(Option("exec8", ("a",)),)), NEW, "exec0 to exec7"),
    "a tiny console": (replace(GOOD, options=(Option("cocon", ("15x2",)),)), NEW, "at least 16x2"),
    "a long console": (replace(GOOD, options=(Option("cocon", ("80x25x501",)),)), NEW, "buffer to 500"),
    "an unknown word of ours": (replace(GOOD, boot=GOOD.boot + " eyrie_nod=3"), OLD, "found 'eyrie_nod=3'"),
}


@pytest.mark.parametrize(("guest", "release", "told"), CASES.values(), ids=CASES)
def test_what_a_release_cannot_do_is_refused(guest: Guest, release: Release, told: str) -> None:
    assert [each for each in faults(guest, release) if told in str(each)], faults(guest, release)
    with pytest.raises(EyrieError):
        render(guest, release)


@pytest.mark.parametrize(
    ("guest", "release"),
    [
        (replace(GOOD, memory=512), OLD),
        (replace(GOOD, memory=1000), MIDDLE),
        (replace(GOOD, memory=984), NEW),
        (replace(GOOD, boot=GOOD.boot + " " + "x" * 236), OLD),
        (replace(GOOD, cards=(replace(CARD, name="x" * 63),)), OLD),
        (replace(GOOD, cards=(replace(CARD, kind="ndis"),)), Release.of("0.7.4")),
        (replace(GOOD, options=(Option("cocon", ("16x2x500",)),)), NEW),
        (replace(GOOD, options=(Option("exec7", ("a",)),)), NEW),
        (replace(GOOD, disks=(ROOT, replace(SECOND, index=31))), OLD),
        (replace(GOOD, cards=(replace(CARD, index=15),)), OLD),
        (replace(GOOD, cofs=(Cofs(31, "C:\\a"),)), NEW),
        (replace(GOOD, cards=(replace(SLIRP, redirections="tcp:65535:1/udp:1:65535"),)), NEW),
        (replace(GOOD, memory=8), OLD),
    ],
)
def test_the_limits_themselves_are_taken(guest: Guest, release: Release) -> None:
    assert faults(guest, release) == []


def test_what_an_at_file_cannot_say_is_refused() -> None:
    for guest, told in (
        (replace(GOOD, disks=(ROOT, replace(SECOND, enabled=False))), "a disk that is on, or none"),
        (replace(GOOD, cofs=(Cofs(0, "C:\\a", "flat"),)), "without a type"),
        (replace(GOOD, boot=GOOD.boot + " mem=64"), "no key of coLinux"),
        (replace(GOOD, boot=GOOD.boot + " -s"), "begin with a letter"),
        (replace(GOOD, options=(Option("exec0", ("a#b",)),)), "# starts a comment"),
    ):
        with pytest.raises(EyrieError, match=told):
            render(guest, NEW)
    with pytest.raises(EyrieError, match="in an XML file"):
        from eyrie.guests.colinux import xml_format

        xml_format.render(replace(GOOD, cards=(replace(CARD, kind="ndis"),)))


@pytest.mark.parametrize("text", ["0.6.0", "0.6.5", "0.7.0", "0.8.1", "0.7.10", "2.4.26", ""])
def test_a_release_that_never_was_is_refused(text: str) -> None:
    with pytest.raises(EyrieError, match="release of coLinux"):
        Release.of(text)


WHO = Identity(
    "lab", "desk-1", IPv4Interface("10.77.0.21/24"), IPv4Address("10.77.0.1"), 21, IPv4Address("10.77.0.10")
)


def test_a_guest_is_told_who_it_is() -> None:
    told = words(WHO)
    assert told == [
        "eyrie_pool=lab",
        "eyrie_name=desk-1",
        "eyrie_address=10.77.0.21/24",
        "eyrie_gateway=10.77.0.1",
        "eyrie_node=21",
        "eyrie_master=10.77.0.10",
    ]
    assert identity_of(" ".join(["root=/dev/cobd0", *told, "ro"])) == WHO
    assert identity_of("root=/dev/cobd0") is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("eyrie_pool=lab", "eyrie_name too"),
        ("eyrie_pool=lab eyrie_name=a eyrie_name=b", "eyrie_name twice"),
        ("eyrie_pool=lab eyrie_name=a eyrie_node=0", "a number from 1 to 65534"),
        ("eyrie_pool=lab eyrie_name=a eyrie_node=x", "eyrie_node"),
        ("eyrie_pool=lab eyrie_name=a eyrie_address=10.77.0.21", "such as 10.77.0.21/24"),
        ("eyrie_pool=lab eyrie_name=a eyrie_address=10.77.0.321/24", "eyrie_address"),
        ("eyrie_pool=lab eyrie_name=a eyrie_master=b", "an IPv4 address"),
        ("eyrie_pool=lab eyrie_name=a/b", "letters, digits"),
        ("eyrie_pool=lab eyrie_name=a eyrie_address=10.77.0.2/24 eyrie_gateway=10.78.0.1", "own network"),
    ],
)
def test_a_guest_is_not_told_nonsense(line: str, told: str) -> None:
    with pytest.raises(EyrieError, match=told):
        identity_of(line)


def told_of(boot: str, mac: str) -> bytes:
    text = XML.replace(b"02:00:5E:10:00:01", mac.encode())
    return text.replace(b"        ro<", boot.encode() + b"<").replace(b"root_fs", mac[-2:].encode())


def test_what_two_files_of_a_pool_share_is_told_of_both() -> None:
    line = "eyrie_pool=lab eyrie_name={} eyrie_address=10.77.0.{}/24 eyrie_node={}"
    one = ("a.xml", told_of(line.format("a", 1, 1), "02:00:00:00:00:0a"))
    two = ("b.xml", told_of(line.format("b", 2, 2), "02:00:00:00:00:0b"))
    assert [each.faults for each in check([one, two])] == [(), ()]
    for boot, mac, shared in (
        (line.format("b", 2, 2), "02:00:00:00:00:0A", "MAC address 02:00:00:00:00:0a"),
        (line.format("b", 1, 2), "02:00:00:00:00:0b", "address 10.77.0.1"),
        (line.format("b", 2, 1), "02:00:00:00:00:0b", "openMosix number 1"),
        (line.format("a", 2, 2), "02:00:00:00:00:0b", "name a in pool lab"),
    ):
        first, second = check([one, ("b.xml", told_of(boot, mac))])
        assert [str(fault).split(", wanted")[0] for fault in first.faults] == [
            f"{shared}: found 'also in b.xml'"
        ]
        assert [str(fault).split(", wanted")[0] for fault in second.faults] == [
            f"{shared}: found 'also in a.xml'"
        ]


def test_one_desktop_cannot_run_two_guests_of_one_image() -> None:
    other = AT.replace(b"co Linux\\root,fs", b"COLINUX\\root_fs")
    (fault,) = one_desktop(check([("a.xml", XML), ("b.conf", other)]))
    assert str(fault) == r"image c:\colinux\root_fs: found 'in a.xml, b.conf', wanted one guest an image"
    assert one_desktop(check([("a.xml", XML), ("b.conf", AT)])) == []


def test_a_file_that_cannot_be_read_spoils_no_other() -> None:
    bad, good = check([("bad", b"<"), ("good", AT)])
    assert len(bad.faults) == 1 and bad.guest is None and good.faults == ()
