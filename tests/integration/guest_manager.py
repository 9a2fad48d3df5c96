# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTCondor central manager of Debian's packages, in a folder and a namespace of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from guest_place import MASTER, Namespace

from eyrie.apt_mirror import debian_mirror
from eyrie.guests.image.packages import fetch
from eyrie.guests.image.recipe import cache_root
from eyrie.guests.image.unpack import unpack

_CONFIG = f"""
DAEMON_LIST = MASTER COLLECTOR NEGOTIATOR SCHEDD SHARED_PORT
CONDOR_HOST = {MASTER}
COLLECTOR_HOST = {MASTER}:9618
NETWORK_INTERFACE = {MASTER}
UID_DOMAIN = lab
TRUST_DOMAIN = lab
ENABLE_IPV6 = False
SEC_DEFAULT_AUTHENTICATION = REQUIRED
SEC_DEFAULT_ENCRYPTION = REQUIRED
SEC_DEFAULT_INTEGRITY = REQUIRED
SEC_DEFAULT_AUTHENTICATION_METHODS = IDTOKENS, FS
SEC_CLIENT_AUTHENTICATION_METHODS = IDTOKENS, FS
SEC_DEFAULT_CRYPTO_METHODS = AES
ALLOW_READ = *@lab, *@matchsession
ALLOW_WRITE = *@lab
ALLOW_DAEMON = condor@lab root@lab
ALLOW_ADMINISTRATOR = condor@lab root@lab
ALLOW_NEGOTIATOR = condor@lab
ALLOW_ADVERTISE_MASTER = condor@lab
ALLOW_ADVERTISE_SCHEDD = condor@lab
ALLOW_ADVERTISE_STARTD = desktop-*@lab
SEC_PASSWORD_DIRECTORY = /etc/condor/passwords.d
SEC_TOKEN_SYSTEM_DIRECTORY = /etc/condor/tokens.d
NEGOTIATOR_INTERVAL = 3
NEGOTIATOR_MIN_INTERVAL = 1
NEGOTIATOR_CYCLE_DELAY = 1
SCHEDD_INTERVAL = 3
"""
_FOLDERS = (
    "dev",
    "proc",
    "tmp",
    "home",
    "run/condor",
    "run/lock/condor",
    "var/log/condor",
    "var/spool/condor",
)


class Manager:
    """Collector, negotiator and schedd behind one port."""

    def __init__(self, root: Path, place: Namespace) -> None:
        self.root = root
        self.place = place
        self.process: subprocess.Popen[bytes] | None = None
        self._install()
        self._configure()

    def start(self) -> None:
        subprocess.run(["mount", "--bind", "/dev", self.root / "dev"], check=True)
        subprocess.run(["mount", "--bind", "/proc", self.root / "proc"], check=True)
        self.process = subprocess.Popen(
            self.place.command("chroot", str(self.root), "condor_master", "-f"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.wait_until(lambda: "Negotiator" in self.run("condor_status", "-any", "-af", "MyType"), 90)
        self.wait_until(lambda: "Scheduler" in self.run("condor_status", "-any", "-af", "MyType"), 30)

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(30)
            finally:
                self.process.kill()
                for folder in ("dev", "proc"):
                    subprocess.run(["umount", "--lazy", self.root / folder], check=False)
        shutil.rmtree(self.root)

    def run(self, *words: str, user: str = "") -> str:
        """Run one of condor's tools; return what it printed."""
        who = [f"--userspec={user}"] if user else []
        command = self.place.command("chroot", *who, str(self.root), *words)
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout

    def token(self, *options: str) -> str:
        """Sign a desktop's token."""
        token = self.run("condor_token_create", "-identity", "desktop-desk-1@lab", *options)
        assert token.count(".") == 2, token
        return token

    def slots(self) -> list[str]:
        return self.run("condor_status", "-af", "Name").split()

    def wait_until(self, truth, timeout: float) -> float:  # type: ignore[no-untyped-def]
        """Wait for something to become true; return how long that took."""
        began = time.monotonic()
        while not truth():
            assert time.monotonic() - began < timeout, f"not true after {timeout} s; {self.logs()}"
            time.sleep(0.25)
        return time.monotonic() - began

    def logs(self) -> str:
        return "\n".join(file.read_text()[-1500:] for file in (self.root / "var/log/condor").glob("*Log"))

    def _install(self) -> None:
        packages = fetch(["condor", "busybox-static"], debian_mirror(), cache_root())
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.root / "usr" / name).mkdir(parents=True)
            (self.root / name).symlink_to(f"usr/{name}")
        for package in packages.values():
            unpack(
                package.file,
                self.root,
                lambda path: path.startswith(("usr/lib", "usr/bin", "usr/sbin", "etc/condor")),
            )
        (self.root / "usr/bin/sh").unlink(missing_ok=True)
        (self.root / "usr/bin/sh").symlink_to("busybox")

    def _configure(self) -> None:
        for name in _FOLDERS:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        (self.root / "tmp").chmod(0o1777)
        (self.root / "var/run").symlink_to("../run")
        (self.root / "var/lock").symlink_to("../run/lock")
        etc = self.root / "etc"
        (etc / "passwd").write_text(
            "root:x:0:0::/root:/bin/sh\ncondor:x:64:64::/:/bin/sh\nada:x:1000:1000::/home:/bin/sh\n"
        )
        (etc / "group").write_text("root:x:0:\ncondor:x:64:\nada:x:1000:\n")
        (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
        # HTCondor's tools look their own host's name up, for a minute if nobody answers.
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n{MASTER} {os.uname().nodename}\n")
        (etc / "condor/config.d/50-test.config").write_text(_CONFIG)
        (etc / "condor/config.d/00-htcondor-9.0.config").unlink()
        for name in ("passwords.d", "tokens.d"):
            (etc / "condor" / name).mkdir(mode=0o700)
        key = etc / "condor/passwords.d/POOL"
        key.write_text(secrets.token_hex(32))
        key.chmod(0o600)
        own = etc / "condor/tokens.d/condor"
        own.write_text(self.run("condor_token_create", "-identity", "condor@lab"))
        own.chmod(0o600)
        for name in _FOLDERS[4:]:
            os.chown(self.root / name, 64, 64)
