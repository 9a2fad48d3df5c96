# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's images are made of: a recipe's hash is the image's name. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from eyrie.lab.windows import recipe as windows

SUITE = "trixie"
OLDER_SUITE = "bookworm"  # the last one whose grub-legacy is GRUB 0.97

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
_PC = ("busybox-static", "grub-pc-bin", "grub2-common", "kmod", "linux-image-cloud-amd64", "openssh-server")
_PC_LEGACY = ("busybox-static", "grub-legacy", "kmod", "linux-image-cloud-amd64", "openssh-server")

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
# A bare machine: BusyBox is its init and its tools, sshd the only service, and there is no Python.
_PC_CUSTOMISE = """
set -eu
rm -f etc/ssh/ssh_host_* etc/apt/apt.conf.d/99mmdebstrap etc/resolv.conf
rm -rf var/lib/apt/lists/* var/cache/apt/*.bin usr/share/man usr/share/locale usr/share/doc
printf '%s no\\n' PasswordAuthentication KbdInteractiveAuthentication UsePAM > etc/ssh/sshd_config.d/lab.conf
sed -i 's|^\\(root:.*:\\)[^:]*$|\\1/bin/sh|' etc/passwd
ln -sf ../bin/busybox usr/sbin/init
ln -sf busybox usr/bin/sh
for tool in $(busybox --list); do
    ln -sf ../../bin/busybox usr/local/bin/$tool
done
ln -sf ../../sbin/modprobe usr/local/bin/modprobe
cat > etc/inittab <<END
::sysinit:/usr/local/sbin/lab-start
::respawn:/usr/sbin/sshd -D -e
::shutdown:/bin/busybox umount -a -r
END
cat > usr/local/sbin/lab-start <<'END'
#!/bin/busybox sh
export PATH=/usr/local/bin:/usr/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs run /run
mkdir -p /run/sshd
mount -o remount,rw /
hostname -F /etc/hostname
modprobe virtio_rng
modprobe virtio_net
network=/etc/systemd/network/10-lab.network
ip link set lo up
ip link set eth0 up
ip address add "$(sed -n 's/^Address=//p' $network)" dev eth0
ip route add default via "$(sed -n 's/^Gateway=//p' $network)"
END
chmod 755 usr/local/sbin/lab-start
"""


EXCLUDES = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")
# It writes a menu for the disk below /, and there is none while the tree is made.
_UPDATE_GRUB = "/etc/kernel/*/zz-update-grub"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is in an image."""

    kind: str
    suite: str
    packages: tuple[str, ...]
    customise: str  # run by sh inside the new tree
    excludes: tuple[str, ...] = EXCLUDES
    format: int = 2  # counted up when the way of building changes

    @property
    def identity(self) -> str:
        """Return the name of images of this recipe."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


# Only its libraries, its ssh server and its BusyBox are used: see fake_node. The shell of busybox-static
# would run programs of its own that are not on the PATH.
_FAKE = ("busybox", "openssh-server")
_FAKE_CUSTOMISE = "rm -f etc/ssh/ssh_host_*"


RECIPES = {
    "container": Recipe("container", SUITE, _COMMON, _CUSTOMISE + _CONTAINER),
    "vm": Recipe("vm", SUITE, tuple(sorted(_COMMON + _VM)), _CUSTOMISE + _NETWORKD),
    "pc": Recipe("pc", SUITE, _PC, _PC_CUSTOMISE),
    "pc-grub-legacy": Recipe(
        "pc-grub-legacy", OLDER_SUITE, _PC_LEGACY, _PC_CUSTOMISE, (*EXCLUDES, _UPDATE_GRUB)
    ),
    "windows": Recipe("windows", SUITE, windows.PACKAGES, windows.customise()),
    "openmosix-fake": Recipe("openmosix-fake", SUITE, _FAKE, _FAKE_CUSTOMISE),
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
