# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pool proves itself by: an authority of its own, and certificates that it signs."""
