# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos through Ansible's connection: a real KDC, kinit, tickets, and messages sealed with their keys."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from desktop_clients import PASSWORD, USER, Target, certificate, connect, desktop
from kerberos_place import PROGRAMS, REALM, Realm, programs, realm

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("kerberos") is None,
        reason="the extra `kerberos` (pykerberos, built with libkrb5-dev) is not installed",
    ),
    pytest.mark.skipif(
        len(programs()) < len(PROGRAMS),
        reason="no KDC here: apt install krb5-kdc krb5-admin-server krb5-user",
    ),
]
BIG = bytes(range(256)) * 1024


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    with realm(tmp_path_factory.mktemp("realm"), USER, PASSWORD) as made:
        yield made


@pytest.fixture
def client(domain: Realm, monkeypatch: pytest.MonkeyPatch) -> Realm:
    for name in ("KRB5_CONFIG", "KRB5CCNAME"):
        monkeypatch.setenv(name, domain.environment[name])
    (domain.folder / "tickets").unlink(missing_ok=True)
    return domain


@contextmanager
def member(domain: Realm, tls: Path | None = None) -> Iterator[Target]:
    """A desktop that is a member of the domain."""
    with desktop(keytab=domain.keytab, certificate=tls) as (endpoint, place):
        yield place
        assert len(endpoint.service.shells) == 0


def log_in(domain: Realm, place: Target, **variables: Any) -> Any:
    told = {
        "ansible_host": "localhost",
        "ansible_user": f"{USER}@{REALM}",
        "ansible_winrm_kinit_cmd": domain.found["kinit"],
        "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG", "LD_LIBRARY_PATH"],
    }
    return connect(place, **{**told, **variables})


@pytest.mark.parametrize("tls", [False, True], ids=["sealed", "https"])
def test_kerberos(client: Realm, tmp_path: Path, tls: bool) -> None:
    pem = certificate(tmp_path, "localhost") if tls else None
    with member(client, pem) as place:
        connection = log_in(client, place)
        assert connection.exec_command("cat; exit 3", in_data=BIG) == (3, BIG, b"")
        assert connection.exec_command("echo hé") == (0, "hé\n".encode(), b"")
        connection.close()


def test_ntlm_works_beside_kerberos(client: Realm) -> None:
    with member(client) as place:
        connection = connect(place)
        assert connection.exec_command("echo hi") == (0, b"hi\n", b"")
        connection.close()


def test_a_ticket_that_was_got_by_hand(client: Realm) -> None:
    client.run("kinit", f"{USER}@{REALM}", given=PASSWORD + "\n")
    with member(client) as place:
        connection = log_in(client, place, ansible_winrm_kinit_mode="manual", ansible_password=None)
        assert connection.exec_command("exit 4")[0] == 4
        connection.close()


@pytest.mark.parametrize(
    "bad",
    [
        {"ansible_password": "wrong"},
        {"ansible_user": f"nobody@{REALM}"},
        {"ansible_winrm_kinit_cmd": "/no/such/kinit"},
        {"ansible_winrm_kinit_mode": "manual"},
        {"ansible_host": "127.0.0.1"},
    ],
    ids=["password", "user", "kinit", "ticket", "address"],
)
def test_what_kerberos_refuses_has_a_name(client: Realm, bad: dict[str, Any]) -> None:
    with member(client) as place:
        with pytest.raises(AnsibleConnectionFailure, match="no Kerberos ticket could be got or used") as seen:
            log_in(client, place, **bad).exec_command("true")
        assert PASSWORD not in str(seen.value)


def test_a_desktop_with_other_keys_is_not_believed(client: Realm, tmp_path: Path) -> None:
    with realm(tmp_path, USER, PASSWORD) as other, member(other) as place:
        with pytest.raises(AnsibleConnectionFailure) as seen:
            log_in(client, place).exec_command("true")
        assert "refused" in str(seen.value) or "Kerberos" in str(seen.value)
