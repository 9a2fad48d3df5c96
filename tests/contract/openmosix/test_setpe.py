# SPDX-License-Identifier: GPL-3.0-or-later
"""What setpe says to tables, on a running node."""

from __future__ import annotations

from typing import Any

import pytest
from openmosix_cluster import said, setpe

pytestmark = pytest.mark.integration

NOT_THERE = "the supplied table is well-formatted,\nbut my IP address ({own}) is not there!"
NUMBERS = "Table contains conflicting OpenMosix addresses!"
ADDRESSES = "Table contains conflicting IP addresses!"
# {own} is the node's address.
GOOD = {
    "one range": "1 {own} 1\n",
    "blank line": "\n1 {own} 1\n\n",
    "comment": "# all\n1 {own} 1\n",
    "comment after the third field": "1 {own} 1 # me\n",
    "words after the third field": "1 {own} 1 and so on\n",
    "tabs": "1\t{own}\t\t1\n",
    "CRLF": "1 {own} 1\r\n",
    "no last line end": "1 {own} 1",
    "leading zero": "01 {own} 1\n",
    "plus": "+2 {own} 1\n",
    "order of ranges": "9 192.168.9.1 3\n1 {own} 1\n",
    "alias": "1 {own} 1\n1 192.168.9.1 alias\n",
    "ALIAS": "1 {own} 1\n1 192.168.9.1 ALIAS\n",
    "greatest number": "65534 {own} 1\n",
    "range of nobody": "1 {own} 1\n7 192.168.9.1 0\n7 192.168.9.2 1\n",
    "address 0.0.0.0": "1 {own} 1\n9 0.0.0.0 1\n",
    "loopback": "1 {own} 1\n9 127.0.0.1 1\n",
    "multicast": "1 {own} 1\n9 224.0.0.1 1\n",
    "abbreviated address": "1 {own} 1\n9 192.168.9 1\n",
    "octets with leading zeros": "1 {own} 1\n9 192.168.009.001 1\n",
    "256 entries": "1 {own} 1\n" + "".join(f"{n} 192.168.9.{n - 1} 1\n" for n in range(2, 257)),
}
BAD = {
    "own address in no range": ("1 192.168.9.1 9\n", NOT_THERE),
    "own address only an alias": ("1 192.168.9.1 9\n1 {own} alias\n", NOT_THERE),
    "own range of nobody": ("1 {own} 0\n2 192.168.9.1 1\n", NOT_THERE),
    "own number 0": ("0 {own} 1\n", "My node number < 1 ???"),
    "a range with node 0": ("1 {own} 1\n0 192.168.9.1 1\n", "Table contains OpenMosix 'node-#0'!"),
    "negative count": (
        "1 {own} 1\n5 192.168.9.1 -2\n",
        "Table contains a range with a negative number of nodes!",
    ),
    "end of a range too high": (
        "1 {own} 1\n65534 192.168.9.1 2\n",
        "Table contains node-#65535 (max=65534)!",
    ),
    "same address twice": ("1 {own} 1\n5 192.168.9.1 1\n6 192.168.9.1 1\n", ADDRESSES),
    "addresses overlap": ("1 {own} 1\n5 192.168.9.1 5\n60 192.168.9.3 5\n", ADDRESSES),
    "numbers overlap": ("1 {own} 1\n5 192.168.9.1 5\n7 192.168.8.1 5\n", NUMBERS),
    "past the last address": ("1 {own} 1\n5 255.255.255.250 20\n", "Table contains an IP Address(es) Wrap!"),
    "alias of nobody": (
        "1 {own} 1\n9 192.168.9.1 alias\n",
        "Table contains an alias for node #9 - which is not included!",
    ),
    "alias inside a range": (
        "1 {own} 1\n5 192.168.9.1 5\n1 192.168.9.3 alias\n",
        "Table contains an IP conflict between a range and an alias!",
    ),
    "alias of two": (
        "1 {own} 1\n5 192.168.9.1 1\n1 192.168.8.1 alias\n5 192.168.8.1 alias\n",
        "Table contains a conflict: 2 or more aliases claim the same IP address!",
    ),
    "no number": ("one {own} 1\n", "Bad Table Input: <one {own} 1"),
    "commas": ("1,{own},1\n", "Bad Table Input: <1,{own},1"),
    "hex": ("0x1 {own} 1\n", "x1: Unknown host"),
    "unknown name": ("1 {own} 1\n9 no-such-host 1\n", "no-such-host: Unknown host"),
    "two fields": ("1 {own}\n", "Bad Table Input: <1 {own}"),
    "nothing": ("", "the table is empty."),
    "only comments": ("# nothing\n\n", "the table is empty."),
    "257 entries": (
        "1 {own} 1\n" + "".join(f"{n} 192.168.{9 + n // 200}.{n % 200} 1\n" for n in range(2, 258)),
        "Table Overflow",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_table_is_accepted(nodes: list[Any], name: str) -> None:
    node = nodes[0]
    assert setpe(node, GOOD[name].format(own=node.address), "-c") == (0, "")


@pytest.mark.parametrize("name", BAD)
def test_bad_table_is_refused(nodes: list[Any], name: str) -> None:
    node = nodes[0]
    table, message = (text.format(own=node.address) for text in BAD[name])
    rc, err = setpe(node, table, "-c")
    assert rc == 102
    assert message in err


def test_check_applies_nothing(nodes: list[Any]) -> None:
    node = nodes[0]
    node.sh("setpe -off")
    assert setpe(node, f"1 {node.address} 1\n", "-c") == (0, "")
    assert said(node, "cat /proc/hpc/admin/mospe") == "0"


def test_table_is_read_back_until_it_is_switched_off(nodes: list[Any]) -> None:
    node = nodes[0]
    assert setpe(node, f"7 {node.address} 2\n20 192.168.9.1 3\n20 192.168.8.1 alias\n") == (0, "")
    text = said(node, "setpe -r")
    assert "This is OpenMosix node #7" in text
    assert "OpenMosix range    20-22    begins at 192.168.9.1" in text
    assert "Node 20 has an alias: 192.168.8.1" in text
    lines = [line.split() for line in said(node, "showmap").splitlines()]
    assert ["0x0007", node.address, "2"] in lines
    assert ["0x0014", "192.168.9.1", "3"] in lines
    assert ["0x0014", "192.168.8.1", "alias"] in lines
    assert sorted(map(int, said(node, "ls /proc/hpc/nodes").split())) == [7, 8, 20, 21, 22]
    assert said(node, "setpe -off; cat /proc/hpc/admin/mospe") == "0"
    rc, out, err = node.sh("setpe -r")
    assert rc == 3 and "OpenMosix is currently disabled" in out + err
    assert node.sh("showmap")[0] != 0


def test_small_w_keeps_the_own_number_and_starts_openmosix(nodes: list[Any]) -> None:
    """`-w` takes whatever leaves the own mapping alone; there is none while openMosix is off."""
    node = nodes[0]
    node.sh("setpe -off")
    assert setpe(node, f"1 {node.address} 1\n", "-w") == (0, "")
    assert said(node, "cat /proc/hpc/admin/mospe") == "1"
    assert setpe(node, f"1 {node.address} 1\n9 192.168.9.1 4\n", "-w") == (0, "")
    rc, err = setpe(node, f"3 {node.address} 1\n", "-w")
    assert rc == 102
    assert "requiring a full OpenMosix restart" in err and "use 'setpe -W'" in err
    assert said(node, "cat /proc/hpc/admin/mospe") == "1"
    assert "192.168.9.1" in said(node, "setpe -r")
    assert setpe(node, f"3 {node.address} 1\n") == (0, "")
    assert said(node, "cat /proc/hpc/admin/mospe") == "3"


def test_own_mapping_is_where_the_own_range_begins(nodes: list[Any]) -> None:
    """The same number from a range that begins elsewhere is another mapping; its length is not."""
    node = nodes[1]  # of a subnet where another one comes before it
    before, own = nodes[0].address, node.address
    assert setpe(node, f"1 {before} 3\n") == (0, "")
    assert setpe(node, f"1 {before} 8\n", "-w") == (0, "")
    assert setpe(node, f"1 {before} 2\n", "-w") == (0, "")
    assert setpe(node, f"1 {before} 1\n2 {own} 7\n", "-w")[0] == 102
    assert setpe(node, f"2 {own} 1\n") == (0, "")
    assert setpe(node, f"1 {before} 8\n", "-w")[0] == 102
    assert setpe(node, f"1 {before} 1\n2 {own} 7\n", "-w") == (0, "")


def test_refused_table_leaves_openmosix_as_it_was(nodes: list[Any]) -> None:
    node = nodes[0]
    node.sh("setpe -off")
    assert setpe(node, "1 192.168.9.1 1\n")[0] == 102
    assert said(node, "cat /proc/hpc/admin/mospe") == "0"
    assert setpe(node, f"1 {node.address} 1\n") == (0, "")
    assert setpe(node, "1 192.168.9.1 1\n", "-w")[0] == 102
    assert said(node, "cat /proc/hpc/admin/mospe") == "1"


def test_file_of_the_node_is_taken(nodes: list[Any]) -> None:
    node = nodes[0]
    node.sh("cat > /tmp/contract.map", f"5 {node.address} 1\n".encode())
    assert said(node, "setpe -W -f /tmp/contract.map; cat /proc/hpc/admin/mospe; rm /tmp/contract.map") == "5"
