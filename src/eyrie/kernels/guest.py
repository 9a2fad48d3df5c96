# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel that was built for coLinux, in two: a file for the desktop, an archive for the root image."""

from __future__ import annotations

import io
import tarfile

from eyrie.images.packing import pack
from eyrie.kernels.bundle import Bundle

KERNEL, MODULES = "vmlinux", "vmlinux-modules.tar.gz"


def parts(found: Bundle) -> dict[str, bytes]:
    """Return both files, name -> content; the same for the same kernel."""
    kernel = b""
    modules = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(found.archive)) as tar,
        tarfile.open(fileobj=modules, mode="w", format=tarfile.GNU_FORMAT) as out,
    ):
        for entry in tar:
            content = tar.extractfile(entry) if entry.isreg() else None
            if entry.name == f"boot/{KERNEL}-{found.release}" and content is not None:
                kernel = content.read()
            elif entry.name.split("/")[0] == "lib":
                out.addfile(entry, content)
    return {KERNEL: kernel, MODULES: pack(modules.getvalue())}
