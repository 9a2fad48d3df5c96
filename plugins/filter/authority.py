# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFilterError

from eyrie.credentials import authority
from eyrie.errors import EyrieError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def new_authority(pool: str) -> dict[str, str]:
    """Make a certificate authority for a pool."""
    made = authority.new_authority(pool, datetime.now(UTC))
    return {"certificate": made.certificate, "private_key": made.private_key}


def certificate_renewal(pem: str, wanted: Mapping[str, Any]) -> str:
    """Say why a server needs a new certificate; the empty string says that it does not."""
    return authority.certificate_renewal_reason(
        pem, _wanted(wanted), str(wanted["authority"]), datetime.now(UTC)
    )


def server_certificate(wanted: Mapping[str, Any], private_key: str) -> str:
    """Make a server's key and certificate, signed by the pool's authority."""
    pool = authority.Authority(str(wanted["authority"]), private_key)
    try:
        return authority.issue(pool, _wanted(wanted), datetime.now(UTC))
    except EyrieError as error:
        raise AnsibleFilterError(str(error)) from error


def _wanted(wanted: Mapping[str, Any]) -> authority.WantedCertificate:
    return authority.WantedCertificate(tuple(map(str, wanted["names"])), int(wanted["days"]))


class FilterModule:
    """What roles need of the pool's certificate authority."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "new_authority": new_authority,
            "certificate_renewal": certificate_renewal,
            "server_certificate": server_certificate,
        }
