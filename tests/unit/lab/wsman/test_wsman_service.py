# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from dataclasses import replace

import pytest
from wsman_client import Client, Played, Stage

from eyrie.errors import EyrieError
from eyrie.lab.wsman import names
from eyrie.lab.wsman.runner import Order
from eyrie.lab.wsman.service import Service
from eyrie.lab.wsman.settings import WINRM_2, WINRM_3, Account, Generation, Quotas, Settings
from eyrie.lab.wsman.shells import Shell, Shells

ACCOUNTS = (
    Account("admin", "pw one"),
    Account("guest", "pw two", administrator=False),
    Account("other", "pw 3"),
)
SMALL = Quotas(2, 3, 2, 150, 100.0, max_timeout=0.2)


def office(**changes: object) -> tuple[Service, Stage]:
    stage = Stage()
    settings = replace(Settings(ACCOUNTS, quotas=SMALL, machine="PC<7>"), **changes)  # type: ignore[arg-type]
    return Service(settings, stage), stage


def started(**changes: object) -> tuple[Client, str, Played]:
    service, stage = office(**changes)
    client = Client(service)
    client.create()
    return client, client.command("echo hi").text("CommandId"), stage.processes[-1]


def test_a_command_from_start_to_end() -> None:
    client, command, process = started()
    assert process.order.line == "echo hi" and process.order.console_input
    process.sink.output("stdout", b"h\xc3\xa9")
    first = client.receive(command)
    assert (first.stream("stdout"), first.text("ExitCode")) == (b"h\xc3\xa9", "")
    assert first.state == names.STATE_RUNNING
    process.sink.output("stderr", b"no")
    process.sink.ended(3010)
    last = client.receive(command)
    assert (last.stream("stderr"), last.text("ExitCode"), last.text("RelatesTo")) == (b"no", "3010", "uuid:1")
    assert client.signal(command).status == 200
    assert client.receive(command).code == 2150858843
    assert client.ask(names.DELETE).status == 200
    assert client.command("x").code == 2150858843


def test_hands_on_what_the_shell_was_told() -> None:
    service, stage = office()
    client = Client(service)
    told = "<rsp:WorkingDirectory>C:\\x</rsp:WorkingDirectory><rsp:Environment>"
    told += '<rsp:Variable Name="A">1</rsp:Variable></rsp:Environment>'
    option = '<w:OptionSet><w:Option Name="{}">{}</w:Option></w:OptionSet>'
    client.create(told, options=option.format("winrs_codepage", 65001))
    client.command("x &amp; y", options=option.format("WINRS_CONSOLEMODE_STDIN", "FALSE"))
    client.command("x", options=option.format("WINRS_SKIP_CMD_SHELL", "true"))
    first, second = (each.order for each in stage.processes)
    assert (first.directory, first.environment, first.codepage) == ("C:\\x", {"A": "1"}, 65001)
    assert (first.line, first.console_input, first.skip_cmd) == ("x & y", False, False)
    assert second.console_input and second.skip_cmd


def test_joins_arguments() -> None:
    service, stage = office()
    client = Client(service)
    client.create()
    body = "<rsp:Command>a</rsp:Command><rsp:Arguments>b c</rsp:Arguments><rsp:Arguments>d</rsp:Arguments>"
    client.ask(names.COMMAND, f'<rsp:CommandLine CommandId="my-id">{body}</rsp:CommandLine>')
    assert stage.processes[0].order.line == "a b c d"
    stage.processes[0].sink.ended(0)
    assert client.receive("MY-ID").text("ExitCode") == "0"


def test_no_output_in_time_is_a_fault_of_the_receiver() -> None:
    client, command, _process = started()
    answer = client.receive(command)
    assert (answer.status, answer.code) == (500, 2150858793)
    assert "OperationTimeout" in answer.text("Text") and answer.text("Value") == "s:Receiver"


def test_no_wait_is_longer_than_the_service_allows() -> None:
    client, command, _process = started()
    assert client.receive(command, "PT1H").code == 2150858793


def test_big_output_comes_in_envelopes_the_client_takes() -> None:
    client, command, process = started()
    data = bytes(range(256)) * 1024
    process.sink.output("stdout", data)
    process.sink.ended(0)
    got, answers = b"", 0
    while len(got) < len(data):
        answer = client.receive(command)
        got, answers = got + answer.stream("stdout"), answers + 1
        assert (answer.text("ExitCode") == "0") is (len(got) == len(data))
    assert got == data and answers == 3


def test_input_is_streamed() -> None:
    client, command, process = started()
    assert client.send(command, b"a\0").status == 200
    assert client.send(command, b"b", end=True).status == 200
    assert (process.taken, process.closed) == (b"a\0b", True)
    assert client.send(command, b"late").code == 109


