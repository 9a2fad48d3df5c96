# SPDX-License-Identifier: GPL-3.0-or-later
"""A site file: what it says, what is named, what is refused, and at which line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.comosix import ini
from eyrie.comosix.site import FOR_ALL, Site, meanings, site
from eyrie.errors import EyrieError
from eyrie.guests.colinux.sources import read

SITE = rb"""; the site of an example, 2006
[CoMosix]
pool = office
Memory=256
adapter = "Intel(R) PRO/100"
root_password = comosix
bootparams = root=/dev/cobd0 ro
address = 10.77.0.21/24
DynDNS = yes

[NFS]
Server = 10.77.0.5
[cobd]
# caf\xe9
cobd0 = \DosDevices\c:\coMosix\root_fs
cobd1 = \DosDevices\c:\coMosix\swap
[other]
a = b
"""

NAME = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"'"), max_size=30)


def of(text: bytes, **told: str) -> Site:
    words = meanings(f"{key.replace('__', '.')}={value}" for key, value in told.items())
    return site(ini.parse(text, "x.ini"), "x.ini", told=words)


def test_what_is_understood_becomes_variables_and_the_rest_is_named() -> None:
    found = of(SITE)
    assert found.variables == {
        "colinux_pool_name": "office",
        "colinux_folder": r"c:\coMosix",
        "colinux_image": "root_fs",
        "colinux_memory_mib": 256,
        "colinux_adapter": "Intel(R) PRO/100",
        "colinux_boot": "ro",
    }
    assert found.password == "comosix"
    assert [(note.split(":")[0], note.split(": ")[1]) for note in found.notes] == [
        ("x.ini line 8", "comosix.address"),
        ("x.ini line 9", "comosix.dyndns"),
        ("x.ini line 12", "nfs.server"),
        ("x.ini line 16", "cobd.cobd1"),
        ("x.ini line 18", "other.a"),
    ]
    assert "unknown key" in found.notes[1] and "--means comosix.dyndns=MEANING" in found.notes[1]
    assert "unknown section" in found.notes[4]


def test_a_word_of_two_meanings_is_not_guessed() -> None:
    """coLinux calls the kernel so, we the root image."""
    found = of(b"[comosix]\nimage = vmlinux")
    assert (found.variables, len(found.notes)) == ({}, 1)


def test_the_site_says_what_a_key_of_its_own_means() -> None:
    text = b"[comosix]\nnetcard=LAN1\n[my]\nserver=10.77.0.5\npw=correct horse battery"
    found = of(text, comosix__netcard="adapter", my__server="master", my__pw="root_password")
    assert found.variables == {"colinux_adapter": "LAN1", "colinux_master": "10.77.0.5"}
    assert (found.notes, found.warnings, found.password) == ((), (), "correct horse battery")
    for word in ("netcard=adapter", "comosix.netcard", "comosix.netcard=address", ".=adapter", "a.=adapter"):
        with pytest.raises(EyrieError, match=r"SECTION\.KEY=MEANING"):
            meanings([word])


@pytest.mark.parametrize("name", FOR_ALL)
def test_every_meaning_is_a_variable_of_the_group(name: str) -> None:
    good = {"release": "0.7.9", "memory_mib": "128", "network": "tap", "gateway": "10.77.0.1"}
    value = {**good, "folder": r"C:\x", "master": "10.77.0.1", "boot": "quiet"}.get(name, "word")
    found = of(f"[a]\nb={value}".encode(), a__b=name)
    assert found.variables == {f"colinux_{name}": int(value) if name == "memory_mib" else value}
    if name != "pool_name":
        read("pool", {"desktop": {name: value, "address": "10.77.0.2/24"}}, None)


REFUSED = {
    "a line that is nothing": (b"[comosix]\nhunter2\n", "line 2: found 'neither a section nor key=value'"),
    "a value before any section": (b"\na=hunter2", "line 2: a: found 'no section yet'"),
    "a section that does not end": (b"[comosix\na=hunter2", "line 1: found 'a bracket that is no section'"),
    "a section twice": (b"[a]\n[b]\n[A]\n", "line 3: found '[a] again, as in line 1'"),
    "a key twice": (b"[a]\nx=hunter2\nX = 2", "line 3: a.x: found 'again, as in line 2'"),
    "a sign beyond ASCII": (b"[a]\nx=hunter2\xe9", "line 2: found 'a sign beyond ASCII'"),
    "UTF-16": ("[a]\nx=1".encode("utf-16"), "line 1"),
    "nothing": (b"; only this\n[a]\n", "found 'no key'"),
    "no amount of memory": (b"[comosix]\nmem=lots", "line 2: comosix.mem: memory_mib"),
    "more memory than 0.6.1 gives": (b"[comosix]\n\nmem=768", "line 3: comosix.mem: memory: found 768"),
    "two memories": (b"[comosix]\nmem=64\nmemory=65", "line 3: comosix.memory: memory_mib: found 'another"),
    "a folder with a blank": (b"[cobd]\ncobd0=C:\\co Mosix\\root", r"line 2: cobd.cobd0: folder"),
    "a disk that is none": (b"[cobd]\ncobd0=root_fs", r"such as C:\coLinux\root_fs"),
    "a packed image": (b"[cobd]\ncobd0=C:\\x\\root.bz2", "line 2: cobd.cobd0: cobd0: found"),
    "another root": (b"[comosix]\nbootparams=root=/dev/hda1", "comosix.bootparams: boot: found"),
    "words of ours": (b"[comosix]\nboot=eyrie_node=7", "made for each desktop"),
    "an unknown release": (b"[comosix]\nrelease=0.5", "line 2: comosix.release: release of coLinux"),
    "slirp with 0.6.1": (b"[comosix]\nnetwork=slirp", "line 2: comosix.network: eth0: kind slirp"),
    "a name beyond ASCII": (b"[comosix]\nadapter=LAN\xd0", "line 2: found"),
    "no address": (b"[comosix]\nmaster=server", "line 2: comosix.master: addresses"),
    "no gateway": (b"[comosix]\ngateway=10.77.0.0.1", "line 2: comosix.gateway"),
    "no pool": (b"[comosix]\npool=the office", "line 2: comosix.pool"),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_is_refused_at_its_line(text: bytes, told: str) -> None:
    with pytest.raises(EyrieError) as refused:
        of(text)
    assert told in str(refused.value)
    assert "x.ini" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(EyrieError, match=r"2 faults.*line 2.*line 3"):
        of(b"[a]\nx\ny\n")
    with pytest.raises(EyrieError, match=r"2 faults.*line 2.*line 3"):
        of(b"[comosix]\nmem=x\nrelease=9\n")


@given(st.dictionaries(st.tuples(NAME, NAME), VALUE, min_size=1))
def test_what_is_written_is_read_with_its_line(values: dict[tuple[str, str], str]) -> None:
    """Any case, blanks around, quotes or none, CRLF, comments between: the same entries."""
    lines, wanted = ["\ufeff; a comment"], []
    for section in sorted({section for section, _ in values}):
        lines += ["", f" [ {section.upper()} ]"]
        for (where, key), value in values.items():
            if where == section:
                lines += ["# caf\u00e9", f'\t{key.upper()} = "{value}" ']
                wanted.append(ini.Entry(section, key, value, len(lines)))
    assert list(ini.parse("\r\n".join(lines).encode(), "x")) == wanted
    plain = "\n".join(line.replace('"', "") for line in lines).encode()
    assert list(ini.parse(plain, "x")) == wanted


@given(st.dictionaries(st.tuples(st.sampled_from(["comosix", "nfs", "cobd", "else"]), NAME), VALUE))
def test_every_entry_is_taken_named_or_refused(values: dict[tuple[str, str], str]) -> None:
    entries = [ini.Entry(*names, value, line) for line, (names, value) in enumerate(values.items(), 1)]
    try:
        found = site(entries, "x")
    except EyrieError as error:
        assert " line " in str(error)
        return
    named = {int(note.split()[2].rstrip(":")) for note in found.notes}
    taken = [entry for entry in entries if entry.line not in named]
    assert len(taken) <= len(found.variables) + bool(found.password)
    assert bool(taken) == bool(found.variables or found.password)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        assert ini.parse(data, "x")
    except EyrieError as error:
        assert str(error).startswith("x")
