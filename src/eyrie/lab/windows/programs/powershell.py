# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for powershell: refuses, where Wine's own would exit 0 and do nothing."""

from __future__ import annotations

import sys

NOT_FOUND = 9009


def main() -> int:
    """Refuse."""
    sys.stderr.write("powershell: refused by a stand-in of Eyrie's lab, whose desktops have no PowerShell.\n")
    return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main())
