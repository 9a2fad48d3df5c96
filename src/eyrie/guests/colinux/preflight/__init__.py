# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a 32-bit Windows desktop can run a coLinux guest, asked in one round trip of cmd.exe.

`script` asks, `answer` reads, `judge` decides; all are pure. Nobody ran this on Microsoft's Windows yet: what
programs of Windows XP to 7 print is written down from their documentation.
"""

from eyrie.guests.colinux.preflight.answer import parse
from eyrie.guests.colinux.preflight.judge import judge
from eyrie.guests.colinux.preflight.model import TRAPS, Refusal, Verdict, Wanted
from eyrie.guests.colinux.preflight.script import line

__all__ = ["TRAPS", "Refusal", "Verdict", "Wanted", "judge", "line", "parse"]
