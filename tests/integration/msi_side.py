# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs programs on the Windows side for tests of the MSI: a line of JSON in, a line out; true exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

for line in sys.stdin:
    wanted = json.loads(line)
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(wanted["argv"], **pipes)
    answer = {"code": None, "out": ""}
    if wanted["wait"]:
        out, _nothing = process.communicate()
        answer = {"code": process.returncode, "out": out.decode("utf-8", "replace")}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
