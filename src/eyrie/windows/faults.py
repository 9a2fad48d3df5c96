# SPDX-License-Identifier: GPL-3.0-or-later
"""Names what went wrong between here and a desktop, from what was seen; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from eyrie.errors import EyrieError
from eyrie.windows import codes


class Trouble(Enum):
    """The outcomes that a user can tell apart and put right."""

    WRONG_PASSWORD = "wrong password"  # noqa: S105 - a name
    NOT_ADMINISTRATOR = "not an administrator"
    CERTIFICATE_UNTRUSTED = "untrusted certificate"
    CERTIFICATE_EXPIRED = "expired certificate"
    CERTIFICATE_NAME = "certificate of another name"
    OLD_TLS = "old TLS"
    NO_TLS = "no TLS"
    NOT_ENCRYPTED = "unencrypted message refused"
    CLIENT_CERTIFICATE = "client certificate refused"
    NOT_INSTALLED = "way to authenticate not installed"
    NO_KERBEROS = "no Kerberos ticket"
    QUOTA_SHELLS = "too many shells"
    QUOTA_OPERATIONS = "too many operations"
    QUOTA_USERS = "too many users"
    SHELLS_FORBIDDEN = "remote shells forbidden"
    SHELL_GONE = "shell gone"
    SERVICE_OFF = "service off"
    UNREACHABLE = "unreachable"
    NO_SUCH_NAME = "no such name"
    NO_WSMAN = "no WS-Management"
    TIMED_OUT = "timed out"
    CONNECTION_LOST = "connection lost"
    OTHER = "other"


@dataclass(frozen=True)
class Sight:
    """What was seen of one failed request: the texts are those of programs on this side, never of Windows."""

    host: str
    port: int
    user: str = ""
    scheme: str = "https"
    status: int | None = None
    """The HTTP status, if there was an answer."""

    fault_codes: frozenset[int] = field(default_factory=frozenset)
    text: str = ""
    started: bool = False
    """Whether the shell was already open."""


class DesktopError(EyrieError):
    """A named trouble with a desktop."""

    def __init__(self, trouble: Trouble, sight: Sight, *, thing: str, wanted: str, next_step: str) -> None:
        self.trouble = trouble
        self.sight = sight
        super().__init__(thing, seen=_seen(sight), wanted=wanted, next_step=next_step)


def says_shells_are_forbidden(text: str) -> bool:
    """Whether a message is that of a desktop whose policy forbids remote shells."""
    return _WORDS[Trouble.SHELLS_FORBIDDEN][0] in text


def explain(sight: Sight) -> DesktopError:
    """Return the error that tells a user what this was and what to do."""
    trouble = name(sight)
    thing, wanted, next_step = _WORDS[trouble]
    told = {"place": f"{sight.host}:{sight.port}", "host": sight.host, "user": sight.user or "the account"}
    return DesktopError(
        trouble,
        sight,
        thing=f"{sight.host}:{sight.port}: " + thing.format(**told),
        wanted=wanted.format(**told),
        next_step=next_step.format(**told),
    )


def name(sight: Sight) -> Trouble:
    """Return which trouble this is: Windows' own codes first, then HTTP's status, then texts of this side."""
    for trouble, holds in _RULES:
        if holds(sight):
            return trouble
    return Trouble.OTHER


def _coded(*wanted: int) -> Callable[[Sight], bool]:
    return lambda sight: bool(sight.fault_codes & set(wanted))


def _says(pattern: str) -> Callable[[Sight], bool]:
    return lambda sight: re.search(pattern, sight.text, re.IGNORECASE) is not None


def _status(code: int) -> Callable[[Sight], bool]:
    return lambda sight: sight.status == code and not sight.fault_codes


_RULES: tuple[tuple[Trouble, Callable[[Sight], bool]], ...] = (
    (Trouble.SHELLS_FORBIDDEN, _coded(codes.REMOTE_SHELLS_FORBIDDEN)),
    (Trouble.NOT_ADMINISTRATOR, _coded(codes.ACCESS_DENIED)),
    (Trouble.QUOTA_SHELLS, _coded(*codes.TOO_MANY_SHELLS)),
    (Trouble.QUOTA_OPERATIONS, _coded(*codes.TOO_MANY_OPERATIONS)),
    (Trouble.QUOTA_USERS, _coded(*codes.TOO_MANY_USERS)),
    (Trouble.SHELL_GONE, _coded(codes.SHELL_NOT_FOUND, codes.OTHER_USERS_SHELL)),
    (Trouble.TIMED_OUT, _coded(codes.OPERATION_TIMEOUT)),
    (Trouble.WRONG_PASSWORD, _status(401)),
    (Trouble.NO_WSMAN, _status(404)),
    (Trouble.NOT_ENCRYPTED, lambda sight: _status(500)(sight) and sight.scheme == "http"),
    (Trouble.SHELL_GONE, lambda sight: _status(400)(sight) and sight.started),
    (Trouble.NOT_INSTALLED, _says(r"(pykerberos|kerberos library|requests-credssp) is not installed")),
    (
        Trouble.CLIENT_CERTIFICATE,
        _says(
            r"alert (unknown ca|(bad|unsupported) certificate|certificate (expired|unknown|required))"
            r"|cert_(key_)?pem"
        ),
    ),
    (Trouble.WRONG_PASSWORD, _says(r"credssp|STATUS_LOGON_FAILURE|0x8009030c")),
    (Trouble.NO_KERBEROS, _says(r"kerberos|kinit|authGSS")),
    (Trouble.WRONG_PASSWORD, _says(r"credentials were rejected|requires a (password|username)")),
    (Trouble.CERTIFICATE_EXPIRED, _says(r"certificate has expired|certificate is not yet valid")),
    (Trouble.CERTIFICATE_NAME, _says(r"hostname mismatch|ip address mismatch|doesn't match")),
    (Trouble.CERTIFICATE_UNTRUSTED, _says(r"CERTIFICATE_VERIFY_FAILED|suitable TLS CA certificate bundle")),
    (Trouble.OLD_TLS, _says(r"UNSUPPORTED_PROTOCOL|TLSV1_ALERT_PROTOCOL_VERSION|unsupported protocol")),
    (Trouble.NO_TLS, _says(r"WRONG_VERSION_NUMBER|record layer failure|EOF occurred in violation")),
    (
        Trouble.NO_SUCH_NAME,
        _says(r"name or service not known|failed to resolve|Errno -[235]\b"),
    ),
    (Trouble.SERVICE_OFF, _says(r"connection refused|Errno 111")),
    (Trouble.TIMED_OUT, lambda sight: sight.started and _says(r"timed out")(sight)),
    (Trouble.UNREACHABLE, _says(r"timed out|no route to host|network is unreachable|host is down")),
    (
        Trouble.CONNECTION_LOST,
        _says(r"connection (aborted|reset|broken)|remote end closed|broken pipe"),
    ),
)

_PREPARE = "see docs/prepare-windows.md"

_WORDS: dict[Trouble, tuple[str, str, str]] = {
    Trouble.WRONG_PASSWORD: (
        "the credentials of {user} were refused",
        "an account and a way to authenticate that the desktop accepts",
        "check ansible_user, ansible_password and ansible_winrm_transport (Basic is off by default)",
    ),
    Trouble.NOT_ADMINISTRATOR: (
        "{user} may log in but not open a command shell",
        "a member of the desktop's Administrators with an unfiltered token",
        "use a domain account that is administrator there (UAC filters local ones), " + _PREPARE,
    ),
    Trouble.CERTIFICATE_UNTRUSTED: (
        "the certificate is signed by nobody this host trusts",
        "a certificate of your own authority",
        "point ansible_winrm_ca_trust_path to the authority's certificate; do not switch validation off",
    ),
    Trouble.CERTIFICATE_EXPIRED: (
        "the certificate is out of its time",
        "a certificate that is valid today",
        "renew it (with autoenrolment Windows does), bind it to the listener, and check both clocks",
    ),
    Trouble.CERTIFICATE_NAME: (
        "the certificate names another host",
        "a certificate that names {host}",
        "address the desktop by the name in its certificate (ansible_host), or issue one that fits",
    ),
    Trouble.OLD_TLS: (
        "the desktop speaks only TLS versions that are refused here",
        "TLS 1.2 or newer",
        "update the desktop; else use NTLM or Kerberos with message encryption on port 5985",
    ),
    Trouble.NO_TLS: (
        "no TLS is spoken there",
        "an HTTPS listener",
        "set ansible_port to the HTTPS listener's (5986); plain HTTP needs ansible_winrm_scheme: http",
    ),
    Trouble.NOT_ENCRYPTED: (
        "the desktop refused a message, most likely because it was not encrypted",
        "HTTPS, or NTLM or Kerberos with message encryption",
        "use port 5986, or ansible_winrm_transport: ntlm with ansible_winrm_message_encryption: auto",
    ),
    Trouble.CLIENT_CERTIFICATE: (
        "the client certificate was refused",
        "a certificate for client authentication, valid today, of an authority that the desktop trusts",
        "check ansible_winrm_cert_pem and ansible_winrm_cert_key_pem, and the desktop's store of authorities",
    ),
    Trouble.NOT_INSTALLED: (
        "this host lacks a library for this way to authenticate",
        "pykerberos for Kerberos, requests-credssp for CredSSP",
        "install eyrie[kerberos] or eyrie[credssp], or use ansible_winrm_transport: ntlm",
    ),
    Trouble.NO_KERBEROS: (
        "no Kerberos ticket could be got or used",
        "a ticket for {user} and the desktop's full name in ansible_host",
        "run kinit by hand, or use ansible_winrm_transport: ntlm",
    ),
    Trouble.QUOTA_SHELLS: (
        "{user} has as many shells open as the desktop allows",
        "a free shell (MaxShellsPerUser)",
        "wait until shells left behind time out (3 minutes up to Windows 7, else 2 hours) or raise the quota",
    ),
    Trouble.QUOTA_OPERATIONS: (
        "{user} has as many operations open as the desktop allows",
        "a free operation (MaxConcurrentOperationsPerUser, MaxProcessesPerShell)",
        "end other controllers of this account, wait until their shells time out, or raise the quota",
    ),
    Trouble.QUOTA_USERS: (
        "as many users or requests are served as the desktop allows",
        "a free place (MaxConcurrentUsers)",
        "try again later or raise the quota",
    ),
    Trouble.SHELLS_FORBIDDEN: (
        "policy forbids remote shells on this desktop (Allow Remote Shell Access is disabled)",
        "a desktop that may be managed by WinRM, or one that gets its MSI another way",
        "push the MSI by GPO or Intune; the role accepts such a desktop as it is",
    ),
    Trouble.SHELL_GONE: (
        "the shell on the desktop is gone",
        "a shell that lives as long as the task",
        "run again; service or desktop were restarted, or the shell reached its idle or run time",
    ),
    Trouble.SERVICE_OFF: (
        "nobody listens",
        "the service WinRM with a listener on this port",
        "switch WinRM on, " + _PREPARE,
    ),
    Trouble.UNREACHABLE: (
        "no answer",
        "a desktop that is on and a firewall that lets this host in",
        "check power, network and the desktop's firewall rule for this port, " + _PREPARE,
    ),
    Trouble.NO_SUCH_NAME: ("the name is unknown", "a name that resolves here", "check ansible_host and DNS"),
    Trouble.NO_WSMAN: (
        "a web server answers, but not WS-Management",
        "the path /wsman",
        "check ansible_port and ansible_winrm_path",
    ),
    Trouble.TIMED_OUT: (
        "the answer took too long",
        "an answer within the read timeout",
        "check the desktop's load, or raise ansible_winrm_connection_timeout",
    ),
    Trouble.CONNECTION_LOST: (
        "the connection broke",
        "a connection that lasts as long as the command",
        "run again; what was started there has ended or was ended with its shell",
    ),
    Trouble.OTHER: ("WS-Management failed", "an answer", "see the text"),
}


def _seen(sight: Sight) -> str:
    parts = [f"HTTP {sight.status}"] if sight.status else []
    parts += [f"fault {code}" for code in sorted(sight.fault_codes)]
    text = " ".join(sight.text.split())
    parts += [text[:300]] if text else []
    return ", ".join(parts) or "nothing"
