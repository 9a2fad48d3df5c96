# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from eyrie.credentials.authority import (
    Authority,
    WantedCertificate,
    certificate_renewal_reason,
    issue,
    new_authority,
    revocations,
    serial_numbers,
)
from eyrie.errors import EyrieError

NOW = datetime(2026, 11, 21, tzinfo=UTC)
POOL = new_authority("lab", NOW)
OTHER = new_authority("other", NOW)
WANTED = WantedCertificate(("master.example.org", "192.0.2.10"), 90)
ISSUED = issue(POOL, WANTED, NOW)


def reason(pem: str = ISSUED, days: float = 1, authority: Authority = POOL, **changes: object) -> str:
    wanted = replace(WANTED, **changes)  # type: ignore[arg-type]
    return certificate_renewal_reason(pem, wanted, authority.certificate, NOW + timedelta(days=days))


def test_a_new_certificate_is_good() -> None:
    assert reason() == ""


@pytest.mark.parametrize("days, renewed", [(0, False), (58, False), (61, True), (400, True)])
def test_it_is_renewed_when_a_third_of_its_life_is_left(days: float, renewed: bool) -> None:
    assert bool(reason(days=days)) is renewed


KEY, _, CERTIFICATE = ISSUED.partition("-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(
    "pem, words",
    [
        ("", "missing"),
        ("nonsense", "malformed"),
        (KEY, "malformed"),
        (POOL.private_key + "-----BEGIN CERTIFICATE-----" + CERTIFICATE, "key belongs"),
        (issue(OTHER, WANTED, NOW), "another authority"),
        (issue(POOL, replace(WANTED, names=("elsewhere",)), NOW), "names something else"),
        (issue(POOL, replace(WANTED, days=30), NOW), "another lifetime"),
        (issue(POOL, WANTED, NOW + timedelta(days=9)), "in the future"),
        (issue(POOL, replace(WANTED, use="desktop"), NOW), "another use"),
    ],
)
def test_why_a_certificate_is_renewed(pem: str, words: str) -> None:
    assert words in reason(pem)


@pytest.mark.parametrize(
    "authority",
    [
        Authority("x", "y"),
        Authority(POOL.certificate, OTHER.private_key),
        Authority(POOL.certificate, ""),
    ],
)
def test_an_authority_that_is_none_signs_nothing(authority: Authority) -> None:
    with pytest.raises(EyrieError, match="pool's certificate authority"):
        issue(authority, WANTED, NOW)


def test_openssl_agrees(tmp_path: Path) -> None:
    """An independent program accepts the chain, for these names, for a server, and for nothing else."""
    (tmp_path / "ca.pem").write_text(POOL.certificate)
    (tmp_path / "server.pem").write_text(ISSUED)

    def accepted(*options: str, purpose: str = "sslserver") -> bool:
        command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "-purpose", purpose]
        at = ["-attime", str(int(NOW.timestamp()) + 60)]
        done = subprocess.run([*command, *at, *options, "server.pem"], cwd=tmp_path, capture_output=True)
        return done.returncode == 0

    assert accepted("-verify_hostname", "master.example.org")
    assert accepted("-verify_ip", "192.0.2.10")
    assert not accepted("-verify_ip", "192.0.2.11")
    assert not accepted(purpose="sslclient")


def test_a_desktops_certificate_is_of_no_use_to_a_server(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(POOL.certificate)
    wanted = WantedCertificate(("desk-1",), 30, "desktop")
    (tmp_path / "desktop.pem").write_text(issue(POOL, wanted, NOW))
    for purpose, good in (("sslclient", True), ("sslserver", False)):
        command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "-purpose", purpose]
        command += ["-attime", str(int(NOW.timestamp())), "desktop.pem"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode == 0) is good, done.stderr


def serial(pem: str) -> int:
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_a_revoked_certificate_is_renewed_and_openssl_refuses_it(tmp_path: Path) -> None:
    authority = new_authority("lab", NOW)
    stolen, good = issue(authority, WANTED, NOW), issue(authority, WANTED, NOW)
    revoked = {serial(stolen)}
    for pem, words in ((stolen, "certificate is revoked"), (good, "")):
        assert certificate_renewal_reason(pem, WANTED, authority.certificate, NOW, revoked) == words
    (tmp_path / "ca.pem").write_text(authority.certificate)
    (tmp_path / "crl.pem").write_text(revocations(authority, revoked))
    for name, pem, status in (("stolen", stolen, 2), ("good", good, 0)):
        (tmp_path / name).write_text(pem)
        words = ["openssl", "verify", "-attime", str(int(NOW.timestamp())), "-crl_check"]
        words += ["-CAfile", "ca.pem", "-CRLfile", "crl.pem", name]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, "revoked" in done.stderr) == (status, status == 2), done.stderr


def test_the_same_list_of_revoked_certificates_is_the_same_text() -> None:
    authority = new_authority("lab", NOW)
    assert revocations(authority, [2, 1]) == revocations(authority, [1, 2])
    assert revocations(authority, []) != revocations(authority, [1])


def test_serial_numbers_are_read_as_openssl_tells_them() -> None:
    assert serial_numbers(["serial=0A0B", "0a:0b", "FF"]) == {0x0A0B, 0xFF}


@pytest.mark.parametrize("text", ["", "0", "0x12", "twelve", "12 34", "1" * 41])
def test_what_is_no_serial_number_is_named(text: str) -> None:
    with pytest.raises(EyrieError, match="serial number of a certificate"):
        serial_numbers([text])
