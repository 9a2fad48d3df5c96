# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of the guest's kernel and image without applications."""

from __future__ import annotations

from eyrie.apt_mirror import debian_mirror
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import Recipe
from tests.bench.figure import Figure
from tests.bench.office import Office

WHAT = "guest: kernel + image without applications"
NOTE = "All files of an image built with no further packages, as they lie on a desktop"


def measure(office: Office) -> list[Figure]:
    """Build the image without applications, or take it from the cache, and add up its files."""
    office.say("guest image without applications")
    image = build_image(Recipe(), debian_mirror, say=office.say)
    sizes = {path.name: path.stat().st_size / 1e6 for path in image.directory.iterdir()}
    detail = ", ".join(f"{name} {size:.1f} MB" for name, size in sorted(sizes.items()))
    return [Figure(WHAT, 25, "MB", (sum(sizes.values()),), "max", f"{NOTE}: {detail}.")]
