# SPDX-License-Identifier: GPL-3.0-or-later
"""Both configuration formats: what is written is read back, and what a release would misread is refused."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.guests.colinux import Card, Disk, Guest, Option, Release, faults, parse, render
from tests.unit.guests_colinux.colinux_guests import AT, AT_RELEASES, NEW, OLD, XML, XML_RELEASES, guests

MAC = "02:00:5e:10:00:01"


def survives(guest: Guest, release: Release) -> None:
    text = render(guest, release)
    read = parse(text.encode("ascii"), "x", release)
    assert read == guest
    assert render(read, release) == text
    assert parse(text.replace("\n", "\r\n").encode("ascii"), "x", release) == guest


@pytest.mark.parametrize("releases", [XML_RELEASES, AT_RELEASES], ids=["xml", "at"])
@given(data=st.data())
def test_what_is_written_is_read_back(releases: list[Release], data: st.DataObject) -> None:
    release = data.draw(st.sampled_from(releases))
    survives(data.draw(guests(release)), release)


@pytest.mark.slow
@pytest.mark.parametrize("releases", [XML_RELEASES, AT_RELEASES], ids=["xml", "at"])
@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_ten_thousand_are_read_back(releases: list[Release], data: st.DataObject) -> None:
    """A hundred examples, each of a hundred mixtures of four generated guests' parts."""
    release = data.draw(st.sampled_from(releases))
    parts = data.draw(st.lists(guests(release), min_size=4, max_size=4))
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(100):
        survives(_mixed(parts, chance), release)


def _mixed(parts: list[Guest], chance: random.Random) -> Guest:
    def some(name: str) -> Any:
        return getattr(chance.choice(parts), name)

    root = chance.choice(parts)
    rows = {name: list(some(name)) for name in ("cards", "cofs", "options")}
    for row in rows.values():
        chance.shuffle(row)
    return Guest(
        kernel=some("kernel"),
        boot=root.boot,
        memory=some("memory"),
        disks=root.disks,
        cards=tuple(rows["cards"][: chance.randrange(5)]),
        initrd=some("initrd"),
        cofs=tuple(rows["cofs"][: chance.randrange(4)]),
        options=tuple(rows["options"][: chance.randrange(4)]),
    )


def test_a_file_as_people_write_it_is_read() -> None:
    card = Card(0, "bridge", "Intel(R) PRO/100 #2", MAC)
    disk = Disk(0, r"\DosDevices\c:\coLinux\root_fs")
    assert parse(XML, "x", OLD) == Guest("vmlinux", "root=/dev/cobd0 ro", 128, (disk,), (card,))
    assert parse(XML.replace(b' type="bridged"', b""), "x", OLD).cards == (card,)
    assert parse(AT, "x", NEW) == Guest(
        "vmlinux",
        "root=/dev/cobd0 ro",
        128,
        (Disk(0, r"C:\co Linux\root,fs", alias="hda1"),),
        (
            Card(0, "bridge", "LAN 1", MAC, promisc=False),
            Card(1, "slirp", mac="02:00:5e:10:00:02", redirections="tcp:2222:22/udp:69:69"),
        ),
        options=(Option("ttys0", ("COM1", "BAUD=115200 PARITY=n")),),
    )
    assert faults(parse(XML, "x", OLD), OLD) == [] == faults(parse(AT, "x", NEW), NEW)


def test_tabs_and_windows_line_ends_are_white_space() -> None:
    assert parse(b"kernel=vmlinux\tmem=64\r\n\troot=/dev/cobd0\r\n", "x", NEW) == Guest(
        "vmlinux", "root=/dev/cobd0", 64
    )
    assert parse(XML.replace(b"    ", b"\t").replace(b"\n", b"\r\n"), "x", OLD) == parse(XML, "x", OLD)


def test_mac_addresses_are_read_in_any_case() -> None:
    read = parse(b"kernel=k eth0=slirp,02:00:5E:10:00:AB eth1=tuntap,,02:00:5E:10:00:AC", "x", NEW)
    assert [card.mac for card in read.cards] == ["02:00:5e:10:00:ab", "02:00:5e:10:00:ac"]


def test_the_smallest_files_have_what_the_daemon_presumes() -> None:
    assert parse(b"<colinux/>\n", "x", OLD) == Guest("vmlinux")
    assert parse(b"kernel=vmlinux", "x", NEW) == Guest("vmlinux")


def test_an_alias_with_a_path_takes_the_next_free_disk() -> None:
    read = parse(b"kernel=k cobd0=a cobd2=c hdb=b hdc=d", "x", NEW)
    assert [(disk.index, disk.path, disk.alias) for disk in read.disks] == [
        (0, "a", ""),
        (2, "c", ""),
        (1, "b", "hdb"),
        (3, "d", "hdc"),
    ]


