# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub's configuration, hub.json: read strictly, as the agent's is."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from eyrie.agent.fields import Reader
from eyrie.errors import EyrieError
from eyrie.hub.guard import Grant, parse_address, parse_mac
from eyrie.hub.switch import owners_of
from eyrie.hub.tls import Identity

VERSION = 1
_NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?"
_MAC = r"[0-9a-f]{2}(:[0-9a-f]{2}){5}"


@dataclass(frozen=True)
class Settings:
    """The whole of hub.json."""

    pool: str
    address: str
    port: int
    identity: Identity
    tap: str  # nothing: the guests reach one another only
    mtu: int
    flood_per_second: float
    status: str  # path of a UNIX socket
    revoked: frozenset[int]  # serial numbers of certificates that count no longer
    grants: tuple[Grant, ...]

    def fixed(self) -> Settings:
        """Return the part that a running hub cannot change."""
        return replace(self, identity=Identity("", "", ""), revoked=frozenset(), grants=())


def load(path: Path) -> Settings:
    """Read and check the file; raises EyrieError naming the key."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EyrieError(
            f"{path}", seen=str(error), wanted="the hub's configuration", next_step="run site.yml"
        ) from error
    return parse(data, str(path))


def parse(data: object, where: str) -> Settings:
    """Check what was read from `where`."""
    top = Reader(data, where)
    top.whole("version", VERSION, VERSION)
    listen = top.child("listen")
    settings = Settings(
        pool=top.text("pool", _NAME),
        address=listen.address("address"),
        port=listen.whole("port", 1, 65535),
        identity=Identity(top.path("ca"), top.path("certificate"), top.path("key")),
        tap=top.text("tap", r"([A-Za-z0-9][A-Za-z0-9_.-]{0,14})?"),
        mtu=top.whole("mtu", 576, 65535 - 18),
        flood_per_second=top.number("flood_per_second", 1, 1_000_000),
        status=top.path("status"),
        revoked=frozenset(int(serial, 16) for serial in top.texts("revoked", r"[0-9A-Fa-f]{1,40}")),
        grants=tuple(_grant(reader) for reader in top.children("guests")),
    )
    listen.done()
    top.done()
    owners_of(settings.grants)
    return settings


def _grant(reader: Reader) -> Grant:
    grant = Grant(
        name=reader.text("name", _NAME),
        macs=frozenset(parse_mac(text) for text in reader.texts("macs", _MAC)),
        address=parse_address(reader.text("address", r"([0-9]{1,3}([.][0-9]{1,3}){3})?")),
    )
    reader.done()
    return grant
