# SPDX-License-Identifier: GPL-3.0-or-later
"""The @file of 0.7.x (coLinux 0.7.9, src/colinux/user/cmdline.c, doc/colinux-daemon)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eyrie.errors import EyrieError
from eyrie.guests.colinux.model import Card, Cofs, Disk, Guest, Kind, Option
from eyrie.guests.colinux.text import decoded, number

_KINDS: dict[str, Kind] = {"pcap-bridge": "bridge", "ndis-bridge": "ndis", "tuntap": "tap", "slirp": "slirp"}
_NAMES: dict[Kind, str] = {kind: name for name, kind in _KINDS.items()}
_ALIAS = re.compile(r"[hs]d[a-z]\d*")
_OPTION = re.compile(r"(?:ttys|exec)\d+|setcobd|cocon|cursor|color")
_INDEXED = re.compile(r"(cobd|cofs|eth)(\d+)")
_PLAIN = re.compile(r"[^\s\",]+")


@dataclass(frozen=True)
class _Word:
    """A word of the file: its key, and its values where commas stand outside of quotes."""

    key: str
    values: tuple[str, ...]
    quoted: bool
    where: str

    @property
    def value(self) -> str:
        return ",".join(self.values)


def is_key(word: str) -> bool:
    """Whether coLinux takes a word for its own, so that it never reaches the guest's kernel."""
    key, equals, _ = word.partition("=")
    own = key in ("kernel", "initrd", "mem") or key.startswith("scsi")
    return bool(equals) and bool(
        own or _INDEXED.fullmatch(key) or _ALIAS.fullmatch(key) or _OPTION.fullmatch(key)
    )


def parse(data: bytes, source: str) -> Guest:
    """Read a file."""
    found: dict[str, _Word] = {}
    boot: list[str] = []
    for word in _words(decoded(data, source), source):
        if not is_key(f"{word.key}={word.value}" if word.values else word.key):
            boot.append(_boot(word))
            continue
        if word.key in found:
            raise EyrieError(f"{word.where}: {word.key}", seen="given twice", wanted="each key once")
        if word.key.startswith("scsi"):
            raise EyrieError(
                f"{word.where}: {word.key}",
                seen=word.value,
                wanted="no scsi device: with a size it can shrink its file",
                next_step="write cobdN=FILE",
            )
        found[word.key] = word
    if "kernel" not in found:
        raise EyrieError(
            source, seen="no kernel=", wanted="kernel=vmlinux: without it nothing else of the file counts"
        )
    return _guest(found, " ".join(boot))


def render(guest: Guest) -> str:
    """Write a file."""
    lines = [f"kernel={_value(guest.kernel)}"]
    if guest.initrd:
        lines.append(f"initrd={_value(guest.initrd)}")
    if guest.memory is not None:
        lines.append(f"mem={guest.memory}")
    for disk in guest.disks:
        if not disk.enabled:
            raise EyrieError(f"cobd{disk.index}", seen="switched off", wanted="a disk that is on, or none")
        lines.append(f"cobd{disk.index}={_value(disk.path)}")
        lines += [f"{disk.alias}=:cobd{disk.index}"] if disk.alias else []
    for cofs in guest.cofs:
        if cofs.type or not cofs.enabled:
            raise EyrieError(f"cofs{cofs.index}", seen=cofs, wanted="a folder that is on, without a type")
        lines.append(f"cofs{cofs.index}={_value(cofs.path)}")
    lines += [_card_line(card) for card in guest.cards]
    lines += [f"{option.key}={','.join(map(_value, option.values))}" for option in guest.options]
    for word in guest.boot.split():
        if is_key(word) or not re.fullmatch(r"[A-Za-z0-9.][^\"#]*", word):
            raise EyrieError(
                "boot line",
                seen=word,
                wanted='words that begin with a letter, digit or dot, without " and #, and no key of coLinux',
            )
    return "\n".join([*lines, *([guest.boot] if guest.boot else []), ""])


def _card_line(card: Card) -> str:
    if card.kind == "slirp":
        values = [card.mac, card.redirections]
    else:
        values = [_value(card.name) if card.name else "", card.mac, "" if card.promisc else "nopromisc"]
    while values and not values[-1]:
        values.pop()
    return f"eth{card.index}={','.join([_NAMES[card.kind], *values])}"


