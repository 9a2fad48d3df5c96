# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyrie.networks.state import State, load
from eyrie.nodetable.table import dotted

if TYPE_CHECKING:
    from collections.abc import Callable


def pool_address(name: str, file: str, *, prefix: bool = False) -> str:
    """Return the private address that the addresses file gives a host, or nothing."""
    path = Path(file)
    if not path.exists():
        return ""
    state = _state(path, path.stat().st_mtime_ns)
    address = state.addresses.get(name)
    if address is None:
        return ""
    return f"{dotted(address)}/{state.private.prefixlen}" if prefix else dotted(address)


@lru_cache(maxsize=4)
def _state(path: Path, _changed: int) -> State:
    """Read the file once, however many hosts ask."""
    return load(path.read_bytes(), path.name)


class FilterModule:
    """What inventories need of the pool's network."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {"pool_address": pool_address}
