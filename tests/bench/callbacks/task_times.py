# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes how long each task took on each host, as lines of JSON, to the file that EYRIE_TASK_TIMES names."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_times
type: notification
short_description: Time tasks for a bench
description: Writes a line for each result.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """From a task's start on a host to its result, the worker's own start included."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._started: dict[tuple[str, str], float] = {}

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._started[host.get_name(), task._uuid] = time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._tell(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._tell(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._tell(result, "unreachable")

    def _tell(self, result: Any, end: str) -> None:
        told = result.result if hasattr(result, "result") else result._result
        host, task = result.host.get_name(), result.task
        line = {
            "task": task.get_name(),
            "host": host,
            "end": end,
            "seconds": time.monotonic() - self._started[host, task._uuid],
            "changed": bool(told.get("changed")),
            "round_trips": told.get("round_trips", 0),
            "msg": str(told.get("msg", "")),
        }
        with open(os.environ["EYRIE_TASK_TIMES"], "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(json.dumps(line) + "\n")
