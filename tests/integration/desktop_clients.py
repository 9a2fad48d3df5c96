# SPDX-License-Identifier: GPL-3.0-or-later
"""Three clients of WS-Management that share no SOAP code or no plugin code, behind one interface."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan
from winrm.protocol import Protocol as PyWinRM

from eyrie.lab.wsman.runner import Runner
from eyrie.lab.wsman.server import Endpoint
from eyrie.lab.wsman.settings import Account, Settings
from eyrie.lab.wsman.stand_in import ShellStandIn

CHECKOUT = Path(__file__).parents[2]
os.environ.setdefault("ANSIBLE_CONFIG", str(CHECKOUT / "ansible.cfg"))

from ansible.playbook.play_context import PlayContext  # noqa: E402
from ansible.plugins.loader import connection_loader, init_plugin_loader  # noqa: E402

USER, PASSWORD = "pool-admin", "s3cret word; 50% &"
Seen = tuple[int, bytes, bytes]


@dataclass(frozen=True)
class Target:
    """Where a client connects to, and as whom."""

    port: int
    tls: Path | None = None
    """The authority to trust, where HTTPS is spoken."""

    user: str = USER
    password: str = PASSWORD
    operation_timeout: int = 20
    host: str = "127.0.0.1"
    proxy: str | None = None
    """The way into a lab, where it is one's."""


ACCOUNTS = (
    Account(USER, PASSWORD, principal="pool-admin@localhost"),
    Account("reader", "other pw", administrator=False),
)
SETTINGS = Settings(ACCOUNTS, machine="PC1")


@contextmanager
def desktop(runner: Runner | None = None, **changes: Any) -> Iterator[tuple[Endpoint, Target]]:
    settings = replace(SETTINGS, **changes)
    with Endpoint(settings, runner or ShellStandIn()) as endpoint:
        yield endpoint, Target(endpoint.port, settings.certificate)


class Client(Protocol):
    def run(self, line: str, given: bytes | None = None) -> Seen: ...

    def give_up(self, line: str, seconds: float) -> None:
        """Start a line, and end it on the desktop after a while."""


@contextmanager
def pywinrm(target: Target) -> Iterator[Client]:
    protocol = PyWinRM(
        f"{'https' if target.tls else 'http'}://{target.host}:{target.port}/wsman",
        transport="ntlm",
        username=target.user,
        password=target.password,
        ca_trust_path=str(target.tls) if target.tls else None,
        proxy=target.proxy,
        operation_timeout_sec=target.operation_timeout,
        read_timeout_sec=target.operation_timeout + 10,
    )
    shell = protocol.open_shell(codepage=65001)

    class Runs:
        def run(self, line: str, given: bytes | None = None) -> Seen:
            command = protocol.run_command(shell, line, console_mode_stdin=given is None)
            for start in range(0, len(given or b""), 90_000):
                protocol.send_command_input(shell, command, (given or b"")[start : start + 90_000])
            if given is not None:
                protocol.send_command_input(shell, command, b"", end=True)
            out, err, code = protocol.get_command_output(shell, command)
            protocol.cleanup_command(shell, command)
            return code, out, err

        def give_up(self, line: str, seconds: float) -> None:
            command = protocol.run_command(shell, line)
            time.sleep(seconds)
            protocol.cleanup_command(shell, command)

    yield Runs()
    protocol.close_shell(shell)


@contextmanager
def pypsrp(target: Target) -> Iterator[Client]:
    wsman = WSMan(
        target.host,
        port=target.port,
        ssl=target.tls is not None,
        username=target.user,
        password=target.password,
        auth="negotiate",
        cert_validation=str(target.tls) if target.tls else True,
        encryption="auto" if target.tls else "always",
        proxy=target.proxy or "",
        no_proxy=target.proxy is None,
        operation_timeout=target.operation_timeout,
    )
    with wsman, WinRS(wsman, codepage=65001) as shell:

        class Runs:
            def run(self, line: str, given: bytes | None = None) -> Seen:
                process = Process(shell, line)
                process.begin_invoke()
                if given is not None:
                    for start in range(0, len(given), 90_000):
                        process.send(given[start : start + 90_000], end=False)
                    process.send(b"", end=True)
                process.end_invoke()
                return int(process.rc or 0), process.stdout, process.stderr

            def give_up(self, line: str, seconds: float) -> None:
                process = Process(shell, line)
                process.begin_invoke()
                time.sleep(seconds)
                process.signal(SignalCode.TERMINATE)

        yield Runs()


class Alarm(Exception):
    """The time is over."""


@contextmanager
def plugin(target: Target, **variables: Any) -> Iterator[Any]:
    """The connection plugin as Ansible makes it, without a play around it."""
    connection = connect(target, **variables)
    connection._connect()

    class Runs:
        def run(self, line: str, given: bytes | None = None) -> Seen:
            code, out, err = connection.exec_command(line, in_data=given)
            return code, out, err

        def give_up(self, line: str, seconds: float) -> None:
            # As Ansible's keyword `timeout` does it.
            def ring(_number: int, _frame: object) -> None:
                raise Alarm

            before = signal.signal(signal.SIGALRM, ring)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                with contextlib.suppress(Alarm):
                    connection.exec_command(line)
                    raise AssertionError(f"{line} ended by itself")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)

    yield Runs()
    connection.close()


def connect(target: Target, **variables: Any) -> Any:
    if not getattr(connect, "ready", False):
        init_plugin_loader([str(CHECKOUT / ".collections")])
        connect.ready = True  # type: ignore[attr-defined]
    connection = connection_loader.get("eyrie.pool.winrm_cmd", PlayContext())
    told = {
        "inventory_hostname": "pc1",
        "ansible_host": target.host,
        "ansible_port": target.port,
        "ansible_winrm_scheme": "https" if target.tls else "http",
        "ansible_user": target.user,
        "ansible_password": target.password,
        "_extras": {
            "ansible_winrm_operation_timeout_sec": target.operation_timeout,
            "ansible_winrm_read_timeout_sec": target.operation_timeout + 10,
            "ansible_winrm_proxy": target.proxy,
            **({"ansible_winrm_ca_trust_path": str(target.tls)} if target.tls else {}),
        },
    }
    connection.set_options(var_options={**told, **variables})
    return connection


CLIENTS = {"pywinrm": pywinrm, "pypsrp": pypsrp, "plugin": plugin}


def certificate(folder: Path, name: str = "127.0.0.1", days: int = 2) -> Path:
    """Write a certificate that signs itself, with its key; negative days: one that has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    alternative = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}{days}.pem"
    path.touch(0o600)
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path