def test_input_that_is_not_taken_in_time_is_taken_later() -> None:
    client, command, process = started()
    process.takes = 0
    assert client.send(command, b"slow").code == 2150858793
    assert client.send(command, b"more").code == 170
    process.takes = 1 << 30
    deadline = time.monotonic() + 10
    while client.send(command, b"", end=True).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert (process.taken, process.closed) == (b"slow", True)


def test_signals() -> None:
    client, command, process = started()
    assert client.signal(command, "ctrl_c").status == 200 and process.interrupted and not process.killed
    assert client.signal(command, "dance").status == 500
    assert client.signal(command, "Terminate").status == 200 and process.killed


def test_deleting_a_shell_ends_what_runs_in_it() -> None:
    client, _command, process = started()
    client.ask(names.DELETE)
    assert process.killed and len(client.service.shells) == 0


@pytest.mark.parametrize(("generation", "wmi"), [(WINRM_2, False), (WINRM_3, True)])
def test_quotas_of_shells(generation: Generation, wmi: bool) -> None:
    service, _stage = office(generation=generation)
    mine, other = Client(service), Client(service, "other")
    assert [mine.create().status for _ in range(2)] == [200, 200]
    refused = mine.create()
    assert refused.code == 2150859173
    assert "maximum number of 2 concurrent shells, which has been exceeded" in refused.text("Text")
    assert bool(refused.text("error_Code")) is wmi
    assert other.create().status == 200
    mine.ask(names.DELETE)
    assert mine.create().status == 200


def test_operations_come_back_only_with_a_new_shell() -> None:
    client, command, _process = started()
    for _ in range(2):
        client.signal(command)
        command = client.command("x").text("CommandId")
    client.signal(command)
    refused = client.command("x")
    assert refused.code == 2150859174 and "maximum number of 3 concurrent operations" in refused.text("Text")
    client.ask(names.DELETE)
    client.create()
    assert client.command("x").status == 200


def test_quota_of_processes() -> None:
    client, _command, process = started()
    assert client.command("x").status == 200
    assert client.command("x").code == 2150859241
    process.sink.ended(0)
    assert client.command("x").status == 200


def test_who_is_refused() -> None:
    service, _stage = office()
    assert Client(service, "guest").create().code == 5
    assert Client(service, "nobody").create().code == 5
    mine, other = Client(service), Client(service, "other")
    mine.create()
    other.shell = mine.shell
    assert other.command("x").code == 2150859177
    assert Client(office(remote_shells=False)[0]).create().code == 2150859180


def test_names_are_compared_as_windows_does() -> None:
    service, _stage = office()
    client = Client(service, "ADMIN")
    assert client.create().status == 200
    client.user, client.shell = "Admin", client.shell.lower()
    assert client.command("x").status == 200


def test_what_is_no_request() -> None:
    service, _stage = office()
    client = Client(service)
    assert client.ask("urn:nothing").code == 2150858753
    client.create()
    assert client.ask(names.COMMAND, "<rsp:Nothing/>").code == 2150858791
    for text in (b"", b"<x/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"):
        status, answer = service.handle("admin", text)
        assert status == 500 and b"2150858791" in answer
    assert b'Machine="PC&lt;7&gt;"' in answer
    status, answer = service.handle("admin", b" " * (150 * 1024 + 1))
    assert status == 500 and b"2150858790" in answer


def test_powershell_is_not_offered() -> None:
    service, _stage = office()
    text = f"<s:Envelope {names.NAMESPACES}><s:Header><a:Action>{names.CREATE}</a:Action><w:ResourceURI>http://schemas."
    text += "microsoft.com/powershell/Microsoft.PowerShell</w:ResourceURI></s:Header><s:Body/></s:Envelope>"
    assert b"2150858752" in service.handle("admin", text.encode())[1]


@pytest.mark.parametrize("generation", [WINRM_2, WINRM_3])
def test_identifies_its_generation(generation: Generation) -> None:
    assert f"Stack: {generation.stack}".encode() in office(generation=generation)[0].identify()


def test_shells_nobody_uses_go() -> None:
    now, stage = [0.0], Stage()
    shells = Shells(Settings(ACCOUNTS, quotas=SMALL), stage, clock=lambda: now[0])
    shell = shells.create(Shell("admin", 437, "", {}, idle_timeout=100.0))
    shells.start(shell, Order("x"))
    now[0] = 99.0
    shells.find(shell.id, "admin")
    now[0] = 198.0
    shells.find(shell.id, "admin")
    now[0] = 299.0
    shells.expire()
    assert len(shells) == 0 and stage.processes[0].killed


@pytest.mark.parametrize(
    ("name", "password"), [("", "x"), ("x", ""), ("a:b", "x"), ("a", "b:c"), ("a", "b\n")]
)
def test_refuses_accounts_that_cannot_be(name: str, password: str) -> None:
    with pytest.raises(EyrieError, match="account of a lab desktop"):
        Account(name, password)


def test_a_password_is_never_shown() -> None:
    assert "pw one" not in repr(Settings(ACCOUNTS))
