# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that make a copy of a root image the image of one node."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from importlib import resources

from eyrie.images import ImageFile
from eyrie.node_vms.model import NodeVm

_EXECUTABLE = stat.S_IFREG | 0o755


def node_files(
    vm: NodeVm, host_key: bytes, authorized_keys: Sequence[str], node_table: str = ""
) -> tuple[ImageFile, ...]:
    """Return the files for one node; without a table the image keeps its own."""
    keys = "".join(key.strip() + "\n" for key in authorized_keys).encode()
    files = [
        ImageFile("/etc/eyrie-node", 0o644, 0, 0, f"{vm.name} {vm.address}\n".encode()),
        ImageFile("/etc/rc.local", _EXECUTABLE, 0, 0, _script("rc.local.sh")),
        ImageFile("/sbin/eyrie-console", _EXECUTABLE, 0, 0, _script("console.sh")),
        ImageFile("/sbin/init-sshd", _EXECUTABLE, 0, 0, _script("init-sshd.sh")),
        ImageFile("/etc/ssh/ssh_host_rsa_key", 0o600, 0, 0, host_key),
        ImageFile("/etc/ssh/authorized_keys", 0o600, 0, 0, keys),
    ]
    if node_table:
        files.append(ImageFile("/etc/openmosix.map", 0o644, 0, 0, node_table.rstrip("\n").encode() + b"\n"))
    return tuple(files)


def _script(name: str) -> bytes:
    return (resources.files(__package__) / "data" / name).read_bytes()
