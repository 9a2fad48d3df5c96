# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: the fast half takes its name seriously.

`./run fast` leaves out `integration` and `slow`. It takes half a minute on two cores, and is to come below
ten seconds: a test that starts whole programs (Ansible, a compiler, a collection build), or waits for more
than half a second, is marked `slow`, and what generates examples settles for fewer there. `./run test` and
CI try them all.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fast", max_examples=20)
