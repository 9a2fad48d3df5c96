# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFilterError

from eyrie.engines import tokens
from eyrie.errors import EyrieError
from eyrie.inventory.variables import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def _revocations(entries: Sequence[Mapping[str, Any]]) -> tuple[tokens.Revocation, ...]:
    try:
        return tokens.revocations(entries)
    except EyrieError as error:
        raise AnsibleFilterError(str(error)) from error


def token_renewal(text: str, wanted: Mapping[str, Any]) -> str:
    """Say why a desktop needs a new token; the empty string says that it does not."""
    plan = tokens.WantedToken(
        issuer=wanted["issuer"],
        identity=wanted["identity"],
        scopes=frozenset(wanted["scopes"]),
        lifetime_seconds=int(wanted["lifetime_seconds"]),
        signing_key=wanted["signing_key"],
        revocations=_revocations(wanted["revoked"]),
    )
    return tokens.renewal_reason(text, plan, time.time())


def token_revocations(entries: Sequence[Mapping[str, Any]], pool: str) -> str:
    """Write the expression by which HTCondor refuses revoked tokens."""
    return tokens.revocation_expression(_revocations(entries), pool)


def variable_faults(values: Mapping[str, Any]) -> list[str]:
    """List what is wrong with the values of roles' variables, a sentence each."""
    return [str(fault) for fault in faults(values)]


class FilterModule:
    """What the role htcondor needs of the core."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "token_renewal": token_renewal,
            "token_revocations": token_revocations,
            "variable_faults": variable_faults,
        }
