# SPDX-License-Identifier: GPL-3.0-or-later
"""What owners and administrators are told to run, in the words of their own system."""

from __future__ import annotations

import os

WINDOWS = os.name == "nt"
_AGENT = r'"%ProgramFiles%\Eyrie\python\python.exe" -B "%ProgramFiles%\Eyrie\agent.pyz"'

ROOT = "an administrator" if WINDOWS else "root"
START = "sc start EyrieAgent" if WINDOWS else "systemctl start eyrie-agent"
STOP = "sc stop EyrieAgent" if WINDOWS else "systemctl stop eyrie-agent"
RELOAD = "sc control EyrieAgent paramchange" if WINDOWS else "systemctl reload eyrie-agent"
RESUME = f"{_AGENT} resume" if WINDOWS else "eyrie agent resume"
LOG = (
    r"the file %ProgramData%\Eyrie\log\agent.log, as an administrator"
    if WINDOWS
    else "`journalctl -u eyrie-agent`"
)
