# SPDX-License-Identifier: GPL-3.0-or-later
"""The XML of 0.6.x (coLinux 0.6.1 and 0.6.4, src/colinux/user/config.c), given to the daemon with `-c`."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from eyrie.errors import EyrieError
from eyrie.guests.colinux.model import Card, Cofs, Disk, Guest, Kind
from eyrie.guests.colinux.text import decoded, number

BOM = b"\xef\xbb\xbf"
_KINDS: dict[str, Kind] = {"bridged": "bridge", "tap": "tap", "slirp": "slirp"}
_NAMES: dict[Kind, str] = {kind: name for name, kind in _KINDS.items()}
_ATTRIBUTES = {
    "block_device": {"index", "path", "enabled", "alias"},
    "image": {"path"},
    "bootparams": set[str](),
    "memory": {"size"},
    "initrd": {"path"},
    "cofs_device": {"index", "path", "type", "enabled"},
    "network": {"index", "type", "name", "mac", "promisc", "redir"},
}
_ONCE = ("image", "bootparams", "memory", "initrd")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;"}


@dataclass
class _Seen:
    """What expat found, element by element, with the text of bootparams."""

    source: str
    found: list[tuple[str, dict[str, str], int]] = field(default_factory=list)
    boot: str = ""
    open: list[str] = field(default_factory=list)


def parse(data: bytes, source: str, *, bom: bool = False) -> Guest:
    """Read a file; `bom`: whether the release skips a byte order mark."""
    if data.startswith(BOM) and bom:
        data = data[len(BOM) :]
    elif data.startswith(BOM):
        raise EyrieError(
            source,
            seen="a UTF-8 byte order mark",
            wanted="none: only 0.6.4 skips it",
            next_step="save it as ANSI",
        )
    if not data.endswith(b"\n"):
        raise EyrieError(
            f"{source}: last byte",
            seen=data[-1:].decode("latin-1"),
            wanted="a line's end: the loader puts a NUL over the last byte (src/colinux/user/daemon.c)",
            next_step="end the file with a newline",
        )
    decoded(data, source)
    return _guest(_elements(data, source))


def render(guest: Guest) -> str:
    """Write a file."""
    lines = ["<colinux>"]
    for disk in guest.disks:
        more = {"alias": disk.alias} if disk.alias else {}
        enabled = "true" if disk.enabled else "false"
        lines.append(_tag("block_device", index=disk.index, path=disk.path, enabled=enabled, **more))
    for cofs in guest.cofs:
        more = {"type": cofs.type} if cofs.type else {}
        enabled = "true" if cofs.enabled else "false"
        lines.append(_tag("cofs_device", index=cofs.index, path=cofs.path, **more, enabled=enabled))
    lines.append(f"    <bootparams>{_escaped(guest.boot)}</bootparams>")
    lines.append(_tag("image", path=guest.kernel))
    if guest.initrd:
        lines.append(_tag("initrd", path=guest.initrd))
    if guest.memory is not None:
        lines.append(_tag("memory", size=guest.memory))
    lines += [_network(card) for card in guest.cards]
    return "\n".join([*lines, "</colinux>", ""])


def _network(card: Card) -> str:
    if card.kind not in _NAMES:
        raise EyrieError(f"eth{card.index}", seen=card.kind, wanted="bridge, tap or slirp in an XML file")
    more = {"name": card.name, "mac": card.mac, "redir": card.redirections}
    given = {key: value for key, value in more.items() if value}
    if not card.promisc:
        given["promisc"] = "false"
    return _tag("network", index=card.index, type=_NAMES[card.kind], **given)


def _tag(element: str, /, **attributes: object) -> str:
    written = " ".join(f'{key}="{_escaped(str(value))}"' for key, value in attributes.items())
    return f"    <{element} {written} />"


def _escaped(text: str) -> str:
    return "".join(_ENTITIES.get(sign, sign) for sign in text)


def _elements(data: bytes, source: str) -> _Seen:
    seen = _Seen(source)
    parser = expat.ParserCreate()

    def where() -> str:
        return f"{source} line {parser.CurrentLineNumber}"

    def start(name: str, attributes: dict[str, str]) -> None:
        depth = len(seen.open)
        if depth == 0 and name != "colinux":
            raise EyrieError(where(), seen=f"<{name}>", wanted="<colinux>")
        if depth == 1:
            _known(name, attributes, where())
            if name in _ONCE and any(name == other for other, _, _ in seen.found):
                raise EyrieError(where(), seen=f"<{name}> again", wanted="one of them")
            seen.found.append((name, attributes, parser.CurrentLineNumber))
        elif depth > 1:
            raise EyrieError(where(), seen=f"<{name}> inside <{seen.open[-1]}>", wanted="nothing there")
        seen.open.append(name)

    def text(words: str) -> None:
        if seen.open[-1:] == ["bootparams"]:
            seen.boot += words
        elif words.strip():
            raise EyrieError(where(), seen=words.strip(), wanted="no text outside bootparams")

    def doctype(*_: object) -> None:
        raise EyrieError(where(), seen="<!DOCTYPE>", wanted="a configuration without one")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: seen.open.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise EyrieError(f"{source} line {error.lineno}", seen=str(error), wanted="well-formed XML") from None
    return seen


def _known(name: str, attributes: dict[str, str], where: str) -> None:
    if name not in _ATTRIBUTES:
        raise EyrieError(where, seen=f"<{name}>", wanted=f"one of {', '.join(sorted(_ATTRIBUTES))}")
    for key in attributes.keys() - _ATTRIBUTES[name]:
        wanted = ", ".join(sorted(_ATTRIBUTES[name])) or "none"
        raise EyrieError(f"{where}: attribute of <{name}>", seen=key, wanted=wanted)


def _guest(seen: _Seen) -> Guest:
    single = {name: attributes for name, attributes, _ in seen.found if name in _ONCE}
    rows = [(name, attributes, f"{seen.source} line {line}") for name, attributes, line in seen.found]
    memory = single.get("memory")
    return Guest(
        kernel=_needed(single["image"], "path", "image") if "image" in single else "vmlinux",
        boot=" ".join(seen.boot.split()),
        memory=number(_needed(memory, "size", "memory"), f"{seen.source}: memory") if memory else None,
        disks=tuple(_disk(given, where) for name, given, where in rows if name == "block_device"),
        cards=tuple(_card(given, where) for name, given, where in rows if name == "network"),
        initrd=_needed(single["initrd"], "path", "initrd") if "initrd" in single else "",
        cofs=tuple(_cofs(given, where) for name, given, where in rows if name == "cofs_device"),
    )


def _disk(given: dict[str, str], where: str) -> Disk:
    index = number(_needed(given, "index", where), f"{where}: index")
    path = _needed(given, "path", where)
    return Disk(index, path, _true(given, "enabled", where, default=""), given.get("alias", ""))


def _cofs(given: dict[str, str], where: str) -> Cofs:
    index = number(_needed(given, "index", where), f"{where}: index")
    enabled = _true(given, "enabled", where, default="")
    return Cofs(index, _needed(given, "path", where), given.get("type", ""), enabled)


def _card(given: dict[str, str], where: str) -> Card:
    kind = _KINDS.get(given.get("type", "bridged"))
    if kind is None:
        raise EyrieError(f"{where}: type", seen=given["type"], wanted=f"one of {', '.join(_KINDS)}")
    return Card(
        number(_needed(given, "index", where), f"{where}: index"),
        kind,
        given.get("name", ""),
        given.get("mac", "").lower(),
        _true(given, "promisc", where, default="true"),
        given.get("redir", ""),
    )


def _needed(given: dict[str, str], key: str, where: str) -> str:
    if not given.get(key):
        raise EyrieError(f"{where}: {key}", seen=given.get(key, "nothing"), wanted="a value")
    return given[key]


def _true(given: dict[str, str], key: str, where: str, *, default: str) -> bool:
    value = given.get(key, default)
    if value not in ("true", "false"):
        raise EyrieError(
            f"{where}: {key}",
            seen=value or "nothing",
            wanted="true or false, in small letters: all but exactly true switches it off without a word",
        )
    return value == "true"
