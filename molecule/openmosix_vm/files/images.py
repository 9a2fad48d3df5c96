# SPDX-License-Identifier: GPL-3.0-or-later
"""Images for this scenario: the operator's genuine ones through a depot, else stand-ins of today's kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from eyrie.apt_mirror import debian_mirror
from eyrie.artefacts.catalogue import load
from eyrie.artefacts.depot import Depot
from eyrie.artefacts.file_set import digest
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import Recipe, epoch_from_environment
from eyrie.images import ImageFile, inject

HERE = Path(__file__).parent


def genuine(folder: Path, images: list[Path]) -> dict[str, str]:
    """Take the images into a depot, which looks at their hashes."""
    depot = Depot(folder / "depot", load())
    for image in images:
        for taken in depot.add(image):
            if taken.error:
                raise taken.error
    names = {"kernel": "chaos_kernel", "root_image": "chaos_ramdisk"}
    return {**names, "kernel_sha256": "", "root_image_sha256": "", "depot": str(depot.root), "nic": "rtl8139"}


def stand_in(folder: Path) -> dict[str, str]:
    """Put an init of ours into the guest image's first root file system."""
    image = build_image(Recipe((), epoch_from_environment()), debian_mirror).directory
    plain = folder / "plain.cpio"
    subprocess.run(["zstd", "-dqf", image / "initramfs.cpio.zst", "-o", plain], check=True)
    script = (HERE / "stand-in-init.sh").read_bytes()
    halt = (HERE / "stand-in-halt.sh").read_bytes()
    root = folder / "root.cpio"
    inject(plain, root, [ImageFile("/init", 0o755, 0, 0, script), ImageFile("/sbin/init", 0o755, 0, 0, halt)])
    kernel = image / "vmlinuz"
    facts = {"kernel": str(kernel), "kernel_sha256": digest(kernel), "depot": "", "nic": "virtio-net-pci"}
    return facts | {"root_image": str(root), "root_image_sha256": digest(root)}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "id_rsa"
    if not key.exists():
        command = ["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-C", "scenario", "-f", str(key)]
        subprocess.run(command, check=True)
    named = [os.environ.get(f"EYRIE_OPENMOSIX_{which}", "") for which in ("KERNEL", "INITRD")]
    facts = genuine(folder, [Path(name) for name in named]) if all(named) else stand_in(folder)
    facts["form"] = "genuine" if all(named) else "stand-in"
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    sys.stdout.write(f"{facts['form']} nodes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
