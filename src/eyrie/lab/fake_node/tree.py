# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay out the root directory of a fake node: today's BusyBox cut down to what a genuine node has."""

from __future__ import annotations

import shutil
from pathlib import Path

from eyrie.lab.seed import SeedFile, write

DATA = Path(__file__).parent / "data"
# The lab's own helpers, no part of what a node has; nothing there is on the PATH.
HELPERS = "libexec"
TOOLS = ("setpe", "mosctl", "migrate", "mosrun", "showmap")
# Options as BusyBox v1.00-pre10 takes them (tried one by one on a genuine node): alone, and with a value.
OPTIONS = {
    "chown": ("hR", ""),
    "cp": ("adfiprR", ""),
    "cut": ("ns", "bcdf"),
    "du": ("achklmsxHL", ""),
    "env": ("i", "u"),
    "fgrep": ("cihlnqsvFH", "ef"),
    "find": ("", ""),
    "grep": ("cihlnqsvFH", "ef"),
    "gunzip": ("cdft", ""),
    "gzip": ("cdfq", ""),
    "head": ("qv", "cn"),
    "ln": ("fns", ""),
    "ls": ("acdeghiklnprstuvwxACFLRSTX1", ""),
    "md5sum": ("csw", ""),
    "mkdir": ("p", "m"),
    "mv": ("fi", ""),
    "rm": ("firR", ""),
    "sleep": ("", ""),
    "sed": ("in", "ef"),
    "sort": ("nru", ""),
    "tail": ("fqv", "cns"),
    "tee": ("ai", ""),
    "touch": ("c", ""),
    "uniq": ("cdu", ""),
    "wc": ("clwL", ""),
}
DIRECTORIES = (
    "bin",
    "dev",
    "etc/ssh",
    "libexec/calls",
    "libexec/new",
    "libexec/proc",
    "mnt/mfs",
    "proc",
    "root/.ssh",
    "run/sshd",
    "sbin",
    "tmp",
    "usr/bin",
    "usr/lib",
    "usr/lib64",
    "usr/sbin",
    "var/empty",
    "var/log",
    "var/run",
    "var/tmp",
)
BANNER = "fake openMosix node (Eyrie's lab): acts like 2.4.26-om, migrates nothing\n"
USERS = """\
root:x:0:0:root:/root:/libexec/login
sshd:x:98:98:sshd priv sep:/var/empty:/sbin/nologin
nobody:x:99:99:httpd priv sep:/web:/sbin/nologin
user:x:100:100:shell user:/:/bin/ash
"""
SHADOW = "".join(f"{name}:*:12450:0:99999:7:::\n" for name in ("root", "sshd", "nobody", "user"))
# What OpenSSH 3.8.1p1 offers, as far as today's OpenSSH still has it.
SSHD_CONFIG = """\
Port 22
HostKey /etc/ssh/ssh_host_rsa_key
HostKeyAlgorithms ssh-rsa
PubkeyAcceptedAlgorithms ssh-rsa
KexAlgorithms diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1
Ciphers aes128-cbc,3des-cbc,aes192-cbc,aes256-cbc,aes128-ctr,aes192-ctr,aes256-ctr
MACs hmac-md5,hmac-sha1,hmac-sha1-96,hmac-md5-96
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
Banner /etc/issue
SetEnv PATH=/usr/bin:/bin:/usr/sbin:/sbin
LogLevel INFO
"""


def build(image: Path, root: Path, files: tuple[SeedFile, ...], hosts: str) -> None:
    """Write the tree of a node; whatever an earlier start left goes first, as a ramdisk's content does."""
    for name in DIRECTORIES:
        (root / name).mkdir(mode=0o755, parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for name in ("lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for name, source in (("busybox", "usr/bin/busybox"), ("sshd", "usr/sbin/sshd")):
        shutil.copy(image / source, root / HELPERS / name)
    shutil.copy(image / "etc/ssh/moduli", root / "etc/ssh/moduli")
    for line in (DATA / "programs").read_text(encoding="ascii").splitlines():
        directory, *names = line.split()
        for name in names if directory != "#" else ():
            (root / directory / name).symlink_to(f"/{HELPERS}/busybox")
    _scripts(root)
    write((*files, *_files(hosts)), root)


def _scripts(root: Path) -> None:
    """Replace the programs that have to act old, and put the tools of openMosix in place."""
    places = {"uname.sh": ["bin/uname"], "busybox.sh": ["bin/busybox"]}
    places["applet.sh"] = [f"bin/{name}" for name in OPTIONS]
    for name in OPTIONS:  # under its own name, by which others find the process
        (root / HELPERS / "new" / name).symlink_to("../busybox")
    places["tool.sh"] = [*(f"sbin/{name}" for name in TOOLS), f"{HELPERS}/login"]
    for script, targets in places.items():
        for target in targets:
            (root / target).unlink(missing_ok=True)
            shutil.copyfile(DATA / script, root / target)
            (root / target).chmod(0o755)


def _files(hosts: str) -> tuple[SeedFile, ...]:
    cases = "".join(
        f"    {name}) flags='{flags}' valued='{valued}' ;;\n" for name, (flags, valued) in OPTIONS.items()
    )
    return (
        SeedFile("etc/hosts", hosts),
        SeedFile("etc/issue", BANNER),
        SeedFile("etc/motd", BANNER),
        SeedFile("etc/passwd", USERS),
        SeedFile("etc/group", "root:x:0:\nsshd:x:98:\nnobody:x:99:\nuser:x:100:\n"),
        SeedFile("etc/shadow", SHADOW, 0o600),
        SeedFile("etc/openmosix.map", "# MOSIX-#  IP  number-of-nodes\n"),
        SeedFile("etc/sshd_config", SSHD_CONFIG),
        SeedFile(f"{HELPERS}/options", f"case $name in\n{cases}esac\n"),
    )
