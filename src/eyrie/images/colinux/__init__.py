# SPDX-License-Identifier: GPL-3.0-or-later
"""The root image of coLinux guests, made of one that the operator has; it is never mounted."""
