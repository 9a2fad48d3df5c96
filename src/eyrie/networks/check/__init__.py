# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the planned network is what packets meet: one script asks, pure functions judge."""
