# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from eyrie.errors import EyrieError
from eyrie.windows.faults import Sight, Trouble, explain, name


def sight(**seen: object) -> Sight:
    return Sight(host="pc7.example.org", port=5986, user="pool-admin", **seen)  # type: ignore[arg-type]


# Codes and texts as recorded from real services and from the libraries of this side.
RECORDED = [
    (Trouble.QUOTA_SHELLS, {"status": 500, "fault_codes": frozenset({2150859173})}),
    (Trouble.QUOTA_OPERATIONS, {"status": 500, "fault_codes": frozenset({2150859174})}),
    (Trouble.QUOTA_OPERATIONS, {"status": 500, "fault_codes": frozenset({2150859240})}),
    (Trouble.QUOTA_OPERATIONS, {"status": 500, "fault_codes": frozenset({2150859241})}),
    (Trouble.QUOTA_USERS, {"status": 500, "fault_codes": frozenset({2150859179})}),
    (
        Trouble.SHELLS_FORBIDDEN,
        {"status": 500, "fault_codes": frozenset({2150859180}), "text": "Accès refusé."},
    ),
    (Trouble.NOT_ADMINISTRATOR, {"status": 500, "fault_codes": frozenset({5}), "text": "Zugriff verweigert"}),
    (Trouble.SHELL_GONE, {"status": 500, "fault_codes": frozenset({2150858843}), "started": True}),
    (Trouble.SHELL_GONE, {"status": 400, "started": True}),
    (Trouble.OTHER, {"status": 400}),
    (Trouble.TIMED_OUT, {"status": 500, "fault_codes": frozenset({2150858793})}),
    (Trouble.WRONG_PASSWORD, {"status": 401}),
    (Trouble.WRONG_PASSWORD, {"text": "the specified credentials were rejected by the server"}),
    (Trouble.WRONG_PASSWORD, {"text": "auth method ntlm requires a password"}),
    (Trouble.NOT_ENCRYPTED, {"status": 500, "scheme": "http"}),
    (Trouble.OTHER, {"status": 500, "scheme": "https"}),
    (Trouble.NO_WSMAN, {"status": 404}),
    (
        Trouble.CERTIFICATE_UNTRUSTED,
        {"text": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"},
    ),
    (
        Trouble.CERTIFICATE_EXPIRED,
        {"text": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired"},
    ),
    (
        Trouble.CERTIFICATE_NAME,
        {"text": "certificate verify failed: IP address mismatch, certificate is not valid for '10.0.0.1'."},
    ),
    (
        Trouble.CERTIFICATE_NAME,
        {"text": "certificate verify failed: Hostname mismatch, certificate is not valid"},
    ),
    (Trouble.OLD_TLS, {"text": "[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol (_ssl.c:997)"}),
    (Trouble.NO_TLS, {"text": "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:992)"}),
    (Trouble.SERVICE_OFF, {"text": "Failed to establish a new connection: [Errno 111] Connection refused"}),
    (Trouble.UNREACHABLE, {"text": "Connection to 10.0.0.1 timed out. (connect timeout=30)"}),
    (Trouble.UNREACHABLE, {"text": "Failed to establish a new connection: [Errno 113] No route to host"}),
    (Trouble.NO_SUCH_NAME, {"text": "Failed to resolve 'pc7' ([Errno -2] Name or service not known)"}),
    (Trouble.TIMED_OUT, {"text": "Read timed out. (read timeout=30)", "started": True}),
    (Trouble.CONNECTION_LOST, {"text": "('Connection aborted.', RemoteDisconnected('Remote end closed'))"}),
    (Trouble.NO_KERBEROS, {"text": "Kerberos auth failure when calling kinit cmd 'kinit'"}),
    (Trouble.NO_KERBEROS, {"text": "authGSSClientInit() failed: (('No credentials were supplied', 458752))"}),
    (Trouble.CLIENT_CERTIFICATE, {"text": "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca"}),
    (Trouble.CLIENT_CERTIFICATE, {"text": "ssl/tls alert certificate expired (_ssl.c:2638)"}),
    (Trouble.CLIENT_CERTIFICATE, {"text": "cert_pem file not found (/x.pem)"}),
    (
        Trouble.NOT_INSTALLED,
        {"text": "requests auth method is credssp, but requests-credssp is not installed"},
    ),
    (
        Trouble.NOT_INSTALLED,
        {"text": "authentication requested but the python kerberos library is not installed. Please"},
    ),
    (
        Trouble.WRONG_PASSWORD,
        {"text": "The server did not response CredSSP being an available authentication method - actual: ''"},
    ),
    (
        Trouble.WRONG_PASSWORD,
        {"text": "Received error status from the server: (3221225581) STATUS_LOGON_FAILURE 0xc000006d"},
    ),
    (Trouble.OTHER, {"text": "something new"}),
]


@pytest.mark.parametrize(("trouble", "seen"), RECORDED)
def test_names_what_was_seen(trouble: Trouble, seen: dict[str, object]) -> None:
    assert name(sight(**seen)) is trouble


def test_codes_win_over_localised_texts() -> None:
    assert name(sight(fault_codes=frozenset({5}), text="connection refused")) is Trouble.NOT_ADMINISTRATOR


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_says_what_to_do(trouble: Trouble) -> None:
    seen = next((seen for named, seen in RECORDED if named is trouble), None)
    assert seen is not None, "no recorded example"
    error = explain(sight(**seen))
    assert isinstance(error, EyrieError) and error.trouble is trouble
    assert "pc7.example.org:5986" in str(error) and error.wanted and error.next_step
    assert "{" not in str(error)


def test_keeps_a_long_text_short() -> None:
    assert len(str(explain(sight(text="x" * 5000)))) < 600
