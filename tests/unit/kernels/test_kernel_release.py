# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel image says of itself."""

from __future__ import annotations

import pytest
from kernel_samples import image

from eyrie.errors import EyrieError
from eyrie.kernels import release
from eyrie.kernels.release import Build

GENUINE = "2.4.26-om (root@itsec5) #2 SMP Sun Aug 15 21:24:00 EST 2004"


def test_an_image_tells_release_and_build() -> None:
    build = release.of_image(image(GENUINE), "x")
    assert build == Build("2.4.26-om", "(root@itsec5) #2 SMP Sun Aug 15 21:24:00 EST 2004")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 4096,
        image(GENUINE)[:0x20E],
        image(GENUINE).replace(b"HdrS", b"HdrX"),
        image(GENUINE, protocol=0x0105),
        image("no release"),
        image(""),
    ],
)
def test_what_is_no_kernel_is_refused(data: bytes) -> None:
    with pytest.raises(EyrieError, match=r"kernel image file.*wanted a bzImage"):
        release.of_image(data, "file")


@pytest.mark.parametrize(
    ("banner", "wanted"),
    [
        (
            f"Linux version {GENUINE.replace(')', ') (gcc version 3.3.3 (Debian))', 1)}\n",
            GENUINE,
        ),
        (
            "Linux version 6.12.107+deb13-cloud-amd64 (kernel@debian.org) (x86_64-linux-gnu-gcc-14"
            " (Debian 14.2.0-19) 14.2.0, GNU ld (GNU Binutils for Debian) 2.44) #1 SMP Debian 6.12.107-1",
            "6.12.107+deb13-cloud-amd64 (kernel@debian.org) #1 SMP Debian 6.12.107-1",
        ),
    ],
)
def test_the_running_kernel_is_compared_with_its_image(banner: str, wanted: str) -> None:
    assert release.of_banner(banner) == release.of_image(image(wanted), "x")


def test_a_banner_that_is_none() -> None:
    with pytest.raises(EyrieError, match="/proc/version"):
        release.of_banner("Darwin")


def test_another_release_than_the_pools_is_refused() -> None:
    build = Build("2.4.26-om")
    release.refuse_other(build, "2.4.26-om", "x")
    with pytest.raises(EyrieError, match=r"found '2.4.26-om', wanted 2.4.27-om, the pool's"):
        release.refuse_other(build, "2.4.27-om", "x")
