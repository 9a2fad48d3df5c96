# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop's connection and the endpoint, against independent clients and under a real Ansible."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import (
    AnsibleAuthenticationFailure,
    AnsibleConnectionFailure,
    AnsibleError,
    AnsibleFileNotFound,
)
from desktop_clients import CLIENTS, PASSWORD, Client, Target, certificate, connect, desktop, plugin

from eyrie.lab.wsman.connection import shut
from eyrie.lab.wsman.settings import WINRM_2, WINRM_3, Generation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module", params=["http", "https"])
def target(request: pytest.FixtureRequest, pem: Path) -> Iterator[Target]:
    with desktop(certificate=pem if request.param == "https" else None) as (endpoint, place):
        yield place
        assert len(endpoint.service.shells) == 0, "a client left its shell behind"


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, target: Target) -> Iterator[Client]:
    with CLIENTS[request.param](target) as connected:
        yield connected


BIG = bytes(range(256)) * 2048
SAME = [
    ("echo out; echo err >&2; exit 3", None, (3, b"out\n", b"err\n")),
    ("printf 'h\\303\\251\\342\\202\\254\\360\\237\\230\\200 ü€'", None, (0, "hé€😀 ü€".encode(), b"")),
    ("true", None, (0, b"", b"")),
    ("cat; exit 1", b"a\0\r\n\x1a\xff", (1, b"a\0\r\n\x1a\xff", b"")),
    ("cat", b"", (0, b"", b"")),
    ("cat", BIG, (0, BIG, b"")),
    ("head -c 3000000 /dev/zero", None, (0, b"\0" * 3_000_000, b"")),
    ('"printf" %s "<a & b>"', None, (0, b"<a & b>", b"")),
]


@pytest.mark.parametrize(("line", "given", "seen"), SAME)
def test_all_clients_see_the_same(client: Client, line: str, given: bytes | None, seen: object) -> None:
    if line.startswith('"') and "plugin" not in type(client).__qualname__:
        line = f'"{line}"'  # the plugin takes lines as typed at the prompt, the others what cmd /c is given
    assert client.run(line, given) == seen


def test_a_shell_runs_command_after_command(client: Client) -> None:
    assert [client.run(f"echo {number}")[1] for number in range(20)] == [f"{n}\n".encode() for n in range(20)]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_silent_command_outlasts_the_operation_timeout(name: str) -> None:
    with desktop() as (_, place), CLIENTS[name](replace(place, operation_timeout=1)) as client:
        assert client.run("sleep 2.5; echo done") == (0, b"done\n", b"")


@pytest.mark.parametrize("name", CLIENTS)
def test_wrong_password(name: str, target: Target) -> None:
    with (
        pytest.raises(Exception, match=r"credentials|authenticate"),
        CLIENTS[name](replace(target, password="x")),
    ):
        pass


@pytest.mark.parametrize("name", CLIENTS)
def test_untrusted_certificate(name: str, pem: Path, tmp_path: Path) -> None:
    stranger = certificate(tmp_path)
    with (
        desktop(certificate=pem) as (_, place),
        pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"),
        CLIENTS[name](replace(place, tls=stranger)),
    ):
        pass


@pytest.mark.parametrize("generation", [WINRM_2, WINRM_3], ids=["2.0", "3.0"])
@pytest.mark.parametrize("name", CLIENTS)
def test_too_many_shells(name: str, generation: Generation) -> None:
    few = replace(generation.quotas, shells_per_user=1)
    with (
        desktop(generation=generation, quotas=few) as (_, place),
        CLIENTS[name](place),
        pytest.raises(Exception, match="maximum number of 1 concurrent shells"),
        CLIENTS[name](place),
    ):
        pass


@pytest.mark.parametrize("name", CLIENTS)
def test_not_an_administrator(name: str) -> None:
    with (
        desktop() as (_, place),
        pytest.raises(Exception, match=r"Access is denied"),
        CLIENTS[name](replace(place, user="reader", password="other pw")),
    ):
        pass


@pytest.mark.parametrize("name", CLIENTS)
def test_bound_to_the_certificate(name: str, pem: Path) -> None:
    with desktop(certificate=pem, channel_binding=True) as (_, place), CLIENTS[name](place) as client:
        assert client.run("echo x")[0] == 0


@pytest.mark.parametrize("generation", [WINRM_2, WINRM_3], ids=["2.0", "3.0"])
def test_the_plugin_opens_a_new_shell_when_operations_run_out(generation: Generation) -> None:
    few = replace(generation.quotas, operations_per_user=2, shells_per_user=1)
    with desktop(generation=generation, quotas=few) as (endpoint, place), plugin(place) as client:
        assert [client.run(f"exit {number}")[0] for number in range(7)] == list(range(7))
        assert len(endpoint.service.shells) == 1


def test_the_plugin_opens_a_new_shell_when_the_old_one_is_gone() -> None:
    with desktop() as (endpoint, place), plugin(place) as client:
        client.run("true")
        endpoint.service.shells.close()
        assert client.run("echo again") == (0, b"again\n", b"")


def test_operations_that_others_hold_are_an_error_by_name() -> None:
    few = replace(WINRM_3.quotas, operations_per_user=1)
    with desktop(quotas=few) as (_, place), plugin(place) as first, plugin(place) as second:
        first.run("true")
        with pytest.raises(AnsibleError, match="as many operations open as the desktop allows"):
            second.run("true")


