# SPDX-License-Identifier: GPL-3.0-or-later
"""openMosix nodes that are virtual machines of a master: what each is, and the files its root image gets."""
