# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the operator who has the releases: packs the stand-ins of a lab's desktop, with their sums."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from eyrie.lab.paths import Paths


def main(lab: str, host: str, target: str) -> None:
    """Write one archive for each release, an image, and what else the control host has."""
    source, folder = Paths(lab).root(host) / "opt/eyrie-lab/colinux", Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    for release in sorted(path for path in source.iterdir() if path.is_dir()):
        with zipfile.ZipFile(folder / f"colinux-{release.name}.zip", "w") as archive:
            for file in sorted(path for path in release.rglob("*") if path.is_file()):
                archive.write(file, file.relative_to(release))
    for name in ("winpcap.exe", "eyrie-files.exe"):
        shutil.copy(source / name, folder)
    image = folder / "root_fs"
    image.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext3", str(image), "8M"], check=True)
    for file in [path for path in folder.iterdir() if path.suffix != ".sha256"]:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        file.with_name(f"{file.name}.sha256").write_text(digest, encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
