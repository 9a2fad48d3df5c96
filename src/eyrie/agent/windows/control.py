# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner's questions through a named pipe: JSON lines as on Linux; Windows says who asks."""

from __future__ import annotations

import ctypes
import queue
import threading
from typing import Iterable

from eyrie.agent import hints
from eyrie.agent.control import LINE, PATIENCE, reply
from eyrie.agent.edges import Handler
from eyrie.agent.log import WARNING, log
from eyrie.agent.windows import accounts, pipes
from eyrie.agent.windows.api import BOOL, DWORD, HANDLE, POINTER, Function, code, never
from eyrie.agent.windows.asking import read_line
from eyrie.agent.windows.kernel import close_handle, create_event, current_thread, set_event
from eyrie.agent.windows.mailbox import Mailbox
from eyrie.agent.windows.security import READ_AND_WRITE
from eyrie.errors import EyrieError

# Whoever logged on here may ask and pause, nobody who came by the network; only the agent may offer the pipe.
# Administrators come first: one in a WinRM shell counts as of the network, though the caller is local.
RIGHTS = f"D:P(A;;GA;;;SY)(A;;GA;;;BA)(D;;GA;;;NU)(A;;{READ_AND_WRITE};;;AU)"
MOST = 16

_impersonate = Function("advapi32", "ImpersonateNamedPipeClient", BOOL, HANDLE)
_revert = Function("advapi32", "RevertToSelf", BOOL, fails=never)
_thread_token = Function("advapi32", "OpenThreadToken", BOOL, HANDLE, DWORD, BOOL, POINTER)


class PipeServer:
    """Threads talk to the callers; every question is answered by the loop's own thread."""

    def __init__(self, name: str, handle: Handler) -> None:
        self._name, self._handle = name, handle
        self._asked: queue.Queue[tuple[bytes, str, queue.Queue[bytes]]] = queue.Queue()
        self._mail = Mailbox()
        self._stop: int = create_event(None, True, False, None)
        self._slots = threading.Semaphore(MOST)
        try:
            first = self._offer(first=True)
        except OSError as error:
            raise EyrieError(
                f"the pipe {name}", seen=str(error), wanted="a name nobody else uses", next_step=hints.STOP
            ) from error
        self._listener = threading.Thread(target=self._listen, args=(first,), daemon=True)
        self._listener.start()

    def _offer(self, first: bool = False) -> pipes.Pipe:
        return pipes.listen(self._name, RIGHTS, self._stop, first, both_ways=True)

    def _listen(self, pipe: pipes.Pipe) -> None:
        """Take callers until told to stop; the next instance is there before the caller is served."""
        while True:
            try:
                pipe.wait_for_client()
                self._slots.acquire()
                caller, pipe = pipe, self._offer()
            except pipes.Stopped:
                pipe.close()
                return
            except OSError as error:
                if code(error) == pipes.NO_DATA:  # it came and went
                    pipe.close()
                    pipe = self._offer()
                    continue
                log(f"nobody can ask the agent any more: {error}", WARNING)
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, pipe: pipes.Pipe) -> None:
        try:
            data = read_line(pipe, PATIENCE, LINE)
            answer: queue.Queue[bytes] = queue.Queue()
            self._asked.put((data, caller_of(pipe), answer))
            self._mail.put("asked")
            pipe.write(answer.get(timeout=PATIENCE), PATIENCE)
            pipe.read(PATIENCE)  # until the caller hangs up, else it could lose the end of the answer
        except (OSError, queue.Empty, pipes.Stopped):
            return  # whoever does not speak or listen gets no answer
        finally:
            pipe.close()
            self._slots.release()

    def filenos(self) -> Iterable[int]:
        """Return what wakes the loop for a question."""
        return (self._mail.fileno(),)

    def ready(self, _fileno: int, _now: float) -> None:
        """Answer what was asked."""
        self._mail.take()
        while True:
            try:
                data, who, answer = self._asked.get_nowait()
            except queue.Empty:
                return
            answer.put(reply(self._handle, data, who))

    def expire(self, _now: float) -> None:
        """Do nothing: the threads have their own patience."""

    def close(self) -> None:
        """Stop answering."""
        set_event(self._stop)
        self._listener.join(PATIENCE)
        self._mail.close()


def caller_of(pipe: pipes.Pipe) -> str:
    """Return who is at the other end; an administrator's rights, where held, count before the name."""
    _impersonate(pipe.handle)
    token = POINTER()
    try:
        _thread_token(current_thread(), accounts.TOKEN_QUERY, True, ctypes.byref(token))
    finally:
        _revert()
    try:
        if accounts.token_is_administrator(token.value or 0):
            return accounts.ADMINISTRATORS
        return accounts.token_user(token.value or 0)
    finally:
        close_handle(token)
