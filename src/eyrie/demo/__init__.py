# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration job: one animation, a frame a job, rendered by whichever desktops are idle."""
