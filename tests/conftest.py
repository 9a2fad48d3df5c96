# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: the fast half takes its name seriously.

`./run fast` leaves out `integration` and `slow`, and is to stay below ten seconds on two cores: a test that
starts whole programs (Ansible, a compiler, a collection build, the making of RSA keys), or waits for more
than half a second, is marked `slow`, and what generates examples settles for fewer there. `./run test` and
CI try them all. A test that names its own `max_examples` would get as many in the fast half: none does.
"""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

# A loaded machine is no fault of the code: no test has a deadline of its own.
settings.register_profile("all", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=12)
settings.load_profile("all")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare the garbage collector what lives until the end anyway: modules and the tests themselves."""
    gc.freeze()
