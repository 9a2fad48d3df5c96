# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a play of the bench's own with the real Ansible, and tells how long its tasks took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eyrie.errors import EyrieError

ROOT = Path(__file__).parents[2]
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@dataclass(frozen=True)
class Times:
    """One run: the whole command, and each task on each host."""

    seconds: float
    tasks: tuple[dict[str, Any], ...]

    def all_unchanged(self, count: int) -> None:
        """Refuse a run that did not do what is measured."""
        odd = [each for each in self.tasks if each["changed"]]
        if odd or len(self.tasks) != count:
            raise EyrieError(
                "play of the bench",
                seen=f"{len(self.tasks)} results, {len(odd)} of them changed {odd[:1]}",
                wanted=f"{count} results, all unchanged",
                next_step="nothing was measured",
            )


def play(folder: Path, inventory: Path, name: str, tasks: list[dict[str, Any]], **variables: str) -> Times:
    """Run tasks on the Windows desktops of an inventory."""
    file, log = folder / f"{name}.yml", folder / f"{name}.jsonl"
    log.unlink(missing_ok=True)
    file.write_text(json.dumps([{"hosts": "windows_desktops", "gather_facts": False, "tasks": tasks}]))
    own = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_times",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
        "ANSIBLE_NOCOLOR": "1",
        "EYRIE_TASK_TIMES": str(log),
    }
    others = {name: value for name, value in os.environ.items() if name not in PROXIES}
    words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(file)]
    start = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env={**others, **own, **variables}, capture_output=True, text=True)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-1500:]
        raise EyrieError(f"play {name} of the bench", seen=said, wanted="exit status 0", next_step="read it")
    return Times(seconds, tuple(json.loads(line) for line in log.read_text().splitlines()))
