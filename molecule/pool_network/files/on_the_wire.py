#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the router sees of two hosts that speak by private address, against what the mode promises.

Usage: on_the_wire.py LAB MODE FROM PRIVATE-ADDRESS OFFICIAL-ADDRESS
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from eyrie.lab import Lab

SUBNET = "east"
PRIVATE = IPv4Network("10.88.0.0/16")
TEXT = b"Eyrie says so."
PINGS = 5
SECONDS = 7
PROTOCOLS = {1: "icmp", 4: "ipip", 6: "tcp", 17: "udp", 50: "esp"}
# What carries the mode's packets, and whether what they say can be read.
PROMISED = {"ipip": ("ipip", True), "wireguard": ("udp/51820", False), "ipsec": ("esp", False)}


def main(lab: str, mode: str, host: str, private: str, official: str) -> None:
    office = Lab.load(Path(lab), os.environ.get("EYRIE_LAB_NAME"))
    found = seen(office, host, official, private)
    if found["said officially"] < 2 * PINGS:
        raise SystemExit(
            f"The search is blind: of a plain ping's {2 * PINGS} texts it found {found['said officially']}."
        )
    carrier, readable = PROMISED[mode]
    faults = {
        "packets with private addresses on the wire as they are": found["private"],
        f"packets of {carrier} too few": max(0, 2 * PINGS - found[carrier]),
        "texts missing in inner packets": max(0, 2 * PINGS - found[f"said in {carrier}"]) if readable else 0,
        "texts that could be read": 0 if readable else found["said"],
        "packets of IP-in-IP that are not encrypted": 0 if mode == "ipip" else found["ipip"],
    }
    if any(faults.values()):
        told = ", ".join(f"{count} {what}" for what, count in faults.items() if count)
        raise SystemExit(f"{mode}: {told}; seen was {dict(found)}")


def seen(office: Lab, host: str, *targets: str) -> Counter[str]:
    """What the router sees in SUBNET while `host` pings the targets in turn, with a text in each packet."""
    office.run(host, ["true"])  # ssh takes its time to connect, and then lasts
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "wire.pcap")
        listening = threading.Thread(target=office.capture, args=(SUBNET, file, SECONDS))
        listening.start()
        time.sleep(0.5)
        ping = f"ping -n -c {PINGS} -i 0.2 -W 2 -s 400 -p {TEXT.hex()}"
        done = office.run(host, ["sh", "-c", " && ".join(f"{ping} {target}" for target in targets)])
        listening.join()
        if done.returncode != 0:
            raise SystemExit(f"{host} does not reach all of {targets}: {done.stdout}{done.stderr}")
        found: Counter[str] = Counter()
        for frame in frames(file.read_bytes()):
            found.update(signs(frame))
    return found


def frames(data: bytes) -> Iterator[bytes]:
    at = 24
    while at < len(data):
        (kept,) = struct.unpack_from("<I", data, at + 8)
        yield data[at + 16 : at + 16 + kept]
        at += 16 + kept


def signs(frame: bytes) -> list[str]:
    """What one Ethernet frame shows to whoever listens."""
    if frame[12:14] != b"\x08\x00":
        return []
    packet = frame[14:]
    kind = PROTOCOLS.get(packet[9], str(packet[9]))
    if kind == "udp":
        kind = f"udp/{struct.unpack_from('>H', packet, (packet[0] & 15) * 4 + 2)[0]}"
    found = [kind]
    within = any(IPv4Address(packet[side : side + 4]) in PRIVATE for side in (12, 16))
    if within:
        found.append("private")
    if TEXT in packet:
        # A ping of the official address is what the search is tried on.
        found += ["said officially"] if kind == "icmp" and not within else ["said", f"said in {kind}"]
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
