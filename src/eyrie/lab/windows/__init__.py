# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows desktop of the lab: a Wine prefix with the real Windows Python, behind a WS-Management endpoint.

machine (a process of the lab, in the host's namespace) -> nspawn -> Wine -> programs.broker, on Windows' side
        \\-> eyrie.lab.wsman.server -> runner -> that broker
"""
