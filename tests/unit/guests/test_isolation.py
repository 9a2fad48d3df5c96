# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop's rules for its guest: their text, and what the kernel makes of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from eyrie.errors import EyrieError
from eyrie.guests.isolation import host_rules


@pytest.mark.parametrize(
    ("user", "master", "port", "thing"),
    [
        ("root", "10.77.1.10", 9618, "user"),
        ('x" accept', "10.77.1.10", 9618, "user"),
        ("", "10.77.1.10", 9618, "user"),
        ("eyrie-guest", "10.77.1.0/24", 9618, "address"),
        ("eyrie-guest", "master", 9618, "address"),
        ("eyrie-guest", "::1", 9618, "address"),
        ("eyrie-guest", "10.77.1.10", 0, "port"),
        ("eyrie-guest", "10.77.1.10", 65536, "port"),
        ("eyrie-guest", "10.77.1.10", True, "port"),
    ],
)
def test_bad_input_is_refused(user: str, master: str, port: int, thing: str) -> None:
    with pytest.raises(EyrieError, match=thing):
        host_rules(user, master, port)


def test_one_way_out_only() -> None:
    text = host_rules("eyrie-guest", "10.77.1.10", 9618)
    assert [line.strip() for line in text.splitlines() if "accept" in line and "policy" not in line] == [
        "ip daddr 10.77.1.10 tcp dport 9618 accept"
    ]
    assert 'meta skuid "eyrie-guest"' in text


NEIGHBOURHOOD = r"""
set -e
ip link set lo up
ip link add office type veth peer name far
ip address add 10.9.9.10/24 dev office
ip address add 10.9.9.77/24 dev office
ip -6 address add fd99::10/64 dev office nodad
ip link set office up
ip link set far up
printf '%s' "$RULES" >"$FOLDER/rules"
nft -f "$FOLDER/rules"
nft -f "$FOLDER/rules"
test "$(nft list ruleset | grep -c 'table inet eyrie_guest')" = 1
exec python3 "$FOLDER/reach.py"
"""
REACH = """
import os, socket

PLACES = ["10.9.9.10 9618", "10.9.9.10 22", "10.9.9.77 9618", "127.0.0.1 9618", "::1 9618", "fd99::10 9618"]
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}

def end(address, kind):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)

def reach(address, port, kind):
    with end(address, kind) as out:
        out.settimeout(3)
        try:
            out.connect((address, int(port)))
            out.send(b"x")
            out.send(b"x")  # a refused datagram is told of at the next one
            return "yes"
        except OSError:
            return "no"

held = []
for place in PLACES:
    for kind in KINDS.values():
        address, port = place.split()
        held.append(end(address, kind))
        held[-1].bind((address, int(port)))
        if kind == socket.SOCK_STREAM:
            held[-1].listen()
for who in ("root", "guest"):
    if who == "guest":
        os.setgid(65534)
        os.setuid(65534)
    print(who, *[f"{kind}:{reach(*place.split(), KINDS[kind])}" for kind in KINDS for place in PLACES])
"""


@pytest.mark.integration
def test_the_kernel_lets_the_guests_user_reach_the_pool_port_only(tmp_path: Path) -> None:
    (tmp_path / "reach.py").write_text(REACH)
    rules = host_rules("nobody", "10.9.9.10", 9618)
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", NEIGHBOURHOOD],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "RULES": rules, "FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    root, guest = (line.split()[1:] for line in done.stdout.splitlines())
    assert root == ["tcp:yes"] * 6 + ["udp:yes"] * 6
    assert guest == ["tcp:yes"] + ["tcp:no"] * 5 + ["udp:no"] * 6