XML_FAULTS = {
    "last byte": (XML.rstrip(), "last byte: found '>'"),
    "byte order mark": (b"\xef\xbb\xbf" + XML, "byte order mark"),
    "localised name": (XML.replace(b"Intel", "Lån".encode("cp1252")), "x line 9: found 'byte 0xe5'"),
    "another root": (b"<config></config>\n", "found '<config>', wanted <colinux>"),
    "not closed": (XML.replace(b"</colinux>", b""), "wanted well-formed XML"),
    "a document type": (b"<!DOCTYPE colinux []>" + XML[22:], "<!DOCTYPE>"),
    "an unknown element": (XML.replace(b"<memory", b"<mem"), "found '<mem>'"),
    "an unknown attribute": (XML.replace(b"mac=", b"address="), "found 'address', wanted index, mac, name"),
    "memory twice": (XML.replace(b"<memory", b'<memory size="1"/><memory'), "found '<memory> again'"),
    "an element inside another": (XML.replace(b"ro</", b"<ro/></"), "found '<ro> inside <bootparams>'"),
    "text elsewhere": (XML.replace(b"<image", b"words<image"), "found 'words'"),
    "enabled is not exactly true": (XML.replace(b'"true"', b'"True"'), "enabled: found 'True'"),
    "enabled is missing": (XML.replace(b'enabled="true"', b""), "enabled: found 'nothing'"),
    "no index": (XML.replace(b'<network index="0"', b"<network"), "index: found 'nothing'"),
    "an odd index": (XML.replace(b'<network index="0"', b'<network index="0x1"'), "index: found '0x1'"),
    "an odd size": (XML.replace(b'"128"', b'"128M"'), "memory: found '128M'"),
    "an unknown network": (XML.replace(b'"bridged"', b'"pcap-bridge"'), "type: found 'pcap-bridge'"),
    "an @file": (AT, "an @file, which 0.7.1 brought"),
}


@pytest.mark.parametrize(("data", "words"), XML_FAULTS.values(), ids=XML_FAULTS)
def test_xml_that_would_be_misread_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(EyrieError) as refused:
        parse(data, "x", OLD)
    assert words in str(refused.value)


def test_later_releases_skip_the_byte_order_mark() -> None:
    assert parse(b"\xef\xbb\xbf" + XML, "x", XML_RELEASES[-1]) == parse(XML, "x", OLD)


AT_FAULTS = {
    "no kernel": (AT.replace(b"kernel=", b"Kernel="), "no kernel="),
    "a key twice": (AT + b"mem=64\n", "x line 8: mem: found 'given twice'"),
    "an index twice": (AT + b"eth0=slirp\n", "eth0: found 'given twice'"),
    "an index in another form": (AT + b"cobd01=a\n", "cobd01"),
    "a comment inside a name": (AT.replace(b"LAN 1", b"LAN #1"), 'odd number of "'),
    "a switch": (b"-d " + AT, "words that begin with a letter"),
    "a byte order mark": (b"\xef\xbb\xbf" + AT, "x line 1: found 'byte 0xef'"),
    "a localised name": (AT.replace(b"LAN 1", "Lån".encode("cp1252")), "byte 0xe5"),
    "a sign that is none": (AT + b"\x7f", "byte 0x7f"),
    "a sign that ends texts": (AT + b"\0", "byte 0x00"),
    "a scsi device": (AT + b"scsi0=disk,a,100\n", "no scsi device"),
    "an unknown network": (AT + b"eth2=bridged,LAN\n", "found 'bridged'"),
    "a value too many": (AT + b"eth2=slirp,02:00:5e:10:00:03,tcp:1:1,x\n", "wanted no more values"),
    "an unknown mode": (AT.replace(b"nopromisc", b"quiet"), "found 'quiet', wanted nopromisc"),
    "a bare comma in a path": (AT + b"cobd1=a,b\n", "wanted one value; quote a comma"),
    "a path that is empty": (AT + b"cobd1=\n", "cobd1: found ''"),
    "a memory with a unit": (AT.replace(b"mem=128", b"mem=128M"), "mem: found '128M'"),
    "quotes on the boot line": (AT + b'append="a b"\n', "without quotes and blanks"),
    "an alias of nothing": (AT + b"hdb=:cobd7\n", "hdb: found ':cobd7'"),
    "a second alias": (AT + b"hdb=:cobd0\n", "no other alias"),
    "an XML file": (XML, "XML, which 0.7.1 removed"),
}


@pytest.mark.parametrize(("data", "words"), AT_FAULTS.values(), ids=AT_FAULTS)
def test_an_at_file_that_would_be_misread_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(EyrieError) as refused:
        parse(data, "x", NEW)
    assert words in str(refused.value)


@given(
    st.binary(max_size=200)
    | st.sampled_from([XML, AT]).flatmap(lambda text: st.integers(0, len(text)).map(lambda n: text[:n]))
)
def test_any_bytes_are_read_or_refused_by_name(data: bytes) -> None:
    for release in (OLD, NEW):
        try:
            parse(data, "x", release)
        except EyrieError as error:
            assert "x" in error.thing
