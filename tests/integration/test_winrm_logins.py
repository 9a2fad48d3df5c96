# SPDX-License-Identifier: GPL-3.0-or-later
"""Client certificates and CredSSP, through Ansible's connection and pypsrp."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure
from client_authority import Authority, authority
from desktop_clients import PASSWORD, Target, certificate, connect, desktop
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan

from eyrie.lab.wsman import sealing

pytestmark = pytest.mark.slow

CREDSSP = pytest.mark.skipif(
    importlib.util.find_spec("requests_credssp") is None,
    reason="the extra `credssp` (requests-credssp) is not installed",
)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("clients") / "own")


@contextmanager
def mapped(folder: Path, clients: Authority) -> Iterator[Target]:
    """A desktop that maps client certificates."""
    pem = certificate(folder)
    with desktop(certificate=pem, client_authority=clients.pem) as (endpoint, place):
        yield place
        assert len(endpoint.service.shells) == 0, "a client left its shell behind"


def with_certificate(place: Target, told: dict[str, str]) -> Any:
    """Ansible's connection, with a certificate and without a password."""
    extras = {
        **told,
        "ansible_winrm_ca_trust_path": str(place.tls),
        "ansible_winrm_proxy": None,
        "ansible_winrm_operation_timeout_sec": 20,
        "ansible_winrm_read_timeout_sec": 30,
    }
    return connect(place, ansible_user=None, ansible_password=None, _extras=extras)


def test_a_client_certificate_logs_its_account_in(tmp_path: Path, clients: Authority) -> None:
    with mapped(tmp_path, clients) as place:
        connection = with_certificate(place, clients.issue())
        assert connection.exec_command("cat; exit 3", in_data=b"\0\xff") == (3, b"\0\xff", b"")
        connection.close()


def test_the_second_client_logs_in_by_certificate(tmp_path: Path, clients: Authority) -> None:
    told = clients.issue()
    with mapped(tmp_path, clients) as place:
        wsman = WSMan(
            "127.0.0.1",
            port=place.port,
            auth="certificate",
            certificate_pem=told["ansible_winrm_cert_pem"],
            certificate_key_pem=told["ansible_winrm_cert_key_pem"],
            cert_validation=str(place.tls),
            no_proxy=True,
        )
        with wsman, WinRS(wsman) as shell:
            process = Process(shell, "exit 7")
            process.invoke()
            assert process.rc == 7


def test_passwords_work_beside_certificates(tmp_path: Path, clients: Authority) -> None:
    with mapped(tmp_path, clients) as place:
        connection = connect(place)
        assert connection.exec_command("echo hi") == (0, b"hi\n", b"")
        connection.close()


@pytest.mark.parametrize("principal", ["stranger@localhost", "pool-admin", "reader@localhost"])
def test_a_certificate_that_is_mapped_to_nobody(tmp_path: Path, clients: Authority, principal: str) -> None:
    with (
        mapped(tmp_path, clients) as place,
        pytest.raises(AnsibleAuthenticationFailure, match=r"credentials of .* were refused"),
    ):
        with_certificate(place, clients.issue(principal)).exec_command("true")


def test_a_desktop_that_maps_no_certificates(tmp_path: Path, clients: Authority) -> None:
    with (
        desktop(certificate=certificate(tmp_path)) as (_, place),
        pytest.raises(AnsibleAuthenticationFailure, match=r"credentials of .* were refused"),
    ):
        with_certificate(place, clients.issue()).exec_command("true")


@pytest.mark.parametrize("bad", ["other authority", "expired", "for servers", "no file"])
def test_client_certificates_that_are_no_good(tmp_path: Path, clients: Authority, bad: str) -> None:
    told = {
        "other authority": lambda: authority(tmp_path / "other").issue(),
        "expired": lambda: clients.issue(days=-1),
        "for servers": lambda: clients.issue(purpose="SERVER_AUTH"),
        "no file": lambda: {**clients.issue(), "ansible_winrm_cert_pem": str(tmp_path / "none")},
    }[bad]()
    with mapped(tmp_path, clients) as place:
        with pytest.raises(AnsibleConnectionFailure, match="the client certificate was refused") as caught:
            with_certificate(place, told).exec_command("true")
        assert "Next: " in str(caught.value)


def test_a_certificate_needs_https(clients: Authority) -> None:
    with (
        desktop() as (_, place),
        pytest.raises(AnsibleAuthenticationFailure, match=r"credentials of .* were refused"),
    ):
        with_certificate(place, clients.issue()).exec_command("true")


BIG = bytes(range(256)) * 1024


def credssp(place: Target, **variables: Any) -> Any:
    return connect(place, ansible_winrm_transport=["credssp"], **variables)


@CREDSSP
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_credssp(tmp_path: Path, tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed: list[int] = []
    monkeypatch.setattr(sealing, "pack_all", _watched(sealed))
    with desktop(credssp=True, certificate=certificate(tmp_path) if tls else None) as (endpoint, place):
        connection = credssp(place)
        assert connection.exec_command("cat; exit 3", in_data=BIG) == (3, BIG, b"")
        assert connection.exec_command("echo hé") == (0, "hé\n".encode(), b"")
        connection.close()
        assert len(endpoint.service.shells) == 0
    # A record of TLS holds no more; over HTTPS nothing is sealed again.
    assert (max(sealed) == 16 * 1024) if not tls else not sealed


def _watched(lengths: list[int]) -> Any:
    pack = sealing.pack_all

    def watch(parts: Any, protocol: str) -> bytes:
        lengths.extend(length for _, _, length in parts)
        return pack(parts, protocol)

    return watch


@CREDSSP
def test_the_second_client_logs_in_by_credssp() -> None:
    with desktop(credssp=True) as (_, place):
        wsman = WSMan(
            "127.0.0.1",
            port=place.port,
            ssl=False,
            auth="credssp",
            username=place.user,
            password=place.password,
            encryption="always",
            no_proxy=True,
        )
        with wsman, WinRS(wsman) as shell:
            process = Process(shell, "head -c 100000 /dev/zero; exit 7")
            process.invoke()
            assert (process.rc, process.stdout) == (7, b"\0" * 100_000)


@CREDSSP
@pytest.mark.parametrize("offered", [True, False], ids=["wrong-password", "not-offered"])
def test_credssp_that_is_refused(offered: bool) -> None:
    with (
        desktop(credssp=offered) as (_, place),
        pytest.raises(AnsibleAuthenticationFailure, match="credentials of pool-admin were refused") as caught,
    ):
        credssp(replace(place, password="x" if offered else PASSWORD)).exec_command("true")
    assert PASSWORD not in str(caught.value)


@pytest.mark.skipif(not CREDSSP.args[0], reason="requests-credssp is installed")
def test_credssp_without_its_library_says_what_to_install() -> None:
    with desktop() as (_, place), pytest.raises(AnsibleConnectionFailure, match=r"eyrie\[credssp\]"):
        credssp(place).exec_command("true")
