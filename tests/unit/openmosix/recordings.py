# SPDX-License-Identifier: GPL-3.0-or-later
"""What genuine 2.4.26-om nodes printed (without the names of their kernel's own threads)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eyrie.openmosix.facts import NodeFacts
from eyrie.openmosix.read import parse

DATA = Path(__file__).parent / "data"


def text(name: str) -> str:
    return (DATA / f"{name}.txt").read_text(encoding="utf-8")


def facts(name: str) -> NodeFacts:
    return parse(text(name))


def pool(size: int) -> dict[str, NodeFacts]:
    """As many nodes as wanted, each as a genuine one would tell of that pool."""
    one = facts("idle")
    everybody = frozenset(range(1, size + 1))
    return {
        f"n{number}": replace(one, number=number, up=everybody, peers=()) for number in range(1, size + 1)
    }
