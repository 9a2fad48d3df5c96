# SPDX-License-Identifier: GPL-3.0-or-later
"""The spec of one desktop, as the control host hands it over: read strictly, each fault named by its key."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Mapping
from urllib.parse import urlsplit

from eyrie.agent.fields import Reader
from eyrie.errors import EyrieError

VERSION = 1
WHERE = "spec"
MARK = re.compile(r"\{(item:[^{}]*|data)\}")
NAME = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
LARGEST = 1 << 40
_PEM = r"-----BEGIN {0}-----\n[A-Za-z0-9+/=\n]+-----END {0}-----\n"
_CERTIFICATE = re.compile(_PEM.format("CERTIFICATE"))
_PROOF = re.compile(_PEM.format("PRIVATE KEY") + _CERTIFICATE.pattern)


@dataclass(frozen=True)
class Item:
    """A versioned file set, known by the hash of what is downloaded."""

    name: str
    sha256: str
    size: int
    url: str
    unpack: str

    @property
    def directory(self) -> str:
        """Return the name of its folder."""
        return f"{self.name}-{self.sha256[:16]}"


@dataclass(frozen=True)
class Hub:
    """What proves the desktop to the pool's hub, and by whose signature it knows the hub."""

    certificate: str
    """Key and certificate, PEM; a secret. Empty: keep those that are there."""

    ca: str


@dataclass(frozen=True)
class Spec:
    """How a desktop shall be."""

    agent_version: str
    """The version of the agent that this was written for; empty: any."""

    agent: Mapping[str, Any]
    token: str
    """Empty: keep the one that is there."""

    items: tuple[Item, ...]
    ca: str
    firewall: bool
    hub: Hub | None = None
    """Nothing: the guest is in no hub, and what proved the desktop to one goes."""

    def configuration(self, data: str, separator: str) -> str:
        """Return agent.json's text; `{data}` stands for the agent's folder, `{item:NAME}` for that item's."""
        items = f"{data}{separator}items{separator}"
        places = {"data": data, **{f"item:{item.name}": items + item.directory for item in self.items}}
        return json.dumps(placed(self.agent, places), indent=2, sort_keys=True) + "\n"


def parse(text: str) -> Spec:
    """Check the JSON text of a spec; raises EyrieError naming the key."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise EyrieError(
            WHERE, seen=str(error), wanted="JSON on standard input", next_step="run site.yml"
        ) from None
    top = Reader(data, WHERE)
    top.whole("version", VERSION, VERSION)
    agent = top.take("agent", "an object")
    spec = Spec(
        agent_version=top.text("agent_version", r"[0-9A-Za-z.+-]{0,64}"),
        agent=agent if isinstance(agent, Mapping) else _wrong("agent", agent, "an object"),
        token=top.text("token", r"([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)?\s*").strip(),
        items=tuple(_item(each) for each in top.children("items")),
        ca=_authority(top.take("ca", "PEM, or nothing")),
        firewall=_boolean(top.take("firewall", "true or false"), "firewall"),
        hub=_hub(top.child("hub")) if top.has("hub") else None,
    )
    top.done()
    _refuse_doubles(spec)
    _refuse_unknown_marks(spec)
    return spec


def _item(reader: Reader) -> Item:
    item = Item(
        name=reader.text("name", NAME),
        sha256=reader.text("sha256", r"[0-9a-f]{64}"),
        size=reader.whole("size", 1, LARGEST),
        url=_https(reader.take("url", "an https URL"), "url"),
        unpack=reader.choice("unpack", ("zip", "none")),
    )
    reader.done()
    return item


def _hub(reader: Reader) -> Hub:
    certificate, ca = reader.take("certificate", "PEM, or nothing"), reader.take("ca", "PEM")
    if not isinstance(certificate, str) or (certificate and not _PROOF.fullmatch(certificate)):
        _wrong("hub.certificate", "something else", "a key and its certificate as PEM, or nothing")
    if not isinstance(ca, str) or not _CERTIFICATE.fullmatch(ca):
        _wrong("hub.ca", "something else", "a certificate as PEM")
    reader.done()
    return Hub(str(certificate), str(ca))


def _https(value: object, key: str) -> str:
    parts = urlsplit(value) if isinstance(value, str) and value.isprintable() else None
    if parts is None or parts.scheme != "https" or not parts.hostname or parts.username or parts.query:
        return str(_wrong(key, value, "an https URL without account or query"))
    return str(value)


def _authority(value: object) -> str:
    if value == "" or (isinstance(value, str) and value.startswith("-----BEGIN CERTIFICATE-----")):
        return str(value)
    return str(_wrong("ca", "something else", "certificates as PEM, or nothing"))


def _boolean(value: object, key: str) -> bool:
    return value if isinstance(value, bool) else bool(_wrong(key, value, "true or false"))


def _refuse_doubles(spec: Spec) -> None:
    names = [item.name for item in spec.items]
    for name in names:
        if names.count(name) > 1:
            _wrong("items", f"{name} twice", "every item once")


def _refuse_unknown_marks(spec: Spec) -> None:
    names = {f"item:{item.name}" for item in spec.items}
    for mark in MARK.findall(json.dumps(spec.agent)):
        if mark not in names | {"data"}:
            _wrong("agent", f"{{{mark}}}", f"one of the items: {', '.join(sorted(names)) or 'none'}")


def placed(value: Any, places: Mapping[str, str]) -> Any:
    """Put places where their marks stand."""
    if isinstance(value, str):
        return MARK.sub(lambda mark: places[mark.group(1)], value)
    if isinstance(value, Mapping):
        return {key: placed(each, places) for key, each in value.items()}
    return [placed(each, places) for each in value] if isinstance(value, list) else value


def _wrong(key: str, seen: object, wanted: str) -> Any:
    raise EyrieError(
        f"{WHERE}: {key}",
        seen=seen,
        wanted=wanted,
        next_step="correct the inventory variable behind it and run site.yml",
    )
