# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches a file by https from the pool's depot: trusted by the spec's authority alone, known by its hash."""

from __future__ import annotations

import hashlib
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from eyrie.agent.converge.manifest import CHUNK
from eyrie.agent.converge.spec import Item
from eyrie.errors import EyrieError

SECONDS = 30.0  # without a byte


def context(ca: str) -> ssl.SSLContext:
    """Return what a server has to prove: a certificate of this authority; the system's if there is none."""
    try:
        made = ssl.create_default_context(cadata=ca or None)
    except ssl.SSLError as error:
        raise EyrieError("spec: ca", seen=str(error), wanted="certificates as PEM") from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def fetch(item: Item, ca: str, part: Path) -> None:
    """Have the item's file at `part`, resuming what an earlier run left there; raises EyrieError."""
    have = _length(part)
    if have > item.size:
        part.unlink()
        have = 0
    try:
        if have < item.size:
            _load(item, ca, part, have)
    except (OSError, ValueError) as error:  # URLError and ssl's errors are OSErrors
        raise _failed(item, error) from None
    _check(item, part)


def _load(item: Item, ca: str, part: Path, have: int) -> None:
    request = urllib.request.Request(item.url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - https, see spec
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context(ca)), _NoRedirect()
    )
    with opener.open(request, timeout=SECONDS) as answer:
        # 206: the server goes on where we stopped; 200: it begins again.
        resumed = answer.status == 206
        with part.open("ab" if resumed else "wb") as stream:
            _copy(answer, stream, item.size - (have if resumed else 0))
            stream.flush()
            os.fsync(stream.fileno())


def _copy(answer: Any, stream: Any, most: int) -> None:
    """Copy at most one byte more than wanted: a server that sends without end fills no disk."""
    left = most + 1
    while left > 0:
        chunk = answer.read(min(CHUNK, left))
        if not chunk:
            return
        stream.write(chunk)
        left -= len(chunk)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection could lead from https to http."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """Refuse."""
        raise urllib.error.URLError("redirected elsewhere")


def _check(item: Item, part: Path) -> None:
    size = _length(part)
    if size < item.size:
        raise EyrieError(
            f"item {item.name} from {item.url}",
            seen=f"{size} bytes",
            wanted=f"{item.size} bytes",
            next_step="run site.yml again, which goes on where this stopped",
        )
    seen = hashlib.sha256()
    with part.open("rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            seen.update(chunk)
    if size != item.size or seen.hexdigest() != item.sha256:
        part.unlink()
        raise EyrieError(
            f"item {item.name} from {item.url}",
            seen=f"SHA-256 {seen.hexdigest()} of {size} bytes",
            wanted=f"{item.sha256} of {item.size} bytes",
            next_step="run site.yml, which publishes it anew; nothing of it was installed",
        )


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _failed(item: Item, error: Exception) -> EyrieError:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return EyrieError(
            f"item {item.name} from {item.url}",
            seen=reason.verify_message or "a certificate that cannot be verified",
            wanted="a certificate of the pool's authority that is in its time",
            next_step="check this desktop's clock; run site.yml, which renews the depot's certificate",
        )
    return EyrieError(
        f"item {item.name} from {item.url}",
        seen=str(reason),
        wanted="the file",
        next_step="check that this desktop reaches the depot, then run site.yml again",
    )
