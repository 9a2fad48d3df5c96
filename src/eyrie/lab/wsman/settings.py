# SPDX-License-Identifier: GPL-3.0-or-later
"""What an endpoint is told: accounts, the generation of WinRM it speaks like, and its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eyrie.errors import EyrieError


@dataclass(frozen=True)
class Account:
    """A user of the desktop; the caller chooses the password, there is no default."""

    name: str
    password: str = field(repr=False)
    administrator: bool = True
    principal: str = ""
    """The user principal name in the client certificate that is mapped to it (ClientCertificate of WinRM)."""

    def __post_init__(self) -> None:
        # The lines of pyspnego's user file know no escape.
        bad = [sign for sign in ":\r\n\0" if sign in self.name + self.password]
        if not self.name or not self.password or bad:
            raise EyrieError(
                "account of a lab desktop",
                seen=self.name,
                wanted="a name and a password, neither with a colon or a line end",
                next_step="choose others",
            )


@dataclass(frozen=True)
class Quotas:
    """The service's limits, named as in `winrm get winrm/config`; times in seconds."""

    shells_per_user: int
    operations_per_user: int
    processes_per_shell: int
    envelope_kb: int
    idle_timeout: float
    max_timeout: float = 60.0


@dataclass(frozen=True)
class Generation:
    """A version of the stack: 2.0 on Windows 7, 3.0 from Windows 8 on."""

    stack: str
    quotas: Quotas
    wmi_errors: bool
    """Whether a quota's fault carries an MSFT_WmiError and no WSManFault."""


WINRM_2 = Generation("2.0", Quotas(5, 15, 15, 150, 180.0), wmi_errors=False)
WINRM_3 = Generation("3.0", Quotas(30, 1500, 25, 500, 7200.0), wmi_errors=True)


@dataclass(frozen=True)
class Settings:
    """One endpoint; the defaults are those of Windows."""

    accounts: Sequence[Account]
    generation: Generation = WINRM_3
    quotas: Quotas | None = None
    """Instead of the generation's own."""

    machine: str = "DESKTOP"
    allow_unencrypted: bool = False
    basic: bool = False
    channel_binding: bool = False
    """Whether NTLM over HTTPS must be bound to the certificate (CbtHardeningLevel Strict)."""

    remote_shells: bool = True
    """Policy "Allow Remote Shell Access"."""

    certificate: Path | None = None
    """PEM of certificate and key: with it HTTPS is spoken, without plain HTTP."""

    client_authority: Path | None = None
    """PEM of the authority whose client certificates log in over HTTPS (Auth/Certificate, off by default)."""

    keytab: Path | None = None
    """The keys of its HTTP service, by which a member of a domain takes Kerberos beside NTLM."""

    credssp: bool = False
    """Whether CredSSP is offered, to which the client hands its password (Auth/CredSSP)."""

    @property
    def limits(self) -> Quotas:
        """The quotas in force."""
        return self.quotas or self.generation.quotas

    def account(self, name: str) -> Account | None:
        """Return the account of a name, as Windows compares names."""
        return next((each for each in self.accounts if each.name.lower() == name.lower()), None)
