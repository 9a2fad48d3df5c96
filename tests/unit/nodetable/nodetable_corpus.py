# SPDX-License-Identifier: GPL-3.0-or-later
"""What the genuine setpe (C library 2.3.2) answered, recorded: maps picked by hand and generated ones."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nodetable_maps import OWNS, RunSetpe, cases, genuine_answer

FILE = Path(__file__).parent / "data" / "setpe-answers.jsonl"
NODE = "10.77.0.1"
GOOD = b"1 10.77.0.1 5\n"
OF_A_KIND = 15  # generated maps for each message
LARGE = 1100  # bytes; the larger maps are the picked ones

FULL = b"".join(b"%d 10.77.%d.1 1\n" % (number + 1, number) for number in range(256))
# Each with the own address; None stands for any node of the table.
PICKED: tuple[tuple[bytes, str | None], ...] = (
    (GOOD, NODE),
    (GOOD, "10.77.0.5"),
    (GOOD, "10.77.0.6"),
    (GOOD, "10.77.0.0"),
    (GOOD, None),
    (b"", NODE),
    (b"\n\n# nothing\n", NODE),
    (b"1 10.77.0.1 5", NODE),  # no newline at the end
    (b"1\t10.77.0.1\t5\r\n", NODE),
    (b"\r\n" + GOOD, NODE),  # an empty line of a CRLF file is no empty line
    (b" \n" + GOOD, NODE),
    (b"  # indented comment\n" + GOOD, NODE),
    (b"# comment\n\n" + GOOD, NODE),
    (b"1 10.77.0.1 5 # comment\n", NODE),
    (b"1 10.77.0.1 5# comment\n", NODE),
    (b"1 10.77.0.1 5 and further words\n", NODE),
    (b"01 10.77.0.1 +5\n", NODE),
    (b"+1 010.077.000.001 005\n", NODE),
    (b"  1   10.77.0.1   5\n", NODE),
    (b"1 10. 77. 0. 1 5\n", NODE),
    (b"1 10.77.0.1+5\n", NODE),  # the third field needs no blank before it
    (b"1+10.77.0.1 5\n", NODE),
    (b"1\v10.77.0.1\f5\n", NODE),
    (b"1,10.77.0.1,5\n", NODE),
    (b"1 10.77.0.1\n", NODE),
    (b"1 5\n", NODE),
    (b"0x1 10.77.0.1 5\n", NODE),
    (b"1 10.77.0.1 0x5\n", NODE),  # COUNT 0, then further words
    (b"1 10.77.0.1 5x\n", NODE),
    (b"1 10.77.0 5\n", "10.77.0.0"),
    (b"1 10.77 5\n", "10.0.0.77"),
    (b"1 0x0a.1 5\n", "10.0.0.1"),
    (b"1 0x0a.1 5\n", "1.0.0.10"),  # inet_addr's answer is not turned
    (b"1 0x0a4d0001 5\n", "1.0.77.10"),
    (b"1 012.1 5\n", "10.0.0.1"),  # octal in the short form only
    (b"1 08.1 5\n", NODE),
    (GOOD + b"1 0xffffffff alias\n", NODE),  # inet_addr's error value
    (b"1 4294967295 0\n", NODE),
    (b"1 10.77.0.256 5\n", "10.77.1.0"),  # octets spill over
    (b"1 10.76.256.1 5\n", NODE),
    (b"1 10.77.1.256 5\n", "10.77.1.0"),  # put together with or, not with a sum
    (b"1 266.77.0.1 5\n", NODE),
    (b"1 10.77.0.-1 5\n", "255.255.255.255"),
    (b"1 10.77.0.1.5 5\n", NODE),
    (b"1 10.77.0.1. 5\n", NODE),
    (b"1 node-a 5\n", NODE),
    (b"1 ::1 5\n", NODE),
    (b"1 10.77.0.1/24 5\n", NODE),
    (b"1 n\xf6de 5\n", NODE),
    (b"1 n\xc3\xb6de 5\n", NODE),
    (b"0 10.77.0.1 5\n", NODE),
    (b"0 10.77.0.1 5\n", "10.77.0.2"),
    (GOOD + b"0 10.77.1.1 5\n", NODE),
    (b"-1 10.77.0.1 5\n", "10.77.0.3"),
    (b"1 10.77.0.1 -5\n", NODE),
    (GOOD + b"6 10.77.1.1 -5\n", NODE),
    (b"65534 10.77.0.1 1\n", NODE),
    (b"65535 10.77.0.1 1\n", NODE),
    (b"65534 10.77.0.1 2\n", NODE),
    (b"65534 10.77.0.1 2\n", "10.77.0.2"),
    (b"1 10.77.0.1 65534\n", NODE),
    (b"1 10.77.0.1 65535\n", NODE),
    (b"1 10.77.0.1 99999999999999999999\n", NODE),
    (b"7 10.77.0.1 2147483647\n", NODE),  # the sum is negative, and then nobody is there
    (b"7 10.77.0.1 2147483647\n", None),
    (b"7 10.77.0.1 2147483647\n9 9.0.0.1 1\n", "9.0.0.1"),  # nor are they in conflict with anybody
    (b"9 9.0.0.1 1\n7 10.77.0.1 2147483647\n", "9.0.0.1"),
    (b"4294967297 10.77.0.1 5\n", NODE),  # stops at 2147483647, does not begin anew
    (GOOD + b"6 10.77.0.1 1\n", NODE),
    (GOOD + b"6 10.77.0.5 1\n", NODE),
    (GOOD + b"6 10.77.0.6 1\n", NODE),
    (b"6 10.77.0.6 1\n" + GOOD, NODE),  # the order is free
    (GOOD + b"5 10.77.1.1 1\n", NODE),
    (GOOD + b"1 10.77.0.1 5\n", NODE),  # numbers are looked at first
    (b"1 255.255.255.250 5\n", "255.255.255.250"),
    (b"1 255.255.255.250 6\n", "255.255.255.250"),  # 255.255.255.255 is past the end
    (b"1 0.0.0.0 5\n", "0.0.0.1"),
    (b"1 224.0.0.1 5\n", "224.0.0.1"),
    (b"1 127.0.0.1 5\n", "127.0.0.1"),
    (b"1 10.77.0.0 256\n", NODE),
    (GOOD + b"1 10.88.0.1 alias\n", NODE),
    (GOOD + b"1 10.88.0.1 ALIAS of node 1\n", NODE),
    (GOOD + b"1 10.88.0.1alias\n", NODE),
    (GOOD + b"1 10.88.0.1 aliases\n", NODE),
    (GOOD + b"1 10.88.0.1 alias#\n", NODE),
    (GOOD + b"1 10.88 alias\n", NODE),
    (GOOD + b"1 10. 88. 0. 1 ALIAS\n", NODE),  # a name "10." and a COUNT of 88
    (GOOD + b"1 10.88.0.300 ALIAS\n", NODE),
    (GOOD + b"1 10.88.0.1 alias\n", "10.88.0.1"),
    (GOOD + b"6 10.88.0.1 alias\n", NODE),
    (GOOD + b"1 10.77.0.2 alias\n", NODE),
    (GOOD + b"1 10.88.0.1 alias\n2 10.88.0.1 alias\n", NODE),
    (b"2 10.88.0.1 alias\n" + GOOD, NODE),
    (GOOD + b"0 10.88.0.1 alias\n", NODE),
    (GOOD + b"65535 10.88.0.1 alias\n", NODE),
    (GOOD + b"65536 10.88.0.1 alias\n", NODE),
    (GOOD + b"1 255.255.255.255 alias\n", NODE),
    (b"1 10.77.0.1 0\n", NODE),  # COUNT 0 is an alias
    (GOOD + b"1 10.88.0.1 0\n", NODE),
    (GOOD + b"6 10.88.0.1 0\n", NODE),
    (GOOD + b"1 10.77.0.1 0\n", NODE),
    (GOOD + b"1 10.88.0.1 0\n1 10.88.0.1 alias\n", NODE),
    (FULL, "10.77.0.1"),
    (FULL + b"257 10.78.0.1 1\n", "10.77.0.1"),
    (FULL + b"1 10.78.0.1 alias\n", "10.77.0.1"),
    (FULL + b"no table\n", "10.77.0.1"),
    (b"#" + b"x" * 509 + b"\n" + GOOD, NODE),
    (b"#" + b"x" * 510 + b"\n" + GOOD, NODE),  # 511 bytes and the newline: still nothing left over
    (b"#" + b"x" * 511 + b"\n" + GOOD, NODE),  # and here one x is
    (b"#" * 1023 + b"\n" + GOOD, NODE),
    (b"1 10.77.0.1 5" + b" " * 498 + b"2 10.77.0.6 1\n", "10.77.0.6"),
    (b"1 10.77.0.1 5" + b" " * 497 + b"2 10.77.0.6 1\n", "10.77.0.6"),
    (b"\0 anything\n" + GOOD, NODE),
    (b"1 10.77.0.1 5\0 9\n", NODE),
    (b"1 10.77.0.1\0 5\n", NODE),
    (b"\xef\xbb\xbf" + GOOD, NODE),  # a byte order mark
    (GOOD.decode().encode("utf-16"), NODE),
    (b"{}\n", NODE),
)


@dataclass(frozen=True)
class Record:
    data: bytes
    own: str | None
    status: int
    stderr: bytes


def load() -> list[Record]:
    """The recorded answers; bytes are kept as the letters of Latin-1."""
    records = (json.loads(line) for line in FILE.read_text("ascii").splitlines())
    return [
        Record(each["map"].encode("latin-1"), each["own"], each["status"], each["stderr"].encode("latin-1"))
        for each in records
    ]


def record(run_setpe: RunSetpe, generated: int, seed: int = 0) -> int:
    """Ask the genuine program again and write the file; returns how many answers it now holds."""
    lines = []
    for data, own, (status, stderr) in _answers(run_setpe, generated, seed):
        answer = {
            "map": data.decode("latin-1"),
            "own": own,
            "status": status,
            "stderr": stderr.decode("latin-1"),
        }
        lines.append(json.dumps(answer))
    FILE.write_text("".join(f"{line}\n" for line in lines), "ascii")
    return len(lines)


def _answers(
    run_setpe: RunSetpe, generated: int, seed: int
) -> Iterator[tuple[bytes, str | None, tuple[int, bytes]]]:
    """Every picked map, and of the generated ones a few for each message and length."""
    for data, own in PICKED:
        yield data, own, genuine_answer(run_setpe, data, own)
    kinds: Counter[bytes] = Counter()
    for data, own in cases(generated, seed, (*OWNS, None)):
        if len(data) > LARGE:
            continue
        answer = genuine_answer(run_setpe, data, own)
        kind = re.sub(rb"<[^\0]*>|.*(?=: Unknown)|-?[0-9]+", b"", answer[1])
        kinds[kind] += 1
        if kinds[kind] <= OF_A_KIND:
            yield data, own, answer
