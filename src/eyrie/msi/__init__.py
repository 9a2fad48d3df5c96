# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as an MSI, built on Linux: its content is generated purely, wixl and msitools do the rest."""
