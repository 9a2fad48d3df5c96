# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control side does with a Windows desktop: look, plan (pure), install, converge, remove."""
