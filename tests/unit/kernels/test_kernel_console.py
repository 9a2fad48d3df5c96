# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kernel gave up."""

from __future__ import annotations

import pytest

from eyrie.kernels.console import reason


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("", ""),
        ("\n\n", ""),
        ("one\r\ntwo\r\n", "two"),
        (
            "VFS: Cannot open root\nKernel panic: VFS: Unable to mount root fs on 03:01\nRebooting in 5",
            "Kernel panic: VFS: Unable to mount root fs on 03:01",
        ),
        ("\x1b[2J\x1b[1;1Hloading\n", "loading"),
        ("x" * 999, "x" * 200),
    ],
)
def test_the_first_complaint_counts(said: str, wanted: str) -> None:
    assert reason(said) == wanted
