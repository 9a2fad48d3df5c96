# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service control manager calls the agent's service, its states and its controls."""

from __future__ import annotations

NAME = "EyrieAgent"
STOPPED, START_PENDING, STOP_PENDING, RUNNING = 1, 2, 3, 4
STOP, INTERROGATE, SHUTDOWN, PARAMCHANGE = 1, 4, 5, 6
POWEREVENT, SESSIONCHANGE, PRESHUTDOWN = 0xD, 0xE, 0xF
