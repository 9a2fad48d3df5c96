# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps that provoke setpe, for comparing our judgement with the genuine program's."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from eyrie.nodetable import judge
from eyrie.nodetable.scan import Refused, Row, rows

# (map, own) -> exit status and stderr of `setpe -c -f MAP` on a node without a table. `own` is the node's
# address, or an int N for `setpe -c -p N -f MAP`, which takes N for the own number.
RunSetpe = Callable[[bytes, "str | int"], tuple[int, bytes]]
ABSENT = b"setpe: the table is ok, but I'm not there!\n"

OWNS = ("10.77.0.1", "10.77.0.9", "0.0.0.1", "1.0.0.10", "255.255.255.254", "44.10.77.0")
NUMBERS = (
    *(
        "1",
        "2",
        "3",
        "5",
        "9",
        "10",
        "254",
        "255",
        "256",
        "65533",
        "65534",
        "65535",
        "65536",
        "0",
        "-1",
        "-2",
    ),
    *("+2", "01", "007", "0x1", "0x", "1e3", "--1", "+", "-", "", "2147483646", "2147483647", "2147483648"),
    *(
        "-2147483648",
        "-2147483649",
        "4294967295",
        "4294967297",
        "99999999999999999999",
        "0" * 40 + "7",
        "1.5",
        "2a",
    ),
)
COUNTS = (
    *NUMBERS,
    "alias",
    "ALIAS",
    "Alias",
    "alias5",
    "aliasaliasalias",
    "alia",
    "4 5",
    "4#c",
    "4,",
    "3 # x",
    "a lias",
)
ADDRESSES = (
    *("10.77.0.1", "10.77.0.5", "10.77.0.9", "10.77.1.1", "10.77.0.254", "10.77.0.255", "255.255.255.254"),
    *(
        "255.255.255.255",
        "0.0.0.0",
        "0.0.0.1",
        "127.0.0.1",
        "224.0.0.1",
        "10.77.0",
        "10.77",
        "10",
        "010.077.0.01",
    ),
    *(
        "10.77.0.256",
        "300.1.1.1",
        "10.-1.0.1",
        "10.+77.0.1",
        "10. 77. 0. 1",
        "10 .77.0.1",
        "10.77.0.1.",
        ".10.77.0.1",
    ),
    *(
        "10.77.0.1.5",
        "0x0a.1",
        "0x0a4d0001",
        "012.1",
        "08.1",
        "4294967295",
        "4294967296",
        "0xffffffff",
        "0x",
        "1.",
        "1..2",
    ),
    *(
        "1.2.65535",
        "1.2.65536",
        "1.16777215",
        "1.16777216",
        "256.1",
        "0",
        "1.08",
        "nodea",
        "node-b.lan",
        "::1",
        "1:2",
    ),
    *(
        "a:b",
        "fe80::1",
        "10.77.0.1/24",
        "10,77,0,1",
        "0X1F.1",
        "037777777777",
        "10.77.0.99999999999",
        "n\xf6de",
        "\xe9",
    ),
)
GAPS = (" ", " ", " ", "\t", "  ", "\v", "\f", "\r", "", ",", "\0", "\xa0")
ENDS = ("\n", "\n", "\n", "\n", "\r\n", "", " \n", "\0\n", " # c\n", "#c\n", "\n\n", "\f\n", " x y\n", "\r")
LINES = (
    "",
    " ",
    "\t",
    "\r",
    "#",
    "# c",
    " # c",
    "\0",
    "\0 1",
    "#\0",
    "\v",
    "1",
    "1 2",
    "1 2 3",
    "1 10.77.0.1",
    "alias",
    "\xff\xfe",
)
LENGTHS = (498, 509, 510, 511, 512, 513, 1021, 1022, 1023, 1024)


@dataclass(frozen=True)
class Difference:
    """A map that Eyrie and the genuine program do not judge alike."""

    data: bytes
    own: str | None
    genuine: tuple[int, bytes]
    ours: tuple[int, bytes]


def differences(
    run_setpe: RunSetpe, maps: int, seed: int = 0, owns: Sequence[str | None] = (*OWNS, None)
) -> Iterator[Difference]:
    """Judge generated maps with both; yields where they differ. The callable may be a node reached by ssh."""
    for data, own in cases(maps, seed, owns):
        genuine = genuine_answer(run_setpe, data, own)
        verdict = judge(data, own)
        if (ours := (verdict.status, verdict.message)) != genuine:
            yield Difference(data, own, genuine, ours)


def genuine_answer(run_setpe: RunSetpe, data: bytes, own: str | None) -> tuple[int, bytes]:
    """What the genuine program says; without an own address what it says to all nodes of the table."""
    if own is not None:
        return run_setpe(data, own)
    answer = run_setpe(data, 1)
    if answer[0] and answer[1] != ABSENT:
        return answer
    firsts = (row.first for row in _rows(data) if row.nodes and row.first + row.nodes >= 2**31)
    return next((said for said in (run_setpe(data, first) for first in firsts) if said[0]), (0, b""))


def _rows(data: bytes) -> list[Row]:
    try:
        return rows(data)
    except Refused:
        return []


Shell = Callable[
    [str, bytes], "tuple[int, str | bytes, str | bytes]"
]  # script, stdin -> status, stdout, stderr


