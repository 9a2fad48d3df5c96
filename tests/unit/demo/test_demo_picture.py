# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from demo_samples import COLOURS, png
from PIL import Image

from eyrie.demo.animation import Animation
from eyrie.demo.picture import assemble, check_output, duration
from eyrie.errors import EyrieError

WHAT = Animation(3, 32, 24)


def test_the_animation_holds_every_frame_in_order_and_repeats_for_ever(tmp_path):
    output = tmp_path / "a.png"
    assemble([png(colour) for colour in COLOURS], WHAT, output)
    with Image.open(output) as image:
        assert (image.n_frames, image.info["loop"], image.size) == (3, 0, (32, 24))
        for frame, colour in enumerate(COLOURS):
            image.seek(frame)
            assert image.convert("RGB").getpixel((5, 5)) == colour
            assert image.info["duration"] == duration(3)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_equal_frames_keep_their_time(tmp_path):
    assemble([png(COLOURS[0]), png(COLOURS[0]), png(COLOURS[1])], WHAT, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        total = 0
        for frame in range(image.n_frames):
            image.seek(frame)
            total += image.info["duration"]
    assert total == 3 * duration(3)


def test_one_frame_is_a_plain_picture(tmp_path):
    assemble([png(COLOURS[0])], Animation(1, 32, 24), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.convert("RGB").getpixel((0, 0)) == COLOURS[0]


@pytest.mark.parametrize(
    "bad",
    [b"", b"no picture", png(COLOURS[1])[:60], png(COLOURS[1], (8, 8))],
    ids=["empty", "text", "cut", "small"],
)
def test_a_bad_frame_is_named_and_leaves_the_old_picture(tmp_path, bad):
    output = tmp_path / "a.png"
    output.write_bytes(b"old")
    with pytest.raises(EyrieError, match="frame-0001"):
        assemble([png(COLOURS[0]), bad, png(COLOURS[2])], WHAT, output)
    assert output.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(("frames", "milliseconds"), [(1, 1400), (12, 117), (24, 58), (1000, 40)])
def test_pace(frames, milliseconds):
    assert duration(frames) == milliseconds


def test_outputs_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "d.png").mkdir()
    for bad in (tmp_path / "a.gif", tmp_path / "d.png", tmp_path / "file" / "a.png"):
        with pytest.raises(EyrieError, match="--output"):
            check_output(bad)
    check_output(tmp_path / "new" / "a.PNG")
