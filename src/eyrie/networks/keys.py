# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys of WireGuard, kept beside the addresses: a desktop that is off today is still a peer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import yaml

from eyrie.errors import EyrieError

HEAD = "# Public keys of the pool's hosts. Written by site.yml; a host whose key is lost makes another.\n"
KEY_BYTES = 32


def load(text: str | bytes, source: str) -> dict[str, str]:
    """Read the file's text."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise EyrieError(source, seen=f"no YAML: {error}", wanted="host: public key") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise EyrieError(source, seen=type(value).__name__, wanted="host: public key, one a line")
    return {str(name): _key(key, f"{source}: host {name}") for name, key in value.items()}


def dump(keys: Mapping[str, str]) -> str:
    """The text of the file, by host."""
    return HEAD + yaml.safe_dump(dict(sorted(keys.items())), default_flow_style=False)


def merged(known: Mapping[str, str], told: Mapping[str, Any]) -> dict[str, str]:
    """What is known, with what hosts tell now; two hosts with one key are refused."""
    keys = dict(known) | {name: _key(key, f"public key of host {name}") for name, key in told.items() if key}
    owners: dict[str, str] = {}
    for name, key in keys.items():
        if (other := owners.setdefault(key, name)) != name:
            raise EyrieError(
                f"public key {key}",
                seen=f"hosts {other} and {name}",
                wanted="a key of its own for each host",
                next_step="a machine was copied with its key: remove /etc/eyrie/network/wireguard.key on one",
            )
    return keys


def _key(value: Any, thing: str) -> str:
    try:
        sound = len(base64.b64decode(str(value), validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        sound = False
    if not sound:
        raise EyrieError(thing, seen=value, wanted="a public key of WireGuard, 44 characters of base64")
    return str(value)
