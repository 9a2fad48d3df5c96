# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of WS-Management that costs little, so that a bench measures the other end.

`wsman_client.py PORT SECONDS` reads the password and a line that says go from standard input, prints `ready`
and how many commands it ran. It speaks NTLM with sealed messages over HTTP, and checks every answer.
"""

from __future__ import annotations

import base64
import re
import socket
import sys
import time
from typing import BinaryIO

import spnego

from eyrie.lab.wsman import names, sealing

USER = "bench"
TYPE = f"Content-Type: {sealing.CONTENT_TYPE}"


class Client:
    def __init__(self, port: int, password: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream: BinaryIO = self._socket.makefile("rb")
        self._context = spnego.client(USER, password, protocol="ntlm")
        token = self._context.step()
        while token:
            told, _ = self._post(b"", "Authorization: Negotiate " + base64.b64encode(token).decode())
            match = re.search(r"Negotiate (\S+)", told)
            token = self._context.step(base64.b64decode(match.group(1))) if match else None
        self._shell = self._ask(names.CREATE, "<rsp:Shell/>", rb"ShellId>([^<]+)")

    def run(self) -> None:
        line = "<rsp:CommandLine><rsp:Command>echo hi</rsp:Command></rsp:CommandLine>"
        command = self._ask(names.COMMAND, line, rb"CommandId>([^<]+)")
        wanted = f'<rsp:DesiredStream CommandId="{command}">stdout stderr</rsp:DesiredStream>'
        code = ""
        while not code:
            code = self._ask(names.RECEIVE, f"<rsp:Receive>{wanted}</rsp:Receive>", rb"(?:ExitCode>(\d+))?")
        code_uri = f"<rsp:Code>{names.SHELL}/signal/terminate</rsp:Code>"
        self._ask(
            names.SIGNAL, f'<rsp:Signal CommandId="{command}">{code_uri}</rsp:Signal>', rb"(SignalResponse)"
        )

    def close(self) -> None:
        self._ask(names.DELETE, "", rb"(DeleteResponse)")

    def _ask(self, action: str, body: str, wanted: bytes) -> str:
        shell = getattr(self, "_shell", "")
        selector = (
            f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>' if shell else ""
        )
        envelope = (
            f"<s:Envelope {names.NAMESPACES}><s:Header><a:Action>{action}</a:Action>{selector}<w:ResourceURI>"
            f"{names.CMD_SHELL}</w:ResourceURI><w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize>"
            f"<w:OperationTimeout>PT20S</w:OperationTimeout></s:Header><s:Body>{body}</s:Body></s:Envelope>"
        ).encode()
        sealed = self._context.wrap_winrm(envelope)
        told, answer = self._post(sealing.pack(sealed.header, sealed.data, len(envelope)), TYPE)
        text = self._context.unwrap_winrm(*sealing.unpack(answer))
        found = [match for match in re.findall(wanted, text) if match]
        if " 200 " not in told.partition("\r\n")[0] or not (found or b"Running" in text):
            raise RuntimeError(f"{action}: {told} {text!r}")
        return found[0].decode() if found else ""

    def _post(self, body: bytes, header: str) -> tuple[str, bytes]:
        head = f"POST /wsman HTTP/1.1\r\nHost: x\r\n{header}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        told = ""
        while not told.endswith("\r\n\r\n"):
            told += self._stream.readline().decode()
        length = re.search(r"Content-Length: (\d+)", told)
        return told, self._stream.read(int(length.group(1)) if length else 0)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    client = Client(int(sys.argv[1]), sys.stdin.readline().strip())
    say("ready")
    sys.stdin.readline()
    end, done = time.monotonic() + float(sys.argv[2]), 0
    while time.monotonic() < end:
        client.run()
        done += 1
    say(str(done))
    client.close()


if __name__ == "__main__":
    main()
