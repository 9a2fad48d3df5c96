# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, worded as Windows words them."""

from __future__ import annotations

from eyrie.windows import codes


class Fault(Exception):
    """A request that the service refuses."""

    def __init__(
        self, code: int, reason: str, *, subcode: str, sender: bool = True, detail: str = ""
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.subcode = subcode
        self.sender = sender
        self.detail = detail or reason
        """The provider's own text, in the fault's detail."""

    @property
    def quota(self) -> bool:
        """Whether newer services report this as an MSFT_WmiError."""
        return self.code in codes.TOO_MANY_SHELLS | codes.TOO_MANY_OPERATIONS


_SERVICE = "The WS-Management service cannot process the request"
_SELECTORS = f"{_SERVICE} because the request contained invalid selectors for the resource."


def timed_out() -> Fault:
    """Nothing happened within OperationTimeout."""
    text = (
        "The WS-Management service cannot complete the operation "  # clients look for the last word
        "within the time specified in OperationTimeout."
    )
    return Fault(codes.OPERATION_TIMEOUT, text, subcode="w:TimedOut", sender=False)


def shell_not_found(shell_id: str) -> Fault:
    """The shell was deleted, timed out, or never was."""
    text = (
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell was "
        "not found on the server. Possible causes are: the specified ShellId is incorrect or the shell no "
        "longer exists on the server. Provide the correct ShellId or create a new shell and retry the "
        "operation."
    )
    return Fault(codes.SHELL_NOT_FOUND, _SELECTORS, subcode="w:InvalidSelectors", detail=text)


def command_not_found() -> Fault:
    """The command has ended, or never was."""
    text = (
        "The Windows Remote Shell received a request to perform an operation on a command identifier that "
        "does not exist. Either the command has completed execution or the client specified an invalid "
        "command identifier."
    )
    return Fault(codes.SHELL_NOT_FOUND, _SELECTORS, subcode="w:InvalidSelectors", detail=text)


def too_many_shells(limit: int) -> Fault:
    """MaxShellsPerUser is reached."""
    text = (
        f"{_SERVICE}. This user is allowed a maximum number of {limit} concurrent shells, which has been "
        "exceeded. Close existing shells or raise the quota for this user."
    )
    return Fault(codes.MAX_SHELLS, text, subcode="w:QuotaLimit")


def too_many_operations(limit: int) -> Fault:
    """MaxConcurrentOperationsPerUser is reached."""
    text = (
        f"{_SERVICE}. This user is allowed a maximum number of {limit} concurrent operations, which has been "
        "exceeded. Close existing operations for this user, or raise the quota for this user."
    )
    return Fault(codes.MAX_OPERATIONS, text, subcode="w:QuotaLimit")


def too_many_processes(limit: int) -> Fault:
    """MaxProcessesPerShell is reached; the wording is not known from a real desktop, the code is."""
    text = f"{_SERVICE}. The maximum number of {limit} concurrent commands per shell has been exceeded."
    return Fault(codes.MAX_COMMANDS_PER_SHELL, text, subcode="w:QuotaLimit")


def access_denied() -> Fault:
    """The user may talk to the service, but not have a command shell."""
    return Fault(codes.ACCESS_DENIED, "Access is denied. ", subcode="w:AccessDenied")


def other_users_shell() -> Fault:
    """A shell belongs to who created it."""
    text = f"{_SERVICE}. The user is different from the one that created the shell."
    return Fault(codes.OTHER_USERS_SHELL, text, subcode="w:AccessDenied")


def shells_forbidden() -> Fault:
    """Policy "Allow Remote Shell Access" is disabled."""
    text = f"{_SERVICE}. The service is configured to not accept any remote shell requests."
    return Fault(codes.REMOTE_SHELLS_FORBIDDEN, text, subcode="w:AccessDenied")


def envelope_too_large(kilobytes: int) -> Fault:
    """MaxEnvelopeSizekb is exceeded."""
    text = f"{_SERVICE}. The request packet exceeds the maximum envelope size of {kilobytes} KB."
    return Fault(codes.ENVELOPE_TOO_LARGE, text, subcode="w:EncodingLimit")


def unknown_action(action: str) -> Fault:
    """The action is none of this resource's."""
    text = f"{_SERVICE}. The action {action} is not supported by the service."
    return Fault(codes.INVALID_ACTION, text, subcode="a:ActionNotSupported")


def unknown_resource(resource: str) -> Fault:
    """Only the command shell is offered; PowerShell's endpoint above all is not."""
    text = f"{_SERVICE}. The service cannot find the resource identified by the resource URI: {resource}"
    return Fault(codes.RESOURCE_NOT_FOUND, text, subcode="a:DestinationUnreachable")


def invalid_body(problem: str) -> Fault:
    """The request is not what its action needs."""
    text = f"{_SERVICE} because the request packet does not have a valid SOAP body: {problem}"
    return Fault(codes.INVALID_SOAP_BODY, text, subcode="w:SchemaValidationError")


def busy() -> Fault:
    """An earlier Send is still being taken."""
    return Fault(codes.BUSY, "The requested resource is in use. ", subcode="w:InternalError", sender=False)


def input_closed() -> Fault:
    """Send to a program that has ended or closed its standard input."""
    return Fault(codes.BROKEN_PIPE, "The pipe has been ended. ", subcode="w:InternalError", sender=False)
