# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: an office in a box, of real parts, on one Linux machine."""

from eyrie.lab.lab import HostStatus, Lab

__all__ = ["HostStatus", "Lab"]
