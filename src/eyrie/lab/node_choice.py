# SPDX-License-Identifier: GPL-3.0-or-later
"""Genuine or fake: what form the openMosix nodes of a lab have, decided once, at its first `up`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab.model import FAKE, GENUINE, Host, Topology
from eyrie.lab.paths import Paths

KERNEL = "EYRIE_OPENMOSIX_KERNEL"
RAMDISK = "EYRIE_OPENMOSIX_INITRD"
FORMS = {"genuine": GENUINE, "fake": FAKE}


@dataclass(frozen=True)
class Images:
    """The operator's openMosix images."""

    kernel: Path
    ramdisk: Path


def given(environ: Mapping[str, str]) -> Images | None:
    """Return the images the environment names, none if it names none; half of them is a mistake."""
    named = {name: environ.get(name, "") for name in (KERNEL, RAMDISK)}
    if not any(named.values()):
        return None
    for name, value in named.items():
        if not value:
            other = KERNEL if name == RAMDISK else RAMDISK
            raise EyrieError(
                f"{other} is set, {name} is not",
                wanted="both (genuine openMosix nodes) or neither (fake ones)",
                next_step=f"export {name}=FILE, or unset {other}",
            )
    return Images(Path(named[KERNEL]), Path(named[RAMDISK]))


def resolve(topology: Topology, paths: Paths, environ: Mapping[str, str] | None = None) -> Topology:
    """Give every openMosix node of a lab its form: the one it was brought up with, else the environment's."""
    if not any(host.is_node for host in topology.hosts):
        return topology
    form = _recorded(paths) or ("genuine" if given(os.environ if environ is None else environ) else "fake")
    hosts = (replace(host, kind=FORMS[form]) if host.is_node else host for host in topology.hosts)
    return replace(topology, hosts=tuple(hosts))


def record(topology: Topology, paths: Paths, environ: Mapping[str, str] | None = None) -> None:
    """Keep the form of a lab's nodes as long as the lab is there; refuse a change of mind meanwhile."""
    forms = {form(host) for host in topology.hosts if host.is_node}
    if not forms:
        return
    chosen = forms.pop()
    if chosen == "fake" and given(os.environ if environ is None else environ) is not None:
        raise EyrieError(
            f"lab {topology.name} stands with fake openMosix nodes",
            seen=f"{KERNEL} and {RAMDISK} are set",
            wanted="genuine nodes only in a lab that is brought up with them",
            next_step=f"eyrie lab down --name {topology.name}, then eyrie lab up",
        )
    paths.node_images.mkdir(mode=0o700, parents=True, exist_ok=True)
    (paths.node_images / "form").write_text(chosen, encoding="ascii")


def form(host: Host) -> str:
    """Return `genuine` or `fake`."""
    return "genuine" if host.kind == GENUINE else "fake"


def _recorded(paths: Paths) -> str | None:
    try:
        text = (paths.node_images / "form").read_text(encoding="ascii")
    except OSError:
        return None
    return text if text in FORMS else None
