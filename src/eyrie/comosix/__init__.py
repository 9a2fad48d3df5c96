# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites of coMosix and CosMos: their site file and their pre-shared keys, for an inventory of a pool."""
