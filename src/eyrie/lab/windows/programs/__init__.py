# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs inside the lab's Windows desktop, by the lab's own Windows Python: standard library only.

The desktop knows this package as `desktop_programs`. All but the broker are stand-ins for programs of Windows
that Wine lacks, or that exit 0 there and do nothing; each says so when asked for help (`/?`).
"""
