# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests on Windows desktops: QEMU in a job object, under a token that may nearly nothing."""
