# SPDX-License-Identifier: GPL-3.0-or-later
"""What Eyrie knows of Windows: pure logic, no connection and no Ansible."""
