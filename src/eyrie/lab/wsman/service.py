# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management's operations on command shells: one envelope in, one out."""

from __future__ import annotations

import base64
import binascii
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from xml.sax.saxutils import escape

from eyrie.lab.wsman import faults, names, soap
from eyrie.lab.wsman.command import Received
from eyrie.lab.wsman.faults import Fault
from eyrie.lab.wsman.runner import Order, Runner
from eyrie.lab.wsman.settings import Settings
from eyrie.lab.wsman.shells import Shell, Shells
from eyrie.lab.wsman.soap import Request

_RSP = f"{{{names.SHELL}}}"
_TRUE = ("TRUE", "1")


class Service:
    """The service behind all connections of an endpoint."""

    def __init__(self, settings: Settings, runner: Runner) -> None:
        self.settings = settings
        self.runner = runner
        self.shells = Shells(settings, runner)
        self._operations: dict[str, Callable[[Request, str], bytes]] = {
            names.CREATE: self._create,
            names.COMMAND: self._command,
            names.SEND: self._send,
            names.RECEIVE: self._receive,
            names.SIGNAL: self._signal,
            names.DELETE: self._delete,
        }

    def handle(self, user: str, text: bytes) -> tuple[int, bytes]:
        """Answer a user's request: HTTP status and envelope."""
        request = None
        try:
            if len(text) > self.settings.limits.envelope_kb * 1024:
                raise faults.envelope_too_large(self.settings.limits.envelope_kb)
            request = soap.parse(text)
            operation = self._operations.get(request.action)
            if operation is None:
                raise faults.unknown_action(request.action)
            if request.resource != names.CMD_SHELL:
                raise faults.unknown_resource(request.resource)
            self._admit(user)
            return 200, operation(request, user)
        except Fault as problem:
            return 500, soap.fault(request, problem, self.settings)

    def identify(self) -> bytes:
        """Answer who asks without logging in: no more than the version of the stack."""
        version = f"OS: 0.0.0 SP: 0.0 Stack: {self.settings.generation.stack}"
        return (
            f'<s:Envelope xmlns:s="{names.SOAP}"><s:Header/><s:Body><wsmid:IdentifyResponse '
            f'xmlns:wsmid="{names.IDENTITY}"><wsmid:ProtocolVersion>{names.WSMAN}</wsmid:ProtocolVersion>'
            f"<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
            f"<wsmid:ProductVersion>{version}</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>"
        ).encode()

    def _admit(self, user: str) -> None:
        if not self.settings.remote_shells:
            raise faults.shells_forbidden()
        account = self.settings.account(user)
        if account is None or not account.administrator:
            raise faults.access_denied()

    def _create(self, request: Request, user: str) -> bytes:
        wanted = request.body.find(_RSP + "Shell")
        if wanted is None:
            raise faults.invalid_body("no rsp:Shell")
        idle = wanted.findtext(_RSP + "IdleTimeOut") or ""
        shell = self.shells.create(
            Shell(
                user=user,
                codepage=_number(request.option("WINRS_CODEPAGE"), 437),
                directory=wanted.findtext(_RSP + "WorkingDirectory") or "",
                environment={
                    each.get("Name", ""): each.text or "" for each in wanted.iter(_RSP + "Variable")
                },
                idle_timeout=soap.seconds(idle) if idle else self.settings.limits.idle_timeout,
            )
        )
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet>'
        return soap.answer(
            request,
            names.CREATE + "Response",
            f"<x:ResourceCreated><a:Address>{names.ANONYMOUS}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{names.CMD_SHELL}</w:ResourceURI>{selector}</a:ReferenceParameters>"
            f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell.id}</rsp:ShellId>"
            f"<rsp:ResourceUri>{names.CMD_SHELL}</rsp:ResourceUri><rsp:Owner>{escape(user)}</rsp:Owner>"
            f"<rsp:IdleTimeOut>PT{shell.idle_timeout:.3f}S</rsp:IdleTimeOut><rsp:InputStreams>stdin"
            "</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>",
        )

    def _command(self, request: Request, user: str) -> bytes:
        shell = self.shells.find(request.shell_id, user)
        wanted = request.body.find(_RSP + "CommandLine")
        if wanted is None:
            raise faults.invalid_body("no rsp:CommandLine")
        words = [
            wanted.findtext(_RSP + "Command") or "",
            *(e.text or "" for e in wanted.iter(_RSP + "Arguments")),
        ]
        order = Order(
            " ".join(each for each in words if each),
            console_input=request.option("WINRS_CONSOLEMODE_STDIN", "TRUE").upper() in _TRUE,
            skip_cmd=request.option("WINRS_SKIP_CMD_SHELL").upper() in _TRUE,
        )
        command = self.shells.start(shell, order, wanted.get("CommandId", ""))
        body = (
            f"<rsp:CommandResponse><rsp:CommandId>{escape(command.id)}</rsp:CommandId></rsp:CommandResponse>"
        )
        return soap.answer(request, names.COMMAND + "Response", body)

    def _send(self, request: Request, user: str) -> bytes:
        shell = self.shells.find(request.shell_id, user)
        end, timeout = time.monotonic() + request.timeout, self._timeout(request)
        for stream in request.body.iter(_RSP + "Stream"):
            data = _decoded(stream)
            last = stream.get("End", "").upper() in _TRUE
            shell.command(stream.get("CommandId", "")).send(data, last, min(timeout, end - time.monotonic()))
        return soap.answer(request, names.SEND + "Response", "<rsp:SendResponse/>")

    def _receive(self, request: Request, user: str) -> bytes:
        shell = self.shells.find(request.shell_id, user)
        wanted = request.body.find(f"{_RSP}Receive/{_RSP}DesiredStream")
        if wanted is None:
            raise faults.invalid_body("no rsp:DesiredStream")
        command = shell.command(wanted.get("CommandId", ""))
        received = command.receive(self._timeout(request), self._answer_bytes(request))
        return soap.answer(request, names.RECEIVE + "Response", _streams(command.id, received))

    def _signal(self, request: Request, user: str) -> bytes:
        shell = self.shells.find(request.shell_id, user)
        wanted = request.body.find(_RSP + "Signal")
        code = (wanted.findtext(_RSP + "Code") or "").lower() if wanted is not None else ""
        command = shell.command(wanted.get("CommandId", "") if wanted is not None else "")
        if code.endswith(("/ctrl_c", "/ctrl_break")):
            command.interrupt()
        elif code.endswith("/terminate"):
            self.shells.end(shell, command)
        else:
            raise faults.invalid_body(f"signal {code}")
        return soap.answer(request, names.SIGNAL + "Response", "<rsp:SignalResponse/>")

    def _delete(self, request: Request, user: str) -> bytes:
        self.shells.delete(self.shells.find(request.shell_id, user))
        return soap.answer(request, names.DELETE + "Response", "")

    def _timeout(self, request: Request) -> float:
        return min(request.timeout, self.settings.limits.max_timeout)

    def _answer_bytes(self, request: Request) -> int:
        """How much raw output fits into an answer: base64 takes a third more, the envelope some."""
        most = self.settings.limits.envelope_kb * 1024
        return (min(most, request.envelope_size or most) - 4096) * 3 // 4


def _streams(command_id: str, received: Received) -> str:
    whose = f'CommandId="{escape(command_id)}"'
    told = [
        f'<rsp:Stream Name="{name}" {whose}>{base64.b64encode(data).decode()}</rsp:Stream>'
        for name, data in received.chunks
    ]
    state, ended, code = names.STATE_RUNNING, "", ""
    if received.exit_code is not None:
        state, code = names.STATE_DONE, f"<rsp:ExitCode>{received.exit_code}</rsp:ExitCode>"
        ended = "".join(
            f'<rsp:Stream Name="{name}" CommandId="{escape(command_id)}" End="true"/>'
            for name in ("stdout", "stderr")
        )
    return (
        f"<rsp:ReceiveResponse>{''.join(told)}{ended}"
        f'<rsp:CommandState {whose} State="{state}">{code}</rsp:CommandState>'
        "</rsp:ReceiveResponse>"
    )


def _decoded(stream: ET.Element) -> bytes:
    try:
        return base64.b64decode(stream.text or "")
    except binascii.Error as error:
        raise faults.invalid_body(f"stream is not base64: {error}") from error


def _number(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default