TROUBLES: list[tuple[str, dict[str, Any], dict[str, Any], type[Exception]]] = [
    ("credentials of pool-admin were refused", {}, {"ansible_password": "x"}, AnsibleAuthenticationFailure),
    (
        "reader may log in but not open a command shell",
        {},
        {"ansible_user": "reader", "ansible_password": "other pw"},
        AnsibleConnectionFailure,
    ),
    ("policy forbids remote shells", {"remote_shells": False}, {}, AnsibleConnectionFailure),
    ("not WS-Management", {}, {"ansible_winrm_path": "/other"}, AnsibleConnectionFailure),
    ("no TLS is spoken there", {}, {"ansible_winrm_scheme": "https"}, AnsibleConnectionFailure),
    (
        "because it was not encrypted",
        {},
        {"_extras": {"ansible_winrm_message_encryption": "never"}},
        AnsibleConnectionFailure,
    ),
    ("credentials", {}, {"ansible_winrm_transport": ["basic"]}, AnsibleAuthenticationFailure),
    ("nobody listens", {}, {"ansible_port": 1}, AnsibleConnectionFailure),
]


@pytest.mark.parametrize(("words", "changes", "variables", "kind"), TROUBLES)
def test_troubles_have_names(words: str, changes: Any, variables: Any, kind: type[Exception]) -> None:
    with desktop(**changes) as (_, place):
        with pytest.raises(kind, match=words) as caught:
            connect(place, **variables).exec_command("true")
        assert "127.0.0.1:" in str(caught.value) and "Next: " in str(caught.value)
        assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "name", "days"),
    [("out of its time", "127.0.0.1", -1), ("names another host", "pc9.example.org", 2)],
)
def test_certificates_that_are_no_good(words: str, name: str, days: int, tmp_path: Path) -> None:
    with (
        desktop(certificate=certificate(tmp_path, name, days)) as (_, place),
        pytest.raises(AnsibleConnectionFailure, match=words),
    ):
        connect(place).exec_command("true")


def test_one_way_to_log_in_after_the_other(pem: Path) -> None:
    with desktop(certificate=pem) as (_, place):
        connection = connect(place, ansible_winrm_transport=["basic", "ntlm"])
        assert connection.exec_command("echo hi") == (0, b"hi\n", b"")
        connection.close()


def test_an_idle_connection_that_was_closed_is_opened_again(target: Target) -> None:
    with desktop(certificate=target.tls) as (endpoint, place), plugin(place) as client:
        client.run("true")
        for connection in list(endpoint._open):
            shut(connection)
        time.sleep(0.2)
        assert client.run("echo again") == (0, b"again\n", b"")


def test_a_desktop_that_goes_in_the_middle_is_an_error_by_name() -> None:
    with desktop() as (endpoint, place):
        connection = connect(place)
        connection.exec_command("true")
        threading.Timer(1, endpoint.stop).start()
        with pytest.raises(AnsibleConnectionFailure, match=r"connection broke|nobody listens"):
            connection.exec_command("sleep 30")
        connection.close()
        endpoint.stop = lambda: None  # type: ignore[method-assign]


def test_a_program_that_takes_no_input_still_tells_its_exit_code() -> None:
    with desktop() as (_, place), plugin(place) as client:
        assert client.run("exec 0<&-; echo enough; sleep 0.5; exit 9", b"x" * 1_000_000) == (
            9,
            b"enough\n",
            b"",
        )


def test_a_slow_reader_gets_all_its_input() -> None:
    given = os.urandom(400_000)
    with desktop() as (_, place), plugin(replace(place, operation_timeout=1)) as client:
        code, out, _ = client.run("sleep 3; cat", given)
    assert (code, out == given) == (0, True)


def test_output_in_an_old_code_page_comes_as_utf_8() -> None:
    with desktop() as (_, place), plugin(place, ansible_winrm_codepage=850) as client:
        assert client.run("printf '\\204\\341'")[1].decode() == "äß"


def test_copies_files(target: Target, tmp_path: Path) -> None:
    connection = connect(target, ansible_winrm_agent_python=sys.executable)
    source, there, back = tmp_path / "source", tmp_path / "there & 50%", tmp_path / "back"
    source.write_bytes(os.urandom(300_000))
    connection.put_file(str(source), str(there))
    connection.fetch_file(str(there), str(back))
    assert there.read_bytes() == back.read_bytes() == source.read_bytes()
    with pytest.raises(AnsibleFileNotFound):
        connection.fetch_file(str(tmp_path / "none"), str(back))
    with pytest.raises(AnsibleFileNotFound):
        connection.put_file(str(tmp_path / "none"), str(there))
    connection.close()


def test_copies_nothing_without_the_agent(target: Target, tmp_path: Path) -> None:
    connection = connect(target)
    (tmp_path / "x").touch()
    with pytest.raises(AnsibleError, match="ansible_winrm_agent_python"):
        connection.put_file(str(tmp_path / "x"), "C:\\x")
    with pytest.raises(AnsibleError, match="ansible_winrm_agent_python"):
        connection.fetch_file("C:\\x", str(tmp_path / "y"))
    connection.close()
