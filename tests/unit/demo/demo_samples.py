# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded logs and made-up frames for these tests."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

DATA = Path(__file__).with_name("data")
COLOURS = [(200, 10, 10), (10, 200, 10), (10, 10, 200)]


def recorded(name: str) -> str:
    return (DATA / name).read_text()


def png(colour: tuple[int, int, int], size: tuple[int, int] = (32, 24)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()
