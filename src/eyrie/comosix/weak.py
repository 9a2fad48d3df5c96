# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords and keys that others know or guess. What is told of one never holds it."""

from __future__ import annotations

import base64

LEAST_SIGNS = 12
LEAST_KEY_BYTES = 16
_FEW = 5
_KNOWN = frozenset(
    {
        "12345",
        "123456",
        "12345678",
        "123456789",
        "1234567890",
        "admin",
        "administrator",
        "beowulf",
        "changeme",
        "chaos",
        "cluster",
        "colinux",
        "comosix",
        "cosmos",
        "default",
        "guest",
        "letmein",
        "linux",
        "master",
        "mosix",
        "node",
        "openmosix",
        "pass",
        "passw0rd",
        "password",
        "psk",
        "qwerty",
        "root",
        "secret",
        "system",
        "test",
        "testing",
        "toor",
        "user",
    }
)


def password(value: str, pool: str = "") -> str:
    """Return why a password is no secret; empty if nothing is known against it."""
    return _known(value, pool) or _short(value, LEAST_SIGNS, "signs")


def key(value: str, pool: str = "") -> str:
    """Return why a pre-shared key is no secret; empty if nothing is known against it."""
    if value.startswith("0x"):
        return _short(bytes.fromhex(value[2:].replace("_", "")), LEAST_KEY_BYTES, "bytes")
    if value.startswith("0s"):
        return _short(base64.b64decode(value[2:]), LEAST_KEY_BYTES, "bytes")
    return _known(value, pool) or _short(value, LEAST_KEY_BYTES, "signs")


def _known(value: str, pool: str) -> str:
    plain = value.strip().lower().rstrip("!.0123456789") or value.strip()
    if plain in _KNOWN or value.strip().lower() in _KNOWN:
        return "a default that everybody knows"
    if pool and plain == pool.lower():
        return "the pool's own name"
    return ""


def _short(value: str | bytes, least: int, what: str) -> str:
    if len(value) < least:
        return f"shorter than {least} {what}"
    if len(set(value)) < _FEW:
        return f"of fewer than {_FEW} different {what}"
    return ""
