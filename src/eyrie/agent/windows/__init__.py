# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's edges on Windows: the documented API by ctypes, so nothing has to be compiled."""
