# SPDX-License-Identifier: GPL-3.0-or-later
"""The two files of an inventory that an import writes: what is open, and what is secret."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from eyrie.comosix.site import Site
from eyrie.errors import EyrieError

# Read first of its folder, so that whatever the site writes itself wins.
VARIABLES = Path("group_vars/all/00-comosix.yml")
SECRETS = Path("secrets/comosix.yml")
_HEAD = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# Written by `eyrie comosix import`. What another file of this folder says wins.
---
"""
_SECRETS_HEAD = (
    "# Written by `eyrie comosix import`. Keep it secret; ansible-vault may encrypt this file.\n---\n"
)
_PASSWORD = "comosix_root_password"  # noqa: S105 - the name of one
_KEYS = "comosix_pre_shared_keys"


def variables(site: Site) -> str:
    """Write what is open."""
    return _HEAD + _yaml(site.variables) if site.variables else ""


def secrets(site: Site, before: str, source: str) -> str:
    """Write what is secret; what an import before this one kept and this one does not give stays."""
    given: dict[str, Any] = {}
    if site.password:
        given[_PASSWORD] = site.password
    if site.keys:
        given[_KEYS] = [{"ends": list(each.ends), "key": each.key} for each in site.keys]
    if not given:
        return before
    return _SECRETS_HEAD + _yaml({**_secrets(before, source), **given})


def refuse_foreign(before: str, source: str) -> None:
    """Refuse to overwrite variables that no import wrote."""
    if before and not before.startswith(_HEAD):
        raise EyrieError(
            source,
            seen="a file that no import wrote",
            wanted="none, or one of an import",
            next_step="give it another name; files of that folder are all read",
        )


def difference(before: str, after: str, source: str) -> str:
    """Tell what changes in a file that is open."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), source, source, n=1
    )
    return "".join(lines)


def secret_differences(before: str, after: str, source: str) -> list[str]:
    """Tell which secrets change, and nothing of them."""
    old, new = (_named(_secrets(text, source)) for text in (before, after))
    told = []
    for name in (*old, *(name for name in new if name not in old)):
        if old.get(name) != new.get(name):
            how = "new" if name not in old else "removed" if name not in new else "changed"
            told.append(f"{how}: {name}")
    return told


def _named(values: Mapping[str, Any]) -> dict[str, str]:
    named = {"password of root": str(values[_PASSWORD])} if _PASSWORD in values else {}
    for each in values.get(_KEYS, []):
        named[f"pre-shared key of {', '.join(each['ends']) or 'every other end'}"] = str(each["key"])
    return named


def _secrets(text: str, source: str) -> dict[str, Any]:
    if text.startswith("$ANSIBLE_VAULT"):
        raise EyrieError(
            source,
            seen="encrypted",
            wanted="a file that can be compared",
            next_step=f"ansible-vault decrypt {source}, import, and encrypt it again",
        )
    try:
        value = yaml.safe_load(text) or {}
        well = isinstance(value, dict) and all(
            isinstance(each, dict) and isinstance(each.get("ends"), list) and "key" in each
            for each in value.get(_KEYS) or []
        )
    except yaml.YAMLError:  # whose text would quote the secrets
        well = False
    if not well:
        raise EyrieError(source, seen="another form", wanted="what an import wrote", next_step="restore it")
    return dict(value)


def _yaml(values: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(values), sort_keys=False, default_flow_style=False, width=1000)
