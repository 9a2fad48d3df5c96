# SPDX-License-Identifier: GPL-3.0-or-later
"""Assemble rendered frames into an animated PNG."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from eyrie.demo.animation import Animation
from eyrie.errors import EyrieError

LOOP_MILLISECONDS = 1400  # one beat of the wings
SHORTEST_MILLISECONDS = 40


def duration(frames: int) -> int:
    """Milliseconds a frame is shown: the loop keeps its pace however finely it is cut."""
    return max(SHORTEST_MILLISECONDS, round(LOOP_MILLISECONDS / frames))


def check_output(output: Path) -> None:
    """Refuse an output that cannot become a picture, before anything is submitted."""
    if output.suffix.lower() not in (".png", ".apng"):
        raise EyrieError(
            "--output", seen=str(output), wanted="a file name ending in .png", next_step="rename it"
        )
    if output.is_dir():
        raise EyrieError(
            "--output", seen=f"{output} (a directory)", wanted="a file name", next_step="add eyrie.png"
        )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise EyrieError(
            "--output",
            seen=f"{output} ({error.strerror})",
            wanted="a place that can be written",
            next_step="choose another",
        ) from error


def assemble(frames: Sequence[bytes], what: Animation, output: Path) -> None:
    """Write the animation, whole or not at all."""
    images = [_decode(data, what, frame) for frame, data in enumerate(frames)]
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=".", suffix=".png")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            images[0].save(
                file,
                format="PNG",
                save_all=True,
                append_images=images[1:],
                duration=duration(what.frames),
                loop=0,
                optimize=True,
            )
        part.chmod(0o644)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _decode(data: bytes, what: Animation, frame: int) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise EyrieError(
            f"{what.name(frame)}.png",
            seen=f"{len(data)} bytes, {error}",
            wanted="a PNG picture",
            next_step="render again",
        ) from error
    if image.size != (what.width, what.height):
        raise EyrieError(
            f"{what.name(frame)}.png",
            seen=image.size,
            wanted=f"{what.width}x{what.height}",
            next_step="render again",
        )
    return image.convert("RGB")
