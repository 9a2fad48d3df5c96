# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake openMosix node: what a genuine one shows over ssh and on the wire, acted out without its kernel.

Processes never really move: their bookkeeping does (`where`, `nmigs`, the peer's `remote`). Peers, node
numbers, blocking, expelling and bringing home follow what genuine nodes of 2.4.26-om were seen to do.
"""
