# SPDX-License-Identifier: GPL-3.0-or-later
"""What Eyrie knows of running openMosix nodes: read, plan a table's change, drain, compare."""
