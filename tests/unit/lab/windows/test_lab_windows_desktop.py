# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab makes of a Windows host: its file, credentials, inventory, sessions, power supply, image."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from eyrie.errors import EyrieError
from eyrie.lab import inventory, recipes
from eyrie.lab.model import Topology
from eyrie.lab.paths import Paths
from eyrie.lab.plan import Present, plan
from eyrie.lab.topology import parse
from eyrie.lab.windows import credentials, desktop, recipe, supply, way_in
from eyrie.lab.windows.session import NOBODY, Session, script
from eyrie.lab.windows.session import parse as session

HOST: dict[str, Any] = {
    "kind": "windows",
    "subnet": "hq",
    "address": "10.9.1.21",
    "groups": ["windows_desktops"],
}


def lab(**changes: Any) -> Topology:
    hosts = {"win-1": {**HOST, **changes}}
    return parse({"name": "w", "subnets": {"hq": {"network": "10.9.1.0/24"}}, "hosts": hosts}, "lab.yml")


def test_ansible_must_know_how_to_speak_to_it() -> None:
    with pytest.raises(EyrieError, match=r"win-1\.groups.*windows_desktops among them"):
        lab(groups=["agent"])


def test_it_has_an_owner_and_no_ssh() -> None:
    (host,) = lab().hosts
    assert (host.is_desktop, host.is_windows, host.is_node, host.is_emulated) == (True, True, False, False)


def test_the_way_in_is_opened_for_windows_only() -> None:
    assert [step.verb for step in plan(lab(), Present()) if step.verb == "proxy"] == ["proxy"]
    linux = lab(kind="container", groups=["linux_desktops"])
    assert [step.verb for step in plan(linux, Present()) if step.verb == "proxy"] == []


@pytest.fixture
def made(tmp_path: Path) -> tuple[Paths, Topology]:
    paths, topology = Paths("w", tmp_path), lab()
    credentials.ensure(paths, topology)
    return paths, topology


def test_credentials_are_whole_secret_and_stay(made: tuple[Paths, Topology]) -> None:
    paths, topology = made
    (host,) = topology.hosts
    files = [
        credentials.authority(paths),
        credentials.password_file(paths),
        credentials.certificate(paths, host),
    ]
    assert credentials.are_made(paths, topology)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    before = [file.read_bytes() for file in files]
    credentials.ensure(paths, topology)
    assert [file.read_bytes() for file in files] == before
    files[2].unlink()
    assert not credentials.are_made(paths, topology)
    credentials.ensure(paths, topology)
    assert files[1].read_bytes() == before[1], "another password would lock out who has the first"


def test_no_key_of_the_authority_is_left(made: tuple[Paths, Topology]) -> None:
    paths, _ = made
    assert "PRIVATE" not in credentials.authority(paths).read_text()
    assert len(credentials.password_file(paths).read_text()) >= 24


@pytest.mark.parametrize(("name", "trusted"), [("10.9.1.21", True), ("win-1", True), ("10.9.1.22", False)])
def test_openssl_trusts_the_certificate_for_its_host(
    made: tuple[Paths, Topology], name: str, trusted: bool
) -> None:
    paths, topology = made
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(credentials.certificate(paths, topology.hosts[0]))
    client = ssl.create_default_context(cafile=str(credentials.authority(paths)))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    one, two = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(one, server_side=True).close()
        except OSError:
            one.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        if trusted:
            client.wrap_socket(two, server_hostname=name).close()
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                client.wrap_socket(two, server_hostname=name)
    finally:
        two.close()
        thread.join()


def test_the_certificate_serves_and_signs_nothing(made: tuple[Paths, Topology]) -> None:
    paths, topology = made
    pem = credentials.certificate(paths, topology.hosts[0]).read_bytes()
    found = x509.load_pem_x509_certificate(pem)
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_inventory_reads_what_up_made(
    made: tuple[Paths, Topology], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, topology = made
    way_in.port_file(paths).write_text("4711")
    monkeypatch.setattr(inventory, "Paths", lambda _: paths)
    found = inventory.variables(topology, topology.hosts[0])
    assert found["ansible_host"] == "10.9.1.21"
    assert found["ansible_password"] == credentials.password_file(paths).read_text()
    assert found["ansible_winrm_proxy"] == "http://127.0.0.1:4711"
    assert found["ansible_winrm_ca_trust_path"] == str(credentials.authority(paths))
    assert not any("ssh" in name for name in found)


def test_before_up_there_is_nothing_to_log_in_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "Paths", lambda _: Paths("w", tmp_path))
    topology = lab()
    found = inventory.variables(topology, topology.hosts[0])
    assert not {"ansible_password", "ansible_winrm_proxy"} & found.keys()