def through_shell(sh: Shell) -> RunSetpe:
    """The setpe of a node that is reached by a shell; it takes its own address from its host name."""

    def run_setpe(data: bytes, own: str | int) -> tuple[int, bytes]:
        if isinstance(own, int):
            status, _, told = sh(f"setpe -c -p {own} -f -", data)
        else:
            script = f"was=$(hostname); hostname {own}; setpe -c -f -; rc=$?; hostname $was; exit $rc"
            status, _, told = sh(script, data)
        return status, told if isinstance(told, bytes) else told.encode("utf-8", "surrogateescape")

    return run_setpe


def cases(
    maps: int, seed: int = 0, owns: Sequence[str | None] = (*OWNS, None)
) -> Iterator[tuple[bytes, str | None]]:
    """The same maps for the same seed."""
    chance = random.Random(seed)
    makers = (_odd, _odd, _near, _near, _near, _cut, _cut, _long, _many, _noise)
    for _ in range(maps):
        yield chance.choice(makers)(chance), chance.choice(owns)


def _odd(chance: random.Random) -> bytes:
    """Lines put together from odd parts, most of them unreadable."""
    return b"".join(_odd_line(chance) for _ in range(chance.randint(1, 3)))


def _odd_line(chance: random.Random) -> bytes:
    if chance.random() < 0.1:
        return (chance.choice(LINES) + chance.choice(ENDS)).encode("latin-1")
    plain = chance.random()
    number = str(chance.randint(1, 20)) if plain < 0.7 else chance.choice(NUMBERS)
    address = chance.choice(ADDRESSES)
    count = str(chance.randint(0, 9)) if 0.2 < plain < 0.5 else chance.choice(COUNTS)
    gap = chance.choice if chance.random() < 0.3 else lambda _: " "
    text = gap(("", "", " ", "\t")).strip("x") + number + gap(GAPS) + address + gap(GAPS) + count
    return (text + chance.choice(ENDS)).encode("latin-1")


def _near(chance: random.Random) -> bytes:
    """Readable lines whose numbers and addresses meet, touch, wrap and overlap."""
    base = chance.choice((0x0A4D0000, 0x0A4D0000, 0x0A4D0000, 0, 0xFFFFFFF0, 0x7FFFFFF8))
    extreme = chance.random() < 0.2
    text = ""
    for _ in range(chance.randint(1, 6)):
        address = (base + chance.randint(-1, 16)) & 0xFFFFFFFF
        octets = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
        number: object = chance.randint(0 if extreme else 1, 16)
        count: object = chance.choice((0, 1, 1, 2, 3, 5, "alias"))
        if extreme and chance.random() < 0.5:
            number = chance.choice((65530, 65534, 65535, 2**31 - 1, 2**31 - 6, -5, -(2**31)))
        if extreme and chance.random() < 0.5:
            count = chance.choice((65534, 65520, 2**31 - 1, 2**31 - 2, 2**31 - 17, -1, -3, -(2**31), 2**24))
        text += f"{number} {octets} {count}\n"
    return text.encode()


def _cut(chance: random.Random) -> bytes:
    """A readable map with a few bytes changed, dropped or repeated."""
    data = bytearray(_near(chance))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        what = chance.random()
        if what < 0.3:
            data[place : place + 1] = b""
        elif what < 0.7:
            data[place:place] = chance.choice(
                (b" ", b"\0", b"\n", b"\r", b"#", b".", b"-", b"+", b"0", b"9", b"x", b"alias")
            )
        else:
            data[place : place + 1] = bytes([chance.randrange(256)])
    return bytes(data)


def _long(chance: random.Random) -> bytes:
    """Lines about as long as setpe's buffer, so that they go on as lines of their own."""
    length = chance.choice(LENGTHS) + chance.randint(-2, 2)
    fill = chance.choice((b"#", b" ", b"\0", b"5", b"x", b"0", b"1 10.77.0.1 5 "))
    head = chance.choice((b"", b"#", b"1 10.77.0.1 5 ", b"1 10.77.0.1 5#", b"1 "))
    tail = chance.choice((b"", b"#", b"2 10.77.0.6 1", b" 7", b"alias", b"10.77.0.9 2", b"\0# 1"))
    line = (head + fill * length)[:length] + tail
    return (
        b"1 10.77.0.1 3\n" * chance.randint(0, 1)
        + line
        + chance.choice((b"\n", b"", b"\r\n"))
        + _near(chance)
    )


def _many(chance: random.Random) -> bytes:
    """About as many entries as the kernel's table holds; sometimes the last of them is at fault."""
    entries = chance.choice((254, 255, 256, 257, 258))
    lines = [
        f"{place + 1} 10.77.{place >> 8}.{place & 255} {chance.choice((1, 1, 1, 1))}\n"
        for place in range(entries)
    ]
    if chance.random() < 0.5:
        lines[chance.randrange(entries)] = "1 10.88.0.1 alias\n"
    if chance.random() < 0.5:
        lines[-1] = _odd_line(chance).decode("latin-1")
    if chance.random() < 0.3:
        chance.shuffle(lines)
    return "".join(lines).encode("latin-1")


def _noise(chance: random.Random) -> bytes:
    """Bytes, most of them such as tables are made of."""
    letters = b"0123456789 .\n\t+-x#" if chance.random() < 0.7 else bytes(range(256))
    return bytes(chance.choice(letters) for _ in range(chance.randint(0, 60)))
