# SPDX-License-Identifier: GPL-3.0-or-later
"""A STAND-IN for msiexec on the lab's desktop: the first runs end as a test asks, later ones are Wine's own.

Wine's msiexec is never busy (1618). `answers.json` beside this holds the
codes; with one a text may come that goes to the log. (Windows writes UTF-16 there; Wine's `type` would stop
at the first zero byte of it.)
"""

import ctypes
import json
import pathlib
import re
import subprocess
import sys

REAL = r"C:\of-wine\msiexec.exe"
ANSWERS = pathlib.Path(__file__).with_name("answers.json")


def main():
    get = ctypes.windll.kernel32.GetCommandLineW
    get.restype = ctypes.c_wchar_p
    line = get().partition("desktop_programs.msiexec")[2]
    left = json.loads(ANSWERS.read_text()) if ANSWERS.exists() else []
    if not left:
        return subprocess.run(f'"{REAL}"{line}').returncode
    (code, text), left = left[0], left[1:]
    ANSWERS.write_text(json.dumps(left))
    log = re.search(r'/l\*v "?([^"]+?\.log)', line)
    if log:
        told = f"msiexec: a stand-in of Eyrie's lab\r\n{text}\r\n"
        pathlib.Path(log[1]).write_text(told, encoding="ascii")
    return code


if __name__ == "__main__":
    sys.exit(main())