def test_no_secret_in_the_command_line(made: tuple[Paths, Topology]) -> None:
    paths, topology = made
    words = " ".join(desktop.command(topology, paths, topology.hosts[0]))
    assert credentials.password_file(paths).read_text() not in words
    assert "--boot" not in words


def test_scripted_sessions() -> None:
    sessions = [Session(locked=True), Session(2, "disconnected", "bob", remote=True), *NOBODY]
    text = script(sessions)
    assert (
        text
        == "1 active owner locked console\n2 disconnected bob unlocked rdp\n1 connected - unlocked console\n"
    )
    assert [session(line) for line in text.splitlines()] == sessions


@pytest.mark.parametrize(
    "words", ["", "1 active owner", "0 active a locked rdp", "x active a locked rdp", "1 asleep a locked rdp",
              "1 active a shut rdp", "1 active aaaaaaaaaaaaaaaaaaaaa locked rdp",
              "1 active üüüüüüüüüüü locked rdp"],
)  # fmt: skip
def test_bad_sessions_are_refused(words: str) -> None:
    with pytest.raises(EyrieError, match="session"):
        session(words)


def test_mains_and_battery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply, "PLACE", str(tmp_path))
    folder = tmp_path / "supply"
    supply.write(folder, "battery")
    assert (folder / "AC/online").read_text() == "0\n"
    assert (folder / "BAT0/status").read_text() == "Discharging\n"
    supply.write(folder, "none")
    assert list(folder.iterdir()) == []
    with pytest.raises(EyrieError, match="mains"):
        supply.write(folder, "sun")
    monkeypatch.setattr(supply, "PLACE", str(tmp_path / "no"))
    with pytest.raises(EyrieError, match="kernel"):
        supply.write(folder, "mains")


def test_a_changed_stand_in_makes_another_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe.customise()
    assert recipes.RECIPES["windows"].customise == before
    data = tmp_path / "data"
    shutil.copytree(recipe.DATA, data)
    monkeypatch.setattr(recipe, "DATA", data)
    assert recipe.customise() == before
    for name in ("launcher.c", "colinux/daemon.c"):
        old = (data / name).read_bytes()
        (data / name).write_bytes(old + b"//")
        assert recipe.customise() != before, name
        (data / name).write_bytes(old)
    assert len(before) < 100_000, "Linux takes 128 KiB in one environment variable"


@contextmanager
def asked(words: str, targets: set[str]) -> Iterator[bytes]:
    ours, proxys = socket.socketpair()
    thread = threading.Thread(target=way_in.serve, args=(proxys, "none", targets))
    thread.start()
    ours.sendall(words.encode())
    yield ours.recv(1000)
    ours.close()
    thread.join()


@pytest.mark.parametrize(
    "words",
    [
        "CONNECT 10.9.1.21:22 HTTP/1.1\r\n\r\n",
        "GET http://10.9.1.21:5986/ HTTP/1.1\r\n\r\n",
        "CONNECT 10.9.1.21:5986\r\n\r\n",
        "CONNECT localhost:5986 HTTP/1.1\r\n\r\n",
    ],
)
def test_the_way_in_leads_to_desktops_only(words: str) -> None:
    with asked(words, {"10.9.1.21:5986"}) as answer:
        assert answer.startswith(b"HTTP/1.1 403 ")


def test_the_way_in_joins_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(way_in.namespaces, "connect", lambda *_: theirs)
    monkeypatch.setattr(way_in.socket, "TCP_NODELAY", socket.SO_KEEPALIVE)
    monkeypatch.setattr(way_in.socket, "IPPROTO_TCP", socket.SOL_SOCKET)  # these two are no TCP
    with asked("CONNECT 10.9.1.21:5986 HTTP/1.1\r\nHost: x\r\n\r\nhello", {"10.9.1.21:5986"}) as answer:
        assert answer == b"HTTP/1.1 200 Connected\r\n\r\n"
        assert ours.recv(100) == b"hello"
    assert ours.recv(100) == b""
    ours.close()
