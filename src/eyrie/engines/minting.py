# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes desktops' tokens on the control side: same claims, same signature as HTCondor's own.

A desktop proves which token it has without telling it: it tells what was signed and the token's hash. Whoever
holds the key signs that again, and has the token if the hash agrees.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable

from eyrie.engines.tokens import WantedToken, signing_secret


def mint(wanted: WantedToken, now: float, unique: Callable[[], str] = lambda: secrets.token_hex(16)) -> str:
    """Make a token as condor_token_create does (23.9.6)."""
    claims = {
        "exp": int(now) + wanted.lifetime_seconds,
        "iat": int(now),
        "iss": wanted.issuer,
        "jti": unique(),
        "scope": " ".join(f"condor:/{scope}" for scope in sorted(wanted.scopes)),
        "sub": wanted.identity,
    }
    parts = ({"alg": "HS256", "kid": "POOL"}, claims)
    return _signed(
        ".".join(_packed(json.dumps(part, separators=(",", ":")).encode()) for part in parts), wanted
    )


def proven(signed: str, sha256: str, wanted: WantedToken) -> str:
    """Return the token that a desktop has, empty if it is not one that this key signed."""
    if not signed or not signed.isascii():
        return ""
    token = _signed(signed, wanted)
    return token if hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), sha256) else ""


def _signed(text: str, wanted: WantedToken) -> str:
    signature = hmac.digest(signing_secret(wanted.signing_key), text.encode(), hashlib.sha256)
    return f"{text}.{_packed(signature)}"


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
