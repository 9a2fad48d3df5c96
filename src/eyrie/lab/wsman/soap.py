# SPDX-License-Identifier: GPL-3.0-or-later
"""Envelopes: parses requests, writes answers."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape

from eyrie.lab.wsman import names
from eyrie.lab.wsman.faults import Fault, invalid_body
from eyrie.lab.wsman.settings import Settings

DEFAULT_TIMEOUT = 60.0
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


@dataclass(frozen=True)
class Request:
    """What a client asks for."""

    action: str
    resource: str
    message_id: str
    shell_id: str
    timeout: float
    envelope_size: int
    """The largest answer the client takes, in bytes; 0: not said."""

    options: dict[str, str]
    body: ET.Element

    def option(self, name: str, default: str = "") -> str:
        """Return an option's value; names and values compare without case."""
        return self.options.get(name.upper(), default)


def parse(text: bytes) -> Request:
    """Read a request; entities are refused, they serve nobody here."""
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise invalid_body("a document type")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without a document type there are no entities
    except ET.ParseError as error:
        raise invalid_body(str(error)) from error
    header, body = root.find(f"{{{names.SOAP}}}Header"), root.find(f"{{{names.SOAP}}}Body")
    if header is None or body is None:
        raise invalid_body("no header or no body")
    return Request(
        action=_text(header, names.ADDRESSING, "Action"),
        resource=_text(header, names.WSMAN, "ResourceURI"),
        message_id=_text(header, names.ADDRESSING, "MessageID"),
        shell_id=_shell_id(header),
        timeout=seconds(_text(header, names.WSMAN, "OperationTimeout")),
        envelope_size=_number(_text(header, names.WSMAN, "MaxEnvelopeSize")),
        options={
            each.get("Name", "").upper(): (each.text or "").strip()
            for each in header.iter(f"{{{names.WSMAN}}}Option")
        },
        body=body,
    )


def seconds(duration: str) -> float:
    """Read an XML duration of hours, minutes and seconds."""
    match = _DURATION.fullmatch(duration)
    if not match or not any(match.groups()):
        return DEFAULT_TIMEOUT
    hours, minutes, rest = (float(each or 0) for each in match.groups())
    return hours * 3600 + minutes * 60 + rest


def answer(request: Request, action: str, body: str, extra: str = "") -> bytes:
    """Write the envelope of an answer."""
    relates = f"<a:RelatesTo>{escape(request.message_id)}</a:RelatesTo>" if request.message_id else ""
    return (
        f"<s:Envelope {names.NAMESPACES}><s:Header><a:Action>{action}</a:Action>"
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>{extra}"
        f"<a:To>{names.ANONYMOUS}</a:To>{relates}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault(request: Request | None, problem: Fault, settings: Settings) -> bytes:
    """Write the envelope of a fault."""
    asked = request or Request("", "", "", "", 0, 0, {}, ET.Element("none"))
    body = (
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if problem.sender else 'Receiver'}</s:Value>"
        f"<s:Subcode><s:Value>{problem.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(problem.reason)} </s:Text></s:Reason>'
        f"<s:Detail>{_detail(problem, settings)}</s:Detail></s:Fault>"
    )
    return answer(asked, names.FAULT_ACTION, body)


def _detail(problem: Fault, settings: Settings) -> str:
    if problem.quota and settings.generation.wmi_errors:
        return (
            f'<p:MSFT_WmiError xmlns:p="{names.WMI_ERROR}"><p:CIMStatusCode>27</p:CIMStatusCode>'
            f"<p:Message>{escape(problem.detail)}</p:Message>"
            f"<p:MessageID>HRESULT 0x{problem.code:08x}</p:MessageID>"
            f"<p:error_Code>{problem.code}</p:error_Code>"
            "<p:error_Type>HRESULT</p:error_Type></p:MSFT_WmiError>"
        )
    return (
        f'<f:WSManFault xmlns:f="{names.FAULT}" Code="{problem.code}" Machine="{escape(settings.machine)}">'
        f"<f:Message>{escape(problem.detail)}</f:Message></f:WSManFault>"
    )


def _text(header: ET.Element, namespace: str, tag: str) -> str:
    return (header.findtext(f"{{{namespace}}}{tag}") or "").strip()


def _shell_id(header: ET.Element) -> str:
    for each in header.iter(f"{{{names.WSMAN}}}Selector"):
        if each.get("Name", "").lower() == "shellid":
            return (each.text or "").strip()
    return ""


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
