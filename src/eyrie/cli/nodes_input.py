# SPDX-License-Identifier: GPL-3.0-or-later
"""What `eyrie nodes` reads: files, inventories, and names where they may be looked up."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from eyrie.errors import EyrieError
from eyrie.nodetable import Table, parse
from eyrie.nodetable.importers import host_names
from eyrie.nodetable.names import Lookup, hosts_lookup, inet_aton, no_names
from eyrie.nodetable.scan import printable
from eyrie.nodetable.sources import Wanted, from_file, from_inventory
from eyrie.nodetable.state import State, load


def wanted(file: Path | None, inventory: Path | None) -> Wanted:
    if (file is None) == (inventory is None):
        raise EyrieError(
            "eyrie nodes plan", seen=f"{file=!s} {inventory=!s}", wanted="either FILE or -i INVENTORY"
        )
    if file is not None:
        return from_file(read_bytes(file), file)
    assert inventory is not None
    listing = inventory_listing(inventory)
    return from_inventory(listing, inventory if inventory.is_dir() else inventory.parent)


def inventory_listing(inventory: Path) -> dict[str, Any]:
    """What Ansible makes of an inventory."""
    beside = Path(sys.executable).with_name("ansible-inventory")
    program = str(beside) if beside.exists() else "ansible-inventory"
    done = subprocess.run(
        [program, "-i", str(inventory), "--list"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise EyrieError(
            f"ansible-inventory -i {inventory}", seen=done.stderr.strip()[-500:], wanted="an inventory"
        )
    listing: dict[str, Any] = json.loads(done.stdout)
    return listing


def numbers_given(path: Path, new: bool, tables: bool) -> State | None:
    """The numbers given so far; None only where the pool is to be numbered for the first time."""
    if path.exists():
        return load(read_bytes(path), str(path))
    if not new and not tables:
        raise EyrieError(
            f"numbers file {path}",
            seen="no such file",
            wanted="the numbers given so far",
            next_step="a new pool is numbered with --new; else restore the committed file, or take the"
            " numbers from a node: eyrie nodes import map openmosix.map --numbers FILE",
        )
    return None


def read_table(path: Path, lookup: Lookup = no_names) -> Table:
    return parse(read_bytes(path), printable(os.fsencode(path)), lookup)


def read_bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise EyrieError(str(path), seen=error.strerror, wanted="a file that can be read") from None


def as_text(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EyrieError(source, seen=str(error), wanted="UTF-8") from None


def networks_of(values: Sequence[str] | None) -> tuple[IPv4Network, ...]:
    try:
        return tuple(IPv4Network(value) for value in values or ())
    except ValueError as error:
        raise EyrieError("--network", seen=str(error), wanted="such as 10.77.0.0/24") from None


def lookup_of(hosts: Path | None, resolve: bool) -> Lookup:
    """Where names are looked up: a hosts file first, then the resolver."""
    if hosts is None:
        return _resolver if resolve else no_names
    known = hosts_lookup(host_names(read_bytes(hosts).decode("utf-8", "surrogateescape")))
    return (lambda name: known(name) or _resolver(name)) if resolve else known


def _resolver(name: str) -> str | None:
    """This machine's resolver, which must not take 0x0a.1 for an address as setpe's does not."""
    if inet_aton(os.fsencode(name)) is not None:
        return None
    try:
        return socket.gethostbyname(name)
    except (OSError, UnicodeError):
        return None
