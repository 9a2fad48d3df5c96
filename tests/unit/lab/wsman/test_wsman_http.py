# SPDX-License-Identifier: GPL-3.0-or-later
"""What the endpoint answers to clients that are no good clients."""

from __future__ import annotations

import base64
import http.client
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import spnego
from wsman_client import Stage

from eyrie.lab.wsman import sealing
from eyrie.lab.wsman.negotiation import UserFile
from eyrie.lab.wsman.server import Endpoint
from eyrie.lab.wsman.settings import Account, Settings

SETTINGS = Settings((Account("admin", "pass word"),), machine="PC1")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(SETTINGS, Stage()) as running:
        yield running


class Wire:
    def __init__(self, endpoint: Endpoint) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)

    def post(self, body: bytes = b"", path: str = "/wsman", **headers: str) -> http.client.HTTPResponse:
        self.http.request(
            "POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = self.http.getresponse()
        answer.text = answer.read()  # type: ignore[attr-defined]
        return answer

    def log_in(self, password: str = "pass word") -> spnego.ContextProxy:
        context = spnego.client("admin", password, protocol="ntlm")
        token = context.step()
        while not context.complete:
            answer = self.post(Authorization="Negotiate " + base64.b64encode(token or b"").decode())
            told = answer.headers.get("WWW-Authenticate", "").partition(" ")[2]
            token = context.step(base64.b64decode(told))
        self.last = self.post(Authorization="Negotiate " + base64.b64encode(token or b"").decode())
        return context


def test_asks_who_is_there(endpoint: Endpoint) -> None:
    answer = Wire(endpoint).post(b"<x/>")
    assert (answer.status, answer.headers.get_all("WWW-Authenticate"), answer.text) == (
        401,
        ["Negotiate"],
        b"",
    )


@pytest.mark.parametrize(
    "given",
    ["Negotiate", "Negotiate !!", "Negotiate AAAA", "Basic YTpi", "Bearer x", "Negotiate TlRMTVNTUAABAAAA"],
)
def test_refuses_what_proves_nothing(endpoint: Endpoint, given: str) -> None:
    wire = Wire(endpoint)
    assert wire.post(Authorization=given).status == 401
    assert wire.post(b"<x/>").status == 401


def test_a_wrong_password_opens_nothing(endpoint: Endpoint) -> None:
    wire = Wire(endpoint)
    wire.log_in("wrong")
    assert wire.last.status == 401
    assert wire.post(b"<x/>").status == 401


def test_a_login_belongs_to_its_connection(endpoint: Endpoint) -> None:
    wire = Wire(endpoint)
    context = wire.log_in()
    assert wire.last.status == 200
    signature, data, _ = context.wrap_winrm(b"<x/>")
    body = sealing.pack(signature, data, 4)
    assert Wire(endpoint).post(body, Content_Type=sealing.CONTENT_TYPE).status == 401
    sealed = wire.post(body, Content_Type=sealing.CONTENT_TYPE)
    assert sealed.status == 500 and context.unwrap_winrm(*sealing.unpack(sealed.text)).startswith(
        b"<s:Envelope"
    )
    assert wire.post(body, Content_Type=sealing.CONTENT_TYPE).status == 400  # played again
    other = Wire(endpoint)
    other.log_in()
    assert other.post(body, Content_Type=sealing.CONTENT_TYPE).status == 400


def test_refuses_plain_messages_over_http(endpoint: Endpoint) -> None:
    wire = Wire(endpoint)
    wire.log_in()
    answer = wire.post(b"<x/>")
    assert (answer.status, answer.text) == (500, b"")


def test_takes_plain_messages_and_basic_only_if_told_so() -> None:
    authorization = "Basic " + base64.b64encode(b"admin:pass word").decode()
    with Endpoint(replace(SETTINGS, basic=True), Stage()) as endpoint:
        assert Wire(endpoint).post(b"<x/>", Authorization=authorization).status == 401
    with Endpoint(replace(SETTINGS, basic=True, allow_unencrypted=True), Stage()) as endpoint:
        assert b"WSManFault" in Wire(endpoint).post(b"<x/>", Authorization=authorization).text
        wrong = "Basic " + base64.b64encode(b"admin:").decode()
        answer = Wire(endpoint).post(b"<x/>", Authorization=wrong)
        assert answer.status == 401 and 'Basic realm="WSMAN"' in answer.headers.get_all("WWW-Authenticate")
        nobody = "Basic " + base64.b64encode(b"nobody:").decode()
        assert Wire(endpoint).post(b"<x/>", Authorization=nobody).status == 401


def test_identifies_itself_to_anybody(endpoint: Endpoint) -> None:
    answer = Wire(endpoint).post(b"<x/>", WSMANIDENTIFY="unauthenticated")
    assert answer.status == 200 and b"Stack: 3.0" in answer.text


def test_other_paths_and_bodies(endpoint: Endpoint) -> None:
    assert Wire(endpoint).post(path="/other").status == 404
    wire = Wire(endpoint)
    wire.http.putrequest("POST", "/wsman")
    wire.http.endheaders()
    assert wire.http.getresponse().status == 411
    assert Wire(endpoint).post(Content_Length=str(1 << 40)).status == 413


def test_a_client_that_leaves_harms_nobody(endpoint: Endpoint, capfd: pytest.CaptureFixture[str]) -> None:
    for sent in (
        b"",
        b"\x16\x03\x01\x02\x00nonsense\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ):
        with socket.create_connection(("127.0.0.1", endpoint.port), 5) as raw:
            raw.sendall(sent)
    assert Wire(endpoint).post().status == 401
    assert "Traceback" not in capfd.readouterr().err


def test_stops_with_clients_connected() -> None:
    with Endpoint(SETTINGS, Stage()) as endpoint:
        wire = Wire(endpoint)
        wire.log_in()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        wire.post(b"<x/>")


def test_accounts_are_on_no_disk_and_leave_with_the_endpoint() -> None:
    users = UserFile(SETTINGS.accounts)
    with users.lent():
        path = Path(os.environ["NTLM_USER_FILE"])
        assert str(path.readlink()) == "/memfd:users (deleted)"
        assert SETTINGS.accounts[0].password in path.read_text(encoding="utf-8")
    assert "NTLM_USER_FILE" not in os.environ
    users.close()
    assert not path.exists()
