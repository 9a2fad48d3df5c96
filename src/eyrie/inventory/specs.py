# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the roles' argument specs: the one list of variables there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class RoleSpec:
    """What one role takes: the options of its entry point `main`, and the names of all its entry points."""

    options: dict[str, Any]
    variables: frozenset[str]


def read_specs(roles: Path) -> dict[str, RoleSpec]:
    """Read the spec of every role under a folder."""
    return {path.parents[1].name: _spec(path) for path in sorted(roles.glob("*/meta/argument_specs.yml"))}


def _spec(path: Path) -> RoleSpec:
    text = path.read_text(encoding="utf-8")
    # A safe loader, the quick one where there is one.
    entries = yaml.load(text, Loader=_Loader)["argument_specs"]  # noqa: S506
    names = {name for entry in entries.values() for name in entry.get("options") or {}}
    return RoleSpec(entries.get("main", {}).get("options") or {}, frozenset(names))