def _value(text: str) -> str:
    if '"' in text or "#" in text:
        raise EyrieError(
            "value of an @file",
            seen=text,
            wanted='none of " and #: nothing escapes a quote, and # starts a comment even inside a value',
            next_step="rename the connection or the file",
        )
    return text if _PLAIN.fullmatch(text) else f'"{text}"'


def _words(text: str, source: str) -> Iterator[_Word]:
    for line, row in enumerate(text.split("\n"), 1):
        where = f"{source} line {line}"
        plain = row.split("#", 1)[0]
        if plain.count('"') % 2:
            raise EyrieError(
                where,
                seen='an odd number of "',
                wanted="quotes in pairs on one line; # ends a line even inside of them",
            )
        for match in re.finditer(r'(?:[^\s"]|"[^"]*")+', plain):
            yield _word(match[0], where)


def _word(raw: str, where: str) -> _Word:
    if not re.match(r"[A-Za-z0-9.]", raw):
        raise EyrieError(
            where,
            seen=raw,
            wanted="words that begin with a letter, digit or dot",
            next_step="give switches such as -d on the daemon's command line",
        )
    key, equals, value = raw.partition("=")
    if not equals:
        return _Word(raw, (), '"' in raw, where)
    values = tuple(part.replace('"', "") for part in re.findall(r'(?:^|,)((?:[^",]|"[^"]*")*)', value))
    return _Word(key, values, '"' in raw, where)


def _boot(word: _Word) -> str:
    if word.quoted:
        raise EyrieError(
            f"{word.where}: {word.key}", seen='"', wanted="words of the boot line without quotes and blanks"
        )
    return f"{word.key}={word.value}" if word.values else word.key


def _guest(found: dict[str, _Word], boot: str) -> Guest:
    indexed = [
        (match[1], int(match[2]), word) for key, word in found.items() if (match := _INDEXED.fullmatch(key))
    ]
    for kind, index, word in indexed:
        if word.key != f"{kind}{index}":
            raise EyrieError(f"{word.where}: {word.key}", seen=word.key, wanted=f"{kind}{index}")
    memory = found.get("mem")
    return Guest(
        kernel=_one(found["kernel"]),
        boot=boot,
        memory=number(_one(memory), f"{memory.where}: mem") if memory else None,
        disks=_disks(found, [(index, word) for kind, index, word in indexed if kind == "cobd"]),
        cards=tuple(_card(index, word) for kind, index, word in indexed if kind == "eth"),
        initrd=_one(found["initrd"]) if "initrd" in found else "",
        cofs=tuple(Cofs(index, _one(word)) for kind, index, word in indexed if kind == "cofs"),
        options=tuple(Option(key, word.values) for key, word in found.items() if _OPTION.fullmatch(key)),
    )


def _disks(found: dict[str, _Word], given: list[tuple[int, _Word]]) -> tuple[Disk, ...]:
    disks = {index: Disk(index, _one(word)) for index, word in given}
    for key, word in found.items():
        if not _ALIAS.fullmatch(key):
            continue
        value = _one(word)
        if not value.startswith(":cobd"):  # a path takes the next free number
            index = next(number for number in range(len(disks) + 1) if number not in disks)
            disks[index] = Disk(index, value, alias=key)
            continue
        index = number(value.removeprefix(":cobd"), f"{word.where}: {key}")
        if index not in disks or disks[index].alias:
            wanted = "a cobd of this file that has no other alias"
            raise EyrieError(f"{word.where}: {key}", seen=value, wanted=wanted)
        disks[index] = Disk(index, disks[index].path, alias=key)
    return tuple(disks.values())


def _card(index: int, word: _Word) -> Card:
    kind = _KINDS.get(word.values[0])
    where = f"{word.where}: {word.key}"
    if kind is None:
        raise EyrieError(where, seen=word.values[0], wanted=f"one of {', '.join(_KINDS)}")
    rest = (*word.values[1:], "", "", "")
    if len(word.values) > (3 if kind in ("slirp", "tap") else 4):
        raise EyrieError(where, seen=word.value, wanted="no more values")
    if kind == "slirp":
        return Card(index, kind, mac=rest[0].lower(), redirections=rest[1])
    if rest[2] not in ("", "nopromisc"):
        raise EyrieError(where, seen=rest[2], wanted="nopromisc, or nothing")
    return Card(index, kind, rest[0], rest[1].lower(), promisc=not rest[2])


def _one(word: _Word) -> str:
    if len(word.values) != 1 or not word.values[0]:
        raise EyrieError(f"{word.where}: {word.key}", seen=word.value, wanted="one value; quote a comma")
    return word.values[0]
