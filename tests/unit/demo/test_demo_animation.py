# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from eyrie.demo.animation import Animation, animation, submit_description
from eyrie.errors import EyrieError


def test_clocks_close_the_loop():
    what = Animation(8, 32, 24)
    clocks = [what.clock(frame) for frame in range(8)]
    steps = [after - before for before, after in zip(clocks, [*clocks[1:], 1.0], strict=True)]
    assert clocks[0] == 0
    assert steps == pytest.approx([1 / 8] * 8)


def test_every_frame_is_a_job_of_its_own():
    lines = submit_description(animation(3, "64x48")).splitlines()
    start = lines.index("queue name, clock from (")
    assert lines[start + 1 :] == [
        "  frame-0000, 0.000000",
        "  frame-0001, 0.333333",
        "  frame-0002, 0.666667",
        ")",
    ]
    arguments = next(line for line in lines if line.startswith("arguments"))
    assert "+W64 +H48 +K$(clock)" in arguments
    assert "+O$(name).png" in arguments


def test_jobs_go_to_desktops_with_the_povray_of_the_image():
    text = submit_description(animation(1, "64x48"))
    assert "requirements = (TARGET.EyrieDesktop =!= undefined)" in text
    assert "transfer_executable = false" in text


@pytest.mark.parametrize("frames", [0, -1, 1001])
def test_bad_number_of_frames(frames):
    with pytest.raises(EyrieError, match="--frames"):
        animation(frames, "160x120")


@pytest.mark.parametrize(
    "size", ["", "160", "160x", "x120", "160X120", "160x120 ", "15x120", "160x4097", "-1x5", "1e2x9"]
)
def test_bad_size(size):
    with pytest.raises(EyrieError, match="--size"):
        animation(12, size)


def test_good_extremes():
    assert animation(1, "16x16") == Animation(1, 16, 16)
    assert animation(1000, "4096x4096") == Animation(1000, 4096, 4096)
