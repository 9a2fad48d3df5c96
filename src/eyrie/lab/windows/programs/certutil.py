# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for certutil: `-hashfile FILE [ALGORITHM]`, with the output of Windows 10."""

from __future__ import annotations

import hashlib
import sys

from .stand_in import introduce, say

ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")
NOT_FOUND = 0x80070002
BAD_ARGUMENT = 0x80070057


def main(argv: list[str]) -> int:
    """Print the hash as Windows does."""
    if introduce("certutil", "can only -hashfile", argv):
        return 0
    if argv[0].lower() not in ("-hashfile", "/hashfile") or not 2 <= len(argv) <= 3:
        return _failed("", BAD_ARGUMENT, "87 ERROR_INVALID_PARAMETER", "The parameter is incorrect.")
    name = (argv[2] if len(argv) > 2 else "sha1").lower()
    if name not in ALGORITHMS:
        return _failed(
            " -hashfile", BAD_ARGUMENT, "87 ERROR_INVALID_PARAMETER", "The parameter is incorrect."
        )
    try:
        with open(argv[1], "rb") as stream:  # noqa: PTH123 # the user's own spelling of the path
            digest = hashlib.new(name)
            for chunk in iter(lambda: stream.read(1 << 20), b""):
                digest.update(chunk)
    except OSError:
        return _failed(
            " -hashfile",
            NOT_FOUND,
            "2 ERROR_FILE_NOT_FOUND",
            "The system cannot find the file specified.",
        )
    say(f"{name.upper()} hash of {argv[1]}:")
    say(digest.hexdigest())
    say("CertUtil: -hashfile command completed successfully.")
    return 0


def _failed(command: str, code: int, name: str, text: str) -> int:
    say(f"CertUtil:{command} command FAILED: 0x{code:08x} (WIN32: {name})")
    say(f"CertUtil: {text}")
    return code - (1 << 32)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
