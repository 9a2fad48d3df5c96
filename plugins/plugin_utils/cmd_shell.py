# SPDX-License-Identifier: GPL-3.0-or-later
"""A cmd.exe shell over pywinrm: runs lines, streams input, collects output, keeps within the quotas."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import requests.exceptions
from winrm.exceptions import WinRMError, WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError
from winrm.protocol import Protocol

from eyrie.windows import codes, quoting

CHUNK = 96 * 1024
"""Bytes of standard input in one message: with base64 and envelope below the 150 KiB that WinRM 2.0 takes."""


def _of_credssp() -> tuple[type[Exception], ...]:
    """CredSSP's library is an extra, and its errors have no common ancestor."""
    try:
        from requests_credssp import exceptions as credssp
    except ImportError:
        return ()
    return (
        credssp.AuthenticationException,
        credssp.InvalidConfigurationException,
        credssp.NTStatusException,
    )


FAILURES = (
    WinRMError,
    WinRMTransportError,
    WinRMOperationTimeoutError,
    requests.exceptions.RequestException,
    OSError,
    *_of_credssp(),
)
"""All that pywinrm raises where the other end or the wire is at fault."""

Chunks = Iterable[tuple[bytes, bool]]
T = TypeVar("T")


def chunked(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces of input with the word whether each is the last; the end is said on its own."""
    for piece in pieces:
        for start in range(0, len(piece), CHUNK):
            yield piece[start : start + CHUNK], False
    yield b"", True


def fault_codes(error: BaseException) -> frozenset[int]:
    """Return a fault's codes: up to Windows 7 a WSManFault's, later an MSFT_WmiError's."""
    if not isinstance(error, WSManFaultError):
        return frozenset()
    return frozenset(code for code in (error.wsman_fault_code, error.wmierror_code) if code)


class CmdShell:
    """One shell on one desktop."""

    def __init__(self, protocol: Protocol, codepage: int, say: Callable[[str], None]) -> None:
        self._protocol = protocol
        self._codepage = codepage
        self._say = say
        self._id = ""

    def open(self) -> None:
        """Open the shell, which proves that the desktop can be used."""
        self._id = self._protocol.open_shell(codepage=self._codepage)

    def close(self) -> None:
        """Give the shell back. A desktop that is gone by now is no error."""
        if self._id:
            self._quietly(lambda: self._again(lambda: self._protocol.close_shell(self._id)))
        self._id = ""

    def run(self, line: str, pieces: Iterable[bytes] | None = None) -> tuple[int, bytes, bytes]:
        """Run a line as typed at the prompt: exit code, standard output and error.

        Without input the program has a console that nobody types at.
        """
        self._say(f"CMD {line}")
        command_id = self._start(quoting.for_slash_c(line), console=pieces is None)
        try:
            if pieces is not None:
                self._feed(command_id, chunked(pieces))
            ended = self._collect(command_id)
        except BaseException:
            # A timeout of the task leaves half an answer on the wire, and a program that runs on.
            self._quietly(lambda: self._abandon(command_id))
            raise
        self._quietly(lambda: self._again(lambda: self._protocol.cleanup_command(self._id, command_id)))
        self._say(f"CMD ended with {ended[0]}")
        return ended

    def _start(self, line: str, *, console: bool) -> str:
        def ask() -> str:
            return self._protocol.run_command(self._id, line, console_mode_stdin=console)

        try:
            return self._again(ask)
        except WSManFaultError as fault:
            if not fault_codes(fault) & (codes.TOO_MANY_OPERATIONS | {codes.SHELL_NOT_FOUND}):
                raise
        # The command was not started. A shell never gives operations back, but a new one begins at nought.
        self._say("the shell is used up or gone: opening another")
        self._quietly(lambda: self._protocol.close_shell(self._id, close_session=False))
        self.open()
        return ask()

    def _feed(self, command_id: str, chunks: Chunks) -> None:
        for data, last in chunks:
            if not self._send(command_id, data, last):
                return

    def _send(self, command_id: str, data: bytes, last: bool) -> bool:
        """Send a chunk; False if the program takes no more, whose exit code then tells why."""
        for delay in (1, 5, 15, 30, 0):
            try:
                self._again(lambda: self._protocol.send_command_input(self._id, command_id, data, last))
                return True
            except WinRMOperationTimeoutError:
                # Windows has the data and hands it over once the program reads on; again would be twice.
                return True
            except WSManFaultError as fault:
                seen = fault_codes(fault)
                if seen & codes.INPUT_CLOSED:
                    return False
                if codes.BUSY not in seen or not delay:
                    raise
                time.sleep(delay)
        return False

    def _collect(self, command_id: str) -> tuple[int, bytes, bytes]:
        stdout, stderr = [], []
        while True:
            # No output within the operation's time is no reason to stop waiting.
            with contextlib.suppress(WinRMOperationTimeoutError):
                out, err, code, done = self._again(
                    lambda: self._protocol.get_command_output_raw(self._id, command_id)
                )
                stdout.append(out)
                stderr.append(err)
                if done:
                    return code, b"".join(stdout), b"".join(stderr)

    def _abandon(self, command_id: str) -> None:
        self._forget_session()
        self._protocol.cleanup_command(self._id, command_id)

    def _again(self, ask: Callable[[], T]) -> T:
        """Ask; and again if the message was sealed for a connection that is no more: nothing was done."""
        try:
            return ask()
        except WinRMTransportError as error:
            if error.code != 400 or self._protocol.transport.encryption is None:
                raise
        self._forget_session()
        return ask()

    def _forget_session(self) -> None:
        self._protocol.transport.close_session()
        self._protocol.transport.encryption = None

    def _quietly(self, act: Callable[[], object]) -> None:
        """Tidy up; what is left behind times out with its shell."""
        try:
            act()
        # pywinrm asserts what a reply relates to.
        except (*FAILURES, AssertionError) as error:
            self._say(f"tidying up failed: {error}")
