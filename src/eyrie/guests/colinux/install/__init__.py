# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs, runs and removes coLinux on a desktop of plain cmd.exe: read, plan, apply.

`release_set` is what the operator has, `look` reads a desktop in one line, `plan` decides and does no I/O,
`carry` does the steps. `tap` and `winpcap` are the two drivers beside. Nobody ran any of it on Microsoft's
Windows.
"""

from eyrie.guests.colinux.install.carry import Carrier
from eyrie.guests.colinux.install.look import look_line, parse
from eyrie.guests.colinux.install.model import Present, Step, Wanted
from eyrie.guests.colinux.install.plan import absent, present

__all__ = ["Carrier", "Present", "Step", "Wanted", "absent", "look_line", "parse", "present"]
