# SPDX-License-Identifier: GPL-3.0-or-later
"""HTCondor's tokens: is the one a desktop has still the one it should have, and which are revoked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from typing import TYPE_CHECKING, Any

from eyrie.errors import EyrieError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCRAMBLE = b"\xde\xad\xbe\xef"
CLOCK_SLACK_SECONDS = 300
"""A token issued further in the future than this comes from a clock that was wrong."""


@dataclass(frozen=True)
class Revocation:
    """Tokens of one desktop that are no longer accepted: all, or those issued before a moment (Unix time)."""

    desktop: str
    issued_before: int | None = None

    def covers(self, identity: str, issued_at: float) -> bool:
        """Tell whether a token falls under this revocation."""
        desktop, _, _pool = identity.partition("@")
        return desktop == f"desktop-{self.desktop}" and (
            self.issued_before is None or issued_at < self.issued_before
        )


@dataclass(frozen=True)
class WantedToken:
    """What a desktop's token has to be."""

    issuer: str
    identity: str
    scopes: frozenset[str]
    lifetime_seconds: int
    signing_key: str
    revocations: tuple[Revocation, ...] = ()


@dataclass(frozen=True)
class Token:
    """A decoded token; `signed` is the text under its signature."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def scopes(self) -> frozenset[str]:
        """The authority it is limited to; without any it has all that its identity has."""
        words = str(self.claims.get("scope", "")).split()
        return frozenset(word.removeprefix("condor:/") for word in words)


def decode(text: str) -> Token | None:
    """Decode a JWT without judging it; None when it is none."""
    parts = text.strip().split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(_unpack(part)) for part in parts[:2])
        signature = _unpack(parts[2])
    except (ValueError, binascii.Error):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return Token(header, claims, ".".join(parts[:2]).encode(), signature)


def renewal_reason(text: str, wanted: WantedToken, now: float) -> str:
    """Say why a desktop needs a new token; the empty string says that it does not."""
    if not text.strip():
        return "token is missing"
    token = decode(text)
    if token is None:
        return "token is malformed"
    return _other(token, wanted) or _outlived(token, wanted, now)


def _other(token: Token, wanted: WantedToken) -> str:
    claims = token.claims
    if claims.get("iss") != wanted.issuer:
        return f"token was issued by pool {claims.get('iss')!r}"
    if claims.get("sub") != wanted.identity:
        return f"token belongs to {claims.get('sub')!r}"
    if token.scopes != wanted.scopes:
        return "token allows something else"
    if token.header.get("kid") != "POOL" or not _signed_with(wanted.signing_key, token):
        return "token was signed with another key"
    return ""


def _outlived(token: Token, wanted: WantedToken, now: float) -> str:
    issued, expires = token.claims.get("iat"), token.claims.get("exp")
    if not isinstance(issued, int | float) or not isinstance(expires, int | float):
        return "token has no end"
    if issued > now + CLOCK_SLACK_SECONDS:
        return "token was issued in the future"
    if any(each.covers(wanted.identity, issued) for each in wanted.revocations):
        return "token is revoked"
    if abs(expires - issued - wanted.lifetime_seconds) > 1:
        return "token has another lifetime"
    if expires - now < (expires - issued) / 3:
        return "token has less than a third of its life left"
    return ""


def _signed_with(key: str, token: Token) -> bool:
    return hmac.compare_digest(
        hmac.digest(signing_secret(key), token.signed, hashlib.sha256), token.signature
    )


def signing_secret(key: str) -> bytes:
    """Derive what HTCondor signs with from the content of the pool's key file (seen with 23.9.6).

    The file is unscrambled with 0xDEADBEEF, doubled (as a pool password would be) and put through
    HKDF-SHA256.
    """
    plain = bytes(byte ^ mask for byte, mask in zip(key.encode(), cycle(SCRAMBLE), strict=False))
    extracted = hmac.digest(b"htcondor", plain * 2, hashlib.sha256)
    return hmac.digest(extracted, b"master jwt\x01", hashlib.sha256)


def _unpack(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def revocations(entries: Iterable[Mapping[str, Any]]) -> tuple[Revocation, ...]:
    """Read the variable `htcondor_revoked_tokens`."""
    return tuple(
        Revocation(str(entry["desktop"]), _moment(entry.get("issued_before"), str(entry["desktop"])))
        for entry in entries
    )


def _moment(value: object, desktop: str) -> int | None:
    """Take the moment as YAML hands it over: text, or what its parser made of an unquoted timestamp."""
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise EyrieError(
            f"htcondor_revoked_tokens, desktop {desktop}, issued_before",
            seen=value,
            wanted="a date and time such as 2026-11-21T10:00:00Z",
            next_step="correct it in the inventory",
        ) from None
    # YAML's own timestamps come without a zone once they are converted to UTC.
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def revocation_expression(revoked: Iterable[Revocation], pool: str) -> str:
    """Write the ClassAd expression over a token's claims that HTCondor refuses tokens by."""
    terms = [
        f'sub =?= "desktop-{each.desktop}@{pool}"'
        + ("" if each.issued_before is None else f" && iat < {each.issued_before}")
        for each in revoked
    ]
    return " || ".join(f"({term})" for term in terms) or "false"
