# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a plan out so that, whenever power is cut, the desktop serves by the old spec or the new one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterable, Iterator, Protocol

from eyrie.agent.converge import facts as reading
from eyrie.agent.converge import items, plan
from eyrie.agent.converge.items import Items
from eyrie.agent.converge.spec import Hub
from eyrie.errors import EyrieError

_READ = (plan.CONFIGURATION, plan.TOKEN, plan.HUB, plan.HUB_CA)
"""What the agent reads, and has to be told of."""

LOST = "lost"
"""A service that is not there, or whose program is not: a lost power may have brought old settings back."""


class Firewall(Protocol):
    """The rules that fence the guest in."""

    def look(self, configuration: str) -> tuple[str, str]:
        """Return what is there and what agent.json asks for: the same text where nothing is to change."""

    def write(self, configuration: str) -> None:
        """Make it so."""


class NoFirewall:
    """For systems where another part does it."""

    def look(self, configuration: str) -> tuple[str, str]:
        """See and want none."""
        del configuration
        return "", ""

    def write(self, configuration: str) -> None:
        """Do nothing."""


class Service(Protocol):
    """The agent that runs on this desktop."""

    def state(self) -> str:
        """Return `running`, `stopped`, `lost`, or nothing where there is none to be."""

    def start(self) -> str:
        """Start it; returns what is wrong, if anything."""

    def reread(self) -> str:
        """Have it read its configuration; returns what is wrong, if anything."""


class NoService:
    """For systems where another part does it."""

    def state(self) -> str:
        """Return that there is none."""
        return ""

    def start(self) -> str:
        """Do nothing."""
        return ""

    def reread(self) -> str:
        """Do nothing."""
        return ""


@dataclass(frozen=True)
class Place:
    """Where things are on this desktop, and who is told."""

    data: Path
    firewall: Firewall = field(default_factory=NoFirewall)
    protect: Callable[[Path], None] = lambda _path: None
    """Keep a folder to the system and administrators."""

    service: Service = field(default_factory=NoService)

    @property
    def hub(self) -> Path:
        """Return the file with the key and certificate for the pool's hub."""
        return self.data / "hub.pem"

    @property
    def hub_ca(self) -> Path:
        """Return the file with the certificate of the authority that the hub is vouched for by."""
        return self.data / "hub-ca.pem"

    @property
    def items(self) -> Items:
        """Return the folder of items."""
        return Items(self.data / "items")


def read(place: Place, desired: plan.Desired, token_sha256: str) -> plan.Current:
    """Look at what is there."""
    spec = desired.spec
    return plan.Current(
        configuration=_text(place.data / "agent.json"),
        token_sha256=token_sha256,
        damage={item.directory: place.items.damage(item) for item in spec.items},
        hub_sha256=reading.hub_sha256(place.hub),
        hub_ca=_text(place.hub_ca),
        others=place.items.others(spec.items),
        firewall=place.firewall.look(desired.configuration)[0] if spec.firewall else "",
        service=place.service.state(),
    )


def apply(place: Place, desired: plan.Desired, changes: Iterable[plan.Change]) -> Iterator[plan.Change]:
    """Carry the changes out in order, yielding each that is done; raises EyrieError at the first fault."""
    place.data.mkdir(parents=True, exist_ok=True)
    place.protect(place.data)
    reread = False
    for change in changes:
        if change.kind in (plan.OLD, plan.NO_HUB) and reread:
            _well(place.service.reread())
            reread = False
        if _apply_one(place, desired, change):
            yield change
        reread = (reread or change.kind in _READ) and change.kind != plan.SERVICE
    if reread:
        _well(place.service.reread())


def _apply_one(place: Place, desired: plan.Desired, change: plan.Change) -> bool:
    if change.kind == plan.OLD:
        # A guest that still runs from it holds it; the next run tries again.
        return place.items.prune(change.thing)
    if change.item is not None:
        place.items.install(change.item, desired.spec.ca)
    elif change.kind == plan.FIREWALL:
        place.firewall.write(desired.configuration)
    elif change.kind == plan.TOKEN:
        write_whole(place.data / "token", desired.spec.token + "\n", 0o600)
    elif change.kind in (plan.HUB, plan.HUB_CA, plan.NO_HUB):
        return _apply_hub(place, desired.spec.hub, change)
    elif change.kind == plan.CONFIGURATION:
        write_whole(place.data / "agent.json", desired.configuration, 0o644)
    elif change.kind == plan.SERVICE:
        _well(place.service.start())
    return True


def _apply_hub(place: Place, hub: Hub | None, change: plan.Change) -> bool:
    if hub is None:
        gone = [items.remove(path) for path in (place.hub, place.hub_ca)]
        return all(gone)
    if change.kind == plan.HUB:
        write_whole(place.hub, hub.certificate, 0o600)
    else:
        write_whole(place.hub_ca, hub.ca, 0o644)
    return True


def _well(trouble: str) -> None:
    if trouble:
        raise EyrieError(
            "the agent's service",
            seen=trouble,
            wanted="an agent that runs by its configuration",
            next_step="see its log",
        )


def write_whole(path: Path, text: str, mode: int) -> None:
    """Replace a file as a whole, on the disk before it is seen."""
    draft = path.with_name(f".{path.name}.new")
    try:
        # Made new each time: the mode counts from the first byte on.
        if draft.exists():
            draft.unlink()
        with os.fdopen(
            os.open(str(draft), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", newline="\n"
        ) as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        raise EyrieError(
            f"{path}",
            seen=error.strerror or str(error),
            wanted="a file that can be replaced",
            next_step="make room or repair its folder, then run site.yml again",
        ) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
