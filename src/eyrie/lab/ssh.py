# SPDX-License-Identifier: GPL-3.0-or-later
"""How a lab's hosts are reached by ssh: through the router's namespace, host keys checked."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.lab.model import Host, Topology
from eyrie.lab.paths import Paths

# The strongest that OpenSSH 3.8.1p1 and today's ssh have in common, and nothing else; Ansible is told so
# in inventory/common/groups.yml. (Its other key exchange, group1, has 1024 bits; this one 2048 or more.)
NODE_ALGORITHMS = {
    "KexAlgorithms": "diffie-hellman-group-exchange-sha1",
    "HostKeyAlgorithms": "ssh-rsa",
    "PubkeyAcceptedAlgorithms": "ssh-rsa",
    "Ciphers": "aes128-ctr",
    "MACs": "hmac-sha1",
}
PROXY = Path(__file__).with_name("proxy.py")
CLOSE_SECONDS = 5.0


def options(topology: Topology, paths: Paths, host: Host) -> list[str]:
    """Return the options that reach a host, without those that share connections."""
    proxy = [
        "nsenter",
        f"--net=/run/netns/{topology.router_namespace}",
        "--",
        sys.executable,
        "-IS",
        str(PROXY),
    ]
    settings = {
        "ProxyCommand": f"{shlex.join(proxy).replace('%', '%%')} %h %p",
        "ProxyUseFdpass": "yes",
        "UserKnownHostsFile": str(paths.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentityFile": str(paths.node_key if host.is_node else paths.key),
        "IdentitiesOnly": "yes",
        "ConnectTimeout": "15",
        # A host whose power is cut says nothing: notice it soon. But sshd is deaf while systemd opens a
        # session, which takes an emulated vm long on a busy machine.
        "ServerAliveInterval": "5",
        "ServerAliveCountMax": "18" if host.is_emulated else "3",
        "LogLevel": "ERROR",
    }
    if host.is_node:
        settings |= NODE_ALGORITHMS
    # The administrator's own ssh settings are for the real office, not for the lab.
    return ["-F", "none", *(part for key, value in settings.items() for part in ("-o", f"{key}={value}"))]


def command(topology: Topology, paths: Paths, host: Host, user: str, *, shared: bool) -> list[str]:
    """Return the ssh command for a host; `shared` reuses one connection for many commands."""
    socket = control_socket(paths, host, "%r")
    sharing = (
        ["-o", "ControlMaster=auto", "-o", f"ControlPath={socket}", "-o", "ControlPersist=60"]
        if shared
        else []
    )
    return ["ssh", *options(topology, paths, host), *sharing, "-l", user, str(host.address)]


def control_socket(paths: Paths, host: Host, user: str, owner: str = "lab") -> Path:
    """Return the socket of a shared connection (`owner`: who shares it; programs differ in their options)."""
    return paths.sockets / f"{host.name}.{user}.{owner}"


def close(paths: Paths, pattern: str = "*") -> None:
    """End shared connections, so that no ssh process holds on to the lab, or to a host that is gone."""
    sockets = sorted(paths.sockets.glob(pattern)) if paths.sockets.is_dir() else []
    for socket in sockets:
        # A socket without a process behind it (killed) answers with an error: unlinked below all the same.
        subprocess.run(["ssh", "-O", "exit", "-S", str(socket), "lab"], capture_output=True, check=False)
    deadline = time.monotonic() + CLOSE_SECONDS
    while any(socket.exists() and _answers(socket) for socket in sockets):
        if time.monotonic() > deadline:
            raise EyrieError(
                "shared ssh connections", seen="still open", wanted="an end", next_step="try again"
            )
        time.sleep(0.05)
    for socket in sockets:
        socket.unlink(missing_ok=True)


def _answers(socket: Path) -> bool:
    check = ["ssh", "-O", "check", "-S", str(socket), "lab"]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0
