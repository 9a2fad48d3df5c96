# SPDX-License-Identifier: GPL-3.0-or-later
"""One Ethernet for guests that must reach one another, carried over TLS from QEMU to a hub on a master.

`frames`, `guard` and `switch` decide and do nothing else; `server`, `tap` and `carrier` are the edges. The
desktop's side (`frames`, `greeting`, `tls`, `tls_link`, `carrier`) runs on the desktops' Python, 3.8 and up.
"""
