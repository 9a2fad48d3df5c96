# SPDX-License-Identifier: GPL-3.0-or-later
"""The private addresses that a pool has given, for ever: a committed file that shows when it was edited."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from eyrie import committed
from eyrie.errors import EyrieError
from eyrie.nodetable.table import dotted, numeric

FORMAT = 1
BLOCK = 256
"""Addresses in a block: a subnet gets one after the other, so that routes to it stay few."""
HEAD = """\
# Private addresses of a pool, given for ever. Written by `eyrie network plan --write`.
# Commit this file, and never edit it: an address that changes ends the connections of its host.
"""
RESTORE = "restore the committed file"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Block:
    """256 private addresses from `start` on, of one subnet; in a star `gateway` carries them."""

    subnet: str
    start: int
    gateway: str = ""


@dataclass(frozen=True)
class Given:
    """The address of one host. A retired one is nobody's, for ever."""

    host: str
    address: int
    retired: bool = False


@dataclass(frozen=True)
class State:
    """Every block and every address that was ever given, in the order of giving."""

    private: IPv4Network
    blocks: tuple[Block, ...] = ()
    given: tuple[Given, ...] = ()

    @cached_property
    def addresses(self) -> dict[str, int]:
        """The addresses that are in use."""
        return {each.host: each.address for each in self.given if not each.retired}

    @cached_property
    def block_of(self) -> dict[int, Block]:
        """Blocks by their first address."""
        return {block.start: block for block in self.blocks}


def dump(state: State) -> str:
    """The text of the file, with the checksum of what it says."""
    blocks = "".join(f"- {_flow(_block(each))}\n" for each in state.blocks)
    given = "".join(f"- {_flow(_given(each))}\n" for each in state.given)
    body = f"format: {FORMAT}\nprivate: {state.private}\nblocks:{_list(blocks)}hosts:{_list(given)}"
    return f"{HEAD}{body}checksum: {checksum(state)}\n"


def checksum(state: State) -> str:
    """SHA-256 of the values."""
    return committed.checksum(
        [
            FORMAT,
            str(state.private),
            [_block(each) for each in state.blocks],
            [_given(e) for e in state.given],
        ]
    )


def load(text: str | bytes, source: str = "pool-addresses.yml") -> State:
    """Read the file's text; EyrieError if it is not what `dump` wrote."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, the quick one where there is one
    except (yaml.YAMLError, ValueError) as error:
        raise _fault(source, f"no YAML: {error}", "an addresses file") from None
    if not isinstance(value, dict) or value.keys() != {"format", "private", "blocks", "hosts", "checksum"}:
        raise _fault(source, str(value)[:80], "format, private, blocks, hosts and checksum")
    if value["format"] != FORMAT:
        raise EyrieError(
            f"{source}: format", seen=value["format"], wanted=str(FORMAT), next_step="update Eyrie"
        )
    try:
        state = State(
            IPv4Network(value["private"]),
            tuple(Block(e["subnet"], numeric(e["start"]), e.get("gateway", "")) for e in value["blocks"]),
            tuple(
                Given(e["host"], numeric(e["address"]), retired=e.get("retired", False))
                for e in value["hosts"]
            ),
        )
        real, sound = checksum(state), _sound(state)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise _fault(source, f"unreadable: {error}", "an addresses file") from None
    if value["checksum"] != real or not sound:
        raise _fault(f"{source}: checksum", value["checksum"], f"{real}, for it was edited by hand")
    return state


def write(path: Path, state: State) -> None:
    """Replace the file in one step."""
    committed.replace(path, dump(state))


def disagreement(state: State, found: Mapping[str, str]) -> EyrieError | None:
    """Where a host carries what this state never gave it: then it is an old one, or another pool's."""
    for host, address in found.items():
        given = state.addresses.get(host)
        if given is None or dotted(given) != address:
            return EyrieError(
                f"private address of host {host}",
                seen=address,
                wanted=f"{dotted(given) if given else 'none'}: the addresses file is older than the host's"
                " address, or another pool's",
                next_step=RESTORE,
            )
    return None


def _fault(thing: str, seen: Any, wanted: str) -> EyrieError:
    return EyrieError(thing, seen=seen, wanted=wanted, next_step=RESTORE)


def _sound(state: State) -> bool:
    """Values that the planner can have written."""
    low, high = int(state.private.network_address), int(state.private.broadcast_address)
    starts = [block.start for block in state.blocks]
    addresses = [each.address for each in state.given]
    texts = [each.host for each in state.given] + [e.subnet for e in state.blocks]
    texts += [each.gateway for each in state.blocks]
    return (
        len(set(starts)) == len(starts)
        and len(set(addresses)) == len(addresses)
        and all(low <= start and start + BLOCK - 1 <= high for start in starts)
        and all(address - address % BLOCK in state.block_of for address in addresses)
        and all(isinstance(text, str) for text in texts)
        and all(isinstance(each.retired, bool) for each in state.given)
        and len(state.addresses) == sum(not each.retired for each in state.given)
    )


def _block(each: Block) -> dict[str, Any]:
    value = {"start": dotted(each.start), "subnet": each.subnet}
    return value | {"gateway": each.gateway} if each.gateway else value


def _given(each: Given) -> dict[str, Any]:
    value = {"address": dotted(each.address), "host": each.host}
    return value | {"retired": True} if each.retired else value


def _flow(value: dict[str, Any]) -> str:
    """One line of YAML, with texts as JSON writes them, which YAML reads too."""
    items = (
        f"{key}: {each if key in ('address', 'start') else json.dumps(each)}" for key, each in value.items()
    )
    return "{" + ", ".join(items) + "}"


def _list(lines: Iterable[str] | str) -> str:
    return f"\n{lines}" if lines else " []\n"
