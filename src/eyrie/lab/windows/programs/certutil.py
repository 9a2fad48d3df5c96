# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for certutil: `-hashfile FILE [ALGORITHM]` and `-decode`, with the output of Windows 10."""

from __future__ import annotations

import base64
import binascii
import hashlib
import sys

from .stand_in import introduce, say

ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")
NOT_FOUND = 0x80070002
BAD_ARGUMENT = 0x80070057


def main(argv: list[str]) -> int:
    """Print the hash as Windows does."""
    if introduce("certutil", "can only -hashfile and -decode", argv):
        return 0
    words = [word for word in argv if word.lower() != "-f"]
    if words[0].lower() in ("-decode", "/decode") and len(words) == 3:
        return _decode(words[1], words[2], over=len(words) < len(argv))
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


def _decode(source: str, target: str, *, over: bool) -> int:
    """Decode base64; an old file is written over with -f alone."""
    try:
        with open(source, "rb") as stream:  # noqa: PTH123 # the user's own spelling of the path
            data = base64.b64decode(b"".join(stream.read().split()), validate=True)
        with open(target, "wb" if over else "xb") as stream:  # noqa: PTH123
            stream.write(data)
    except FileExistsError:
        return _failed(" -decode", 0x80070050, "80 ERROR_FILE_EXISTS", "The file exists.")
    except OSError:
        return _failed(
            " -decode", NOT_FOUND, "2 ERROR_FILE_NOT_FOUND", "The system cannot find the file specified."
        )
    except binascii.Error:
        return _failed(" -decode", 0x8007000D, "13 ERROR_INVALID_DATA", "The data is invalid.")
    say(f"Output Length = {len(data)}")
    say("CertUtil: -decode command completed successfully.")
    return 0


def _failed(command: str, code: int, name: str, text: str) -> int:
    say(f"CertUtil:{command} command FAILED: 0x{code:08x} (WIN32: {name})")
    say(f"CertUtil: {text}")
    return code - (1 << 32)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
