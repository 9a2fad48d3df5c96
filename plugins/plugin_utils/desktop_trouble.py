# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what libraries raise on the way to a desktop into Ansible's errors, with the trouble's name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible_collections.eyrie.pool.plugins.plugin_utils.cmd_shell import FAILURES, fault_codes
from winrm.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError

from eyrie.errors import EyrieError
from eyrie.windows.faults import Sight, Trouble, explain

LOST = frozenset(
    {
        Trouble.CONNECTION_LOST,
        Trouble.TIMED_OUT,
        Trouble.SERVICE_OFF,
        Trouble.UNREACHABLE,
        Trouble.SHELL_GONE,
    }
)
"""Troubles that make a desktop unreachable even after a command was started."""


@contextlib.contextmanager
def named(sight: Callable[..., Sight], *, started: bool) -> Iterator[None]:
    """Name what goes wrong inside; `sight` adds what is known of the connection."""
    try:
        yield
    except (*FAILURES, AnsibleConnectionFailure) as error:
        status = error.code if isinstance(error, WinRMTransportError | WSManFaultError) else None
        trouble = explain(
            sight(
                status=401 if isinstance(error, AuthenticationError) else status,
                fault_codes=fault_codes(error),
                text=error.reason if isinstance(error, WSManFaultError) else str(error),
                started=started,
            )
        )
        if trouble.trouble is Trouble.WRONG_PASSWORD:
            raise AnsibleAuthenticationFailure(str(trouble)) from None
        if not started or trouble.trouble in LOST:
            raise AnsibleConnectionFailure(str(trouble)) from None
        raise AnsibleError(str(trouble)) from None


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Hand our own errors to Ansible."""
    try:
        yield
    except EyrieError as error:
        raise AnsibleError(str(error)) from None
