# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream's codec: whatever is joined comes out again, however it is cut, and nothing breaks it."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.hub.frames import HEARTBEAT, LONGEST, SHORTEST, FrameError, Splitter, join

FRAMES = st.lists(st.binary(min_size=SHORTEST, max_size=200), max_size=20)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at some places."""
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(FRAMES, st.lists(st.integers(0, 5000), max_size=30))
def test_frames_survive_any_cut(frames: list[bytes], places: list[int]) -> None:
    splitter = Splitter()
    seen = [frame for piece in cut(join(frames), places) for frame in splitter.feed(piece)]
    assert seen == frames
    assert splitter.runts == 0


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_rubbish_is_refused_or_gives_frames_of_good_length(pieces: list[bytes]) -> None:
    splitter = Splitter()
    try:
        frames = [frame for piece in pieces for frame in splitter.feed(piece)]
    except FrameError:
        return
    assert all(SHORTEST <= len(frame) <= LONGEST for frame in frames)
    assert sum(map(len, frames)) <= sum(map(len, pieces))


@pytest.mark.parametrize("length", [SHORTEST, 1514, LONGEST])
def test_good_lengths(length: int) -> None:
    assert [len(frame) for frame in Splitter().feed(join([bytes(length)]))] == [length]


@pytest.mark.parametrize("length", [LONGEST + 1, 0x80000000, 0xFFFFFFFF])
def test_a_length_no_frame_has_is_refused_before_its_bytes_come(length: int) -> None:
    with pytest.raises(FrameError, match="wanted at most 65550"):
        Splitter().feed(struct.pack("!I", length))


def test_runts_and_heartbeats_are_passed_over_and_the_stream_stays_in_step() -> None:
    splitter = Splitter()
    good = bytes(range(60))
    stream = HEARTBEAT + join([b"x" * 13, good]) + HEARTBEAT + join([b"x", good])
    assert splitter.feed(stream) == [good, good]
    assert splitter.runts == 2


def test_heartbeat_is_the_length_nought() -> None:
    assert join([b""]) == HEARTBEAT
