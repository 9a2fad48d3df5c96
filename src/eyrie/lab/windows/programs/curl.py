# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the curl of Windows 10 1803 and later: downloads one http(s) address, and no more."""

from __future__ import annotations

import shutil
import ssl
import sys
import urllib.error
import urllib.request
from typing import IO

from .stand_in import introduce

MALFORMED, RESOLVE, CONNECT, REFUSED, WRITE, TIMEOUT, CERTIFICATE, USAGE = 3, 6, 7, 22, 23, 28, 60, 2
FLAGS = ("f", "fail", "L", "location", "s", "silent", "S", "show-error", "ssl-no-revoke", "progress-bar", "#")
VALUES = ("o", "output", "cacert", "max-time", "m", "connect-timeout", "retry", "proto", "user-agent", "A")


class _BadUsage(ValueError):
    """What this stand-in does not know."""


def main(argv: list[str]) -> int:
    """Download; exit codes are curl's."""
    if introduce("curl", "only downloads", argv):
        return 0
    try:
        options, (address,) = parse(argv)
    except (_BadUsage, ValueError) as problem:
        return _failed(USAGE, f"a stand-in of Eyrie's lab: {problem}")
    if not address.lower().startswith(("http://", "https://")):
        return _failed(MALFORMED, "URL rejected: only http and https")
    timeout = float(options.get("max-time") or options.get("m") or options.get("connect-timeout") or 300)
    context = ssl.create_default_context(cafile=options.get("cacert"))
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(address, timeout=timeout) as answer:
            return _save(answer, options.get("o") or options.get("output"))
    except urllib.error.HTTPError as error:
        return _failed(REFUSED, f"The requested URL returned error: {error.code}")
    except urllib.error.URLError as error:
        return _unreachable(error.reason, address)
    except TimeoutError:
        return _failed(TIMEOUT, "Operation timed out")


def parse(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """Part options from addresses; `-fsSL` is four."""
    options: dict[str, str] = {}
    addresses, words = [], iter(argv)
    for word in words:
        names = [word[2:]] if word.startswith("--") else list(word[1:]) if word.startswith("-") else []
        if not names:
            addresses.append(word)
        for name in names:
            if name in VALUES:
                options[name] = next(words, "")
            elif name not in FLAGS:
                raise _BadUsage(f"option {word} is not known")
    if len(addresses) != 1:
        raise _BadUsage(f"{len(addresses)} addresses")
    return options, addresses


def _save(answer: IO[bytes], output: str | None) -> int:
    try:
        if output is None:
            shutil.copyfileobj(answer, sys.stdout.buffer)
            return 0
        with open(output, "wb") as target:  # noqa: PTH123 # a path of Windows
            shutil.copyfileobj(answer, target)
    except OSError as error:
        return _failed(WRITE, f"Failure writing output to destination: {error}")
    return 0


def _unreachable(reason: object, address: str) -> int:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return _failed(CERTIFICATE, f"SSL certificate problem: {reason.verify_message}")
    if isinstance(reason, TimeoutError):
        return _failed(TIMEOUT, "Connection timed out")
    text = str(reason)
    return _failed(RESOLVE if "getaddrinfo" in text else CONNECT, f"Failed to connect to {address}: {text}")


def _failed(code: int, text: str) -> int:
    sys.stderr.write(f"curl: ({code}) {text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
