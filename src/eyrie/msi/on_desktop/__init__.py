# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer's own steps on the desktop: the MSI runs them with the Python it brings (3.8 and up).

`%ProgramFiles%\\Eyrie\\versions\\RELEASE` holds a release; the service names its files there. The paths
that people and playbooks use, `python` and `agent.pyz` in `%ProgramFiles%\\Eyrie`, are copies of the
release adopted last.
"""
