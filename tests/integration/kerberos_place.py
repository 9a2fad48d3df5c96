# SPDX-License-Identifier: GPL-3.0-or-later
"""A realm of Kerberos on this machine's loopback, with a real KDC, for as long as a test runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REALM = "EYRIE.TEST"
PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
CLIENT = """
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
{realm} = {{
  kdc = 127.0.0.1:{port}
}}
[domain_realm]
localhost = {realm}
"""
SERVER = """
[kdcdefaults]
kdc_listen = ""
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
}}
[dbmodules]
{modules}
"""


def programs() -> dict[str, str]:
    """Where the KDC's programs are; also below a folder that EYRIE_KRB5 names."""
    root = os.environ.get("EYRIE_KRB5", "")
    path = f"{root}/usr/sbin:{root}/usr/bin:{os.environ['PATH']}:/usr/sbin"
    return {name: found for name in PROGRAMS if (found := shutil.which(name, path=path))}


@dataclass(frozen=True)
class Realm:
    """What clients and services need of it."""

    folder: Path
    environment: dict[str, str]
    found: dict[str, str]

    @property
    def keytab(self) -> Path:
        return self.folder / "desktop.keytab"

    def run(self, program: str, *words: str, given: str = "") -> None:
        done = subprocess.run(
            [self.found[program], *words], env=self.environment, input=given, capture_output=True, text=True
        )
        assert done.returncode == 0, (program, words, done.stdout, done.stderr)


@contextmanager
def realm(folder: Path, user: str, password: str) -> Iterator[Realm]:
    """Have a realm with one user and the service of a desktop called localhost."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    root = os.environ.get("EYRIE_KRB5", "")
    modules = f"db_module_dir = {root}/usr/lib/x86_64-linux-gnu/krb5/plugins/kdb" if root else ""
    (folder / "krb5.conf").write_text(CLIENT.format(realm=REALM, port=port))
    (folder / "kdc.conf").write_text(SERVER.format(realm=REALM, port=port, folder=folder, modules=modules))
    environment = {
        **os.environ,
        "KRB5_CONFIG": str(folder / "krb5.conf"),
        "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
        "KRB5CCNAME": f"FILE:{folder}/tickets",
    }
    if root:
        environment["LD_LIBRARY_PATH"] = f"{root}/usr/lib/x86_64-linux-gnu"
    made = Realm(folder, environment, programs())
    made.run("kdb5_util", "create", "-s", "-W", "-P", "master", "-r", REALM)
    for line in (
        f'addprinc -pw "{password}" {user}',
        "addprinc -randkey HTTP/localhost",
        f"ktadd -k {made.keytab} HTTP/localhost",
    ):
        made.run("kadmin.local", "-r", REALM, "-q", line)
    assert made.keytab.exists()
    words = [made.found["krb5kdc"], "-n", "-r", REALM, "-P", str(folder / "pid")]
    kdc = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port, kdc)
        yield made
    finally:
        kdc.terminate()
        kdc.wait(10)


def _await(port: int, kdc: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert kdc.poll() is None, "the KDC ended"
            assert time.monotonic() < end, "the KDC does not listen"
            time.sleep(0.1)
