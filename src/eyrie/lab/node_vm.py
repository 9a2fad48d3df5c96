# SPDX-License-Identifier: GPL-3.0-or-later
"""A genuine openMosix node: QEMU with a kernel of 2004 and a ramdisk, its tap in the host's own namespace."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from eyrie.artefacts import catalogue
from eyrie.errors import EyrieError
from eyrie.images import ImageFile, inject
from eyrie.lab import node_choice
from eyrie.lab.model import Host
from eyrie.lab.network_plan import TAP
from eyrie.lab.paths import Paths
from eyrie.lab.seed import SeedFile

# The lab's name for an image -> the catalogue's.
ARTEFACTS = {"kernel": "chaos_kernel", "ramdisk": "chaos_ramdisk"}
# No autodiscovery, no IPsec, no DHCP: the lab says who is who. SHELL=0 would end init's loop over consoles.
INIT_OPTIONS = "SHELL=1 SSHD=1 HTTPD=0 TYD=0 OMAUTO=0 IPSEC=0 IPFILT=0 DHCP=0 ACPID=0"


def command(paths: Paths, host: Host) -> list[str]:
    """Return the QEMU command; like a PC it boots again when its kernel asks for that, or panics."""
    return [
        "qemu-system-i386",
        *("-name", host.name, "-nodefaults", "-no-user-config", "-display", "none"),
        *("-accel", "tcg,tb-size=64", "-smp", str(host.cpus), "-m", str(host.memory_mib)),
        *("-kernel", str(paths.node_images / "kernel"), "-initrd", str(ramdisk(paths, host))),
        *("-append", kernel_options(host)),
        # init opens virtual consoles: without a display adapter it has none.
        *("-vga", "std", "-serial", "stdio", "-monitor", "none"),
        *("-netdev", f"tap,id=lan,ifname={TAP},script=no,downscript=no"),
        *("-device", f"rtl8139,netdev=lan,mac={host.mac}"),
    ]


def kernel_options(host: Host) -> str:
    """Return the kernel command line: it sets the address before there is any user space."""
    network = f"{host.address}::{host.subnet.router}:{host.subnet.network.netmask}:{host.name}::none"
    # On a busy host this kernel misses ticks while it tries the timer through the I/O APIC, and panics.
    return f"root=/dev/ram0 rw init=/sbin/init noapic panic=5 ip={network} {INIT_OPTIONS}"


def ramdisk(paths: Paths, host: Host) -> Path:
    """Return the node's own ramdisk: the image's, with the lab's keys in it."""
    return paths.host(host.name) / "ramdisk.gz"


def has_images(paths: Paths) -> bool:
    """Whether the lab has its own good copies of both images."""
    return all(
        (paths.node_images / name).exists() and _digest(paths.node_images / name) == _known(name)
        for name in ARTEFACTS
    )


def take_images(paths: Paths, environ: Mapping[str, str] | None = None) -> None:
    """Copy the images the environment names into the lab: what is switched on again needs them once more."""
    images = node_choice.given(os.environ if environ is None else environ)
    if images is None:
        raise EyrieError(
            "genuine openMosix nodes",
            seen=f"neither {node_choice.KERNEL} nor {node_choice.RAMDISK}",
            wanted="the images the lab was first brought up with",
            next_step="set both, or take the lab down and bring it up with fake nodes",
        )
    paths.node_images.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, source in (("kernel", images.kernel), ("ramdisk", images.ramdisk)):
        _check(name, source)
        temporary = paths.node_images / f"{name}.new"
        shutil.copyfile(source, temporary)
        temporary.rename(paths.node_images / name)


def prepare(paths: Paths, host: Host, files: tuple[SeedFile, ...]) -> None:
    """Write the node's own ramdisk; it lives in memory, so every start begins with it."""
    wanted = [ImageFile(f"/{file.path}", file.mode, 0, 0, file.content.encode()) for file in files]
    temporary = ramdisk(paths, host).with_suffix(".new")
    inject(paths.node_images / "ramdisk", temporary, wanted)
    temporary.rename(ramdisk(paths, host))


def _check(name: str, source: Path) -> None:
    variable = node_choice.KERNEL if name == "kernel" else node_choice.RAMDISK
    try:
        digest = _digest(source)
    except OSError as error:
        raise EyrieError(
            f"{variable}={source}", seen=error.strerror, wanted="a readable file", next_step="correct it"
        ) from error
    if digest != _known(name):
        raise EyrieError(
            f"{variable}={source}",
            seen=f"SHA-256 {digest}",
            wanted=f"SHA-256 {_known(name)}, that of {ARTEFACTS[name]} in artefacts.yml",
            next_step="name the right file",
        )


@cache
def _known(name: str) -> str | None:
    return catalogue.load()[ARTEFACTS[name]].sha256


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
