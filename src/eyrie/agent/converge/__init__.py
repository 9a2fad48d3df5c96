# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a desktop to a declarative spec: read, plan (pure), apply; old or new, never neither."""
