# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's images are made of: a recipe's hash is the image's name. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

SUITE = "trixie"

_COMMON = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "iputils-ping",
    "libpam-systemd",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "systemd-sysv",
)
_VM = ("busybox-static", "kmod", "linux-image-cloud-amd64", "udev")
_PC = (*_VM, "grub-common", "grub-pc-bin", "grub2-common")

# An owner sits at a desktop, a researcher submits on a master. Keys of sshd, machine id and addresses come
# with each host, never with the image.
# A container's addresses are set from outside, so networkd stays off there; a vm's come as networkd files.
_CUSTOMISE = """
set -eu
useradd --create-home --shell /bin/bash owner
useradd --create-home --shell /bin/bash researcher
rm -f etc/ssh/ssh_host_* etc/apt/apt.conf.d/99mmdebstrap etc/resolv.conf var/lib/dbus/machine-id
: > etc/machine-id
echo '# no name service in the lab: see /etc/hosts' > etc/resolv.conf
echo 'Acquire::Languages "none";' > etc/apt/apt.conf.d/90lab
printf '%s no\\n' PasswordAuthentication KbdInteractiveAuthentication > etc/ssh/sshd_config.d/lab.conf
# Until then PAM refuses everybody but root: a host that answers is one its owner can use.
mkdir etc/systemd/system/ssh.service.d
printf '[Unit]\\nAfter=systemd-user-sessions.service\\n' > etc/systemd/system/ssh.service.d/lab.conf
for unit in systemd-firstboot.service systemd-timesyncd.service systemd-networkd-wait-online.service \
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer; do
    ln -sf /dev/null etc/systemd/system/$unit
done
rm -rf var/lib/apt/lists/* var/cache/apt/*.bin usr/share/man usr/share/locale usr/share/doc
"""
_CONTAINER = "ln -sf /dev/null etc/systemd/system/systemd-networkd.service\n"
_NETWORKD = "systemctl enable systemd-networkd.service\n"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is in an image."""

    kind: str
    suite: str
    packages: tuple[str, ...]
    customise: str  # run by sh inside the new tree
    excludes: tuple[str, ...] = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")
    format: int = 2  # counted up when the way of building changes

    @property
    def identity(self) -> str:
        """Return the name of images of this recipe."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


RECIPES = {
    "container": Recipe("container", SUITE, _COMMON, _CUSTOMISE + _CONTAINER),
    "vm": Recipe("vm", SUITE, tuple(sorted(_COMMON + _VM)), _CUSTOMISE + _NETWORKD),
    "pc": Recipe("pc", SUITE, tuple(sorted(_COMMON + _PC)), _CUSTOMISE + _NETWORKD),
}


def mmdebstrap(recipe: Recipe, target: str, mirror: str) -> list[str]:
    """Return the command that builds the tree of a recipe."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(recipe.packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.excludes),
        '--customize-hook=chroot "$1" sh -c "$EYRIE_CUSTOMISE"',
        "--format=directory",
        recipe.suite,
        target,
        mirror,
    ]
