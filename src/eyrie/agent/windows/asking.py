# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the agent of this desktop through its named pipe; the side that answers needs much more."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from eyrie.agent import hints
from eyrie.agent.windows import pipes
from eyrie.agent.windows.api import code
from eyrie.errors import EyrieError

PIPE = r"\\.\pipe\eyrie-agent"
ANSWER = 1 << 20  # bytes, at most


def ask(path: Path, command: str, timeout: float = 5.0) -> dict[str, Any]:
    """Put one question to the agent of this desktop; raises EyrieError."""
    try:
        pipe = pipes.call(str(path), pipes.READ | pipes.WRITE, timeout)
    except OSError as error:
        if code(error) == pipes.NOT_FOUND:
            raise EyrieError(
                "the agent is not running on this desktop, so it cannot be in the pool",
                next_step=f"start it with `{hints.START}` (nobody answers at {path})",
            ) from error
        raise _silent(error) from error
    try:
        pipe.write(json.dumps({"command": command}).encode() + b"\n", timeout)
        answer = json.loads(read_line(pipe, timeout, ANSWER))
    except (OSError, ValueError) as error:
        raise _silent(error) from error
    finally:
        pipe.close()
    if "error" in answer:
        raise EyrieError(str(answer["error"]))
    return dict(answer)


def _silent(error: Exception) -> EyrieError:
    return EyrieError("the agent does not answer", seen=str(error), next_step=f"see {hints.LOG}")


def read_line(pipe: pipes.Pipe, seconds: float, most: int) -> bytes:
    """Return what came up to the end of a line, of the pipe, or of what is allowed."""
    data, until = b"", time.monotonic() + seconds
    while not data.endswith(b"\n") and len(data) <= most:
        more = pipe.read(max(0.0, until - time.monotonic()))
        if not more:
            break
        data += more
    return data
