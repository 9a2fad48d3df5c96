# SPDX-License-Identifier: GPL-3.0-or-later
"""Envelopes as a client writes them, and a runner that the test plays."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from eyrie.lab.wsman import names
from eyrie.lab.wsman.runner import Order, Sink
from eyrie.lab.wsman.service import Service


@dataclass
class Played:
    """A process that does what the test says."""

    order: Order
    sink: Sink
    taken: bytes = b""
    takes: int = 1 << 30
    closed: bool = False
    killed: bool = False
    interrupted: bool = False

    def write(self, data: bytes, timeout: float) -> int:
        if self.closed:
            raise BrokenPipeError
        part = data[: self.takes]
        self.taken += part
        return len(part)

    def close_input(self) -> None:
        self.closed = True

    def interrupt(self) -> None:
        self.interrupted = True

    def kill(self) -> None:
        self.killed = True
        self.sink.ended(1)


@dataclass
class Stage:
    """The runner."""

    name: str = "played by a test"
    processes: list[Played] = field(default_factory=list)

    def start(self, order: Order, sink: Sink) -> Played:
        self.processes.append(Played(order, sink))
        return self.processes[-1]


@dataclass
class Answer:
    status: int
    root: ET.Element

    def text(self, tag: str) -> str:
        return next((each.text or "" for each in self.root.iter() if each.tag.rpartition("}")[2] == tag), "")

    @property
    def code(self) -> int:
        """The fault's code, in whichever style."""
        found = next((e.get("Code") for e in self.root.iter(f"{{{names.FAULT}}}WSManFault")), None)
        return int(found or self.text("error_Code") or 0)

    @property
    def state(self) -> str:
        return next(self.root.iter(f"{{{names.SHELL}}}CommandState")).get("State", "")

    def stream(self, name: str) -> bytes:
        streams = self.root.iter(f"{{{names.SHELL}}}Stream")
        return b"".join(base64.b64decode(each.text or "") for each in streams if each.get("Name") == name)


class Client:
    """One user of a service, without HTTP."""

    def __init__(self, service: Service, user: str = "admin") -> None:
        self.service, self.user, self.shell = service, user, ""

    def ask(
        self,
        action: str,
        body: str = "",
        *,
        shell: str | None = None,
        options: str = "",
        timeout: str = "PT0.2S",
    ) -> Answer:
        shell = self.shell if shell is None else shell
        selector = (
            f'<w:SelectorSet><w:Selector Name="ShellID">{shell}</w:Selector></w:SelectorSet>' if shell else ""
        )
        text = (
            f"<s:Envelope {names.NAMESPACES}><s:Header><a:Action>{action}</a:Action>{selector}{options}"
            f"<w:ResourceURI>{names.CMD_SHELL}</w:ResourceURI><a:MessageID>uuid:1</a:MessageID>"
            f"<w:OperationTimeout>{timeout}</w:OperationTimeout><w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize>"
            f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        status, answer = self.service.handle(self.user, text.encode())
        return Answer(status, ET.fromstring(answer))

    def create(self, extra: str = "", options: str = "") -> Answer:
        answer = self.ask(names.CREATE, f"<rsp:Shell>{extra}</rsp:Shell>", shell="", options=options)
        self.shell = answer.text("ShellId") if answer.status == 200 else self.shell
        return answer

    def command(self, line: str, options: str = "") -> Answer:
        return self.ask(
            names.COMMAND,
            f"<rsp:CommandLine><rsp:Command>{line}</rsp:Command></rsp:CommandLine>",
            options=options,
        )

    def receive(self, command: str, timeout: str = "PT0.2S") -> Answer:
        wanted = f'<rsp:DesiredStream CommandId="{command}">stdout stderr</rsp:DesiredStream>'
        return self.ask(names.RECEIVE, f"<rsp:Receive>{wanted}</rsp:Receive>", timeout=timeout)

    def send(self, command: str, data: bytes, end: bool = False) -> Answer:
        text = base64.b64encode(data).decode()
        stream = (
            f'<rsp:Stream Name="stdin" CommandId="{command}" End="{str(end).lower()}">{text}</rsp:Stream>'
        )
        return self.ask(names.SEND, f"<rsp:Send>{stream}</rsp:Send>")

    def signal(self, command: str, code: str = "terminate") -> Answer:
        wanted = f"<rsp:Code>{names.SHELL}/signal/{code}</rsp:Code>"
        return self.ask(names.SIGNAL, f'<rsp:Signal CommandId="{command}">{wanted}</rsp:Signal>')
