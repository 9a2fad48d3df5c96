# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kernel gave up."""

from __future__ import annotations

import pytest

from eyrie.kernels.console import last, reason

# A busy machine's; its panic is another.
STUCK = "watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [swapper/0:1]"
PANIC = "Kernel panic: VFS: Unable to mount root fs on 03:01"


@pytest.mark.parametrize(
    ("said", "complaint", "end"),
    [
        ("", "", ""),
        ("\n\n", "", ""),
        ("one\r\ntwo\r\n", "", "two"),
        (f"VFS: Cannot open root\n[ 1.2] {PANIC}\nRebooting in 5", f"[ 1.2] {PANIC}", "Rebooting in 5"),
        (f"{STUCK}\n{PANIC}\n---[ end {PANIC} ]---\n{STUCK}", f"{STUCK} ... {PANIC}", STUCK),
        (f"---[ end {PANIC} ]---\n", f"---[ end {PANIC} ]---", f"---[ end {PANIC} ]---"),
        ("\x1b[2J\x1b[1;1Hloading\n", "", "loading"),
        ("x" * 999, "", "x" * 200),
    ],
)
def test_the_first_complaint_and_the_last_line(said: str, complaint: str, end: str) -> None:
    assert (reason(said), last(said)) == (complaint, end)
