# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that a release takes, generated, and one of each format as people write them."""

from __future__ import annotations

from hypothesis import strategies as st

from eyrie.guests.colinux import Card, Cofs, Disk, Guest, Option, Release

OLD, MIDDLE, NEW = Release.of("0.6.1"), Release.of("0.6.4"), Release.of("0.7.9")
XML_RELEASES = [Release.of(text) for text in ("0.6.1", "0.6.2", "0.6.3", "0.6.4")]
AT_RELEASES = [Release.of(f"0.7.{number}") for number in range(1, 10)]

XML = b"""\
<?xml version="1.0"?>
<!-- a node -->
<colinux>
    <block_device index="0" path="\\DosDevices\\c:\\coLinux\\root_fs" enabled="true" />
    <bootparams>root=/dev/cobd0
        ro</bootparams>
    <image path="vmlinux" />
    <memory size="128" />
    <network index="0" type="bridged" name="Intel(R) PRO/100 #2" mac="02:00:5E:10:00:01" />
</colinux>
"""
AT = b"""\
# a node
kernel=vmlinux mem=128
cobd0="C:\\co Linux\\root,fs" hda1=:cobd0   # the root
root=/dev/cobd0 ro
eth0=pcap-bridge,"LAN 1",02:00:5E:10:00:01,nopromisc
eth1=slirp,02:00:5e:10:00:02,tcp:2222:22/udp:69:69
ttys0=COM1,"BAUD=115200 PARITY=n"
"""

_inside = "ABCXYZabcxyz0189 ._-~()+@&'!$%;={}[]^`,"
_names = st.text(_inside + "<>", max_size=60).filter(lambda text: text == text.strip())
_files = (
    st.text(_inside, min_size=1, max_size=20)
    .filter(lambda text: text == text.strip(" ."))
    .map(lambda text: f"{text}_")
)
_paths = st.lists(_files, min_size=1, max_size=3).map("\\".join)
_words = st.from_regex(r"[a-z][a-zA-Z0-9.:/,<>&_=-]{0,20}", fullmatch=True).filter(
    lambda word: (
        not word.startswith(("root=", "eyrie_", "kernel", "initrd", "mem", "scsi", "set"))
        and not word.split("=")[0].startswith(
            ("cob", "cof", "eth", "hd", "sd", "tty", "exec", "coco", "cu", "co")
        )
    )
)


@st.composite
def guests(draw: st.DrawFn, release: Release) -> Guest:
    xml = release.format == "xml"
    rich = release.has("cofs")
    start = "" if release.has("relative") and draw(st.booleans()) else "\\DosDevices\\c:\\" if xml else "C:\\"
    paths = draw(st.lists(_paths, min_size=1, max_size=4, unique_by=str.lower))
    indices = draw(st.lists(st.integers(0, 31), min_size=len(paths), max_size=len(paths), unique=True))
    aliases = draw(st.lists(st.from_regex(r"[hs]d[a-d][1-9]?", fullmatch=True), max_size=4, unique=True))
    disks = tuple(
        Disk(index, start + path, not xml or not place or draw(st.booleans()), alias)
        for place, (index, path, alias) in enumerate(
            zip(indices, paths, [*aliases, "", "", "", ""], strict=False)
        )
    )
    return Guest(
        kernel=draw(_paths),
        boot=" ".join([f"root=/dev/cobd{indices[0]}", *draw(st.lists(_words, max_size=6))]),
        memory=draw(st.none() | st.integers(8, release.most_memory)),
        disks=disks,
        cards=tuple(draw(st.lists(_cards(release), max_size=4, unique_by=(_index, _mac)))),
        initrd=draw(st.just("") | _paths) if rich else "",
        cofs=tuple(draw(st.lists(_folders(xml), max_size=3, unique_by=_index))) if rich else (),
        options=() if xml else tuple(draw(st.lists(_options, max_size=3, unique_by=lambda each: each.key))),
    )


def _index(each: Card | Cofs) -> int:
    return each.index


def _mac(card: Card) -> str:
    return card.mac


@st.composite
def _cards(draw: st.DrawFn, release: Release) -> Card:
    kinds = ["bridge", "tap", *["slirp"] * release.has("slirp"), *["ndis"] * release.has("ndis")]
    kind = draw(st.sampled_from(kinds))
    bridge = kind in ("bridge", "ndis")
    name = draw(_names.filter(bool) if bridge else _names) if kind != "slirp" else ""
    ports = st.tuples(st.sampled_from(["tcp", "udp"]), st.integers(1, 65535), st.integers(1, 65535))
    redirections = st.lists(ports, max_size=3).map(lambda rows: "/".join(f"{a}:{b}:{c}" for a, b, c in rows))
    return Card(
        draw(st.integers(0, 15)),
        kind,
        name,
        "02:" + draw(st.binary(min_size=5, max_size=5)).hex(":"),
        promisc=not (bridge and release.has("promisc") and draw(st.booleans())),
        redirections=draw(redirections) if kind == "slirp" else "",
    )


def _folders(xml: bool) -> st.SearchStrategy[Cofs]:
    kinds = st.sampled_from(["", "flat"]) if xml else st.just("")
    return st.builds(Cofs, st.integers(0, 31), _paths, kinds, st.booleans() if xml else st.just(True))


_options = st.one_of(
    st.builds(
        Option,
        st.sampled_from(["ttys0", "ttys1", "exec0", "exec7", "color", "cursor", "setcobd"]),
        st.lists(_names, min_size=1, max_size=3).map(tuple),
    ),
    st.just(Option("cocon", ("120x40x200",))),
)
