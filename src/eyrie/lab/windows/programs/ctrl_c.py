# SPDX-License-Identifier: GPL-3.0-or-later
"""Press Ctrl+C on the console of the process with the number given."""

from __future__ import annotations

import sys

from .win32 import press_ctrl_c

if __name__ == "__main__":
    press_ctrl_c(int(sys.argv[1]))
