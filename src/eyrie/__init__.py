# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyrie turns an office's idle desktops and dedicated servers into one compute pool."""

__version__ = "0.1.0"
