# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be rendered, and the submit file that asks the pool for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from eyrie.errors import EyrieError

SCENE = "eyrie.pov"
SUBMIT_FILE = "frames.sub"
LOG = "frames.log"
MOST_FRAMES = 1000
MEMORY_MIB = 128  # a guest of 256 MiB offers about 150; a frame of the scene takes 17


@dataclass(frozen=True)
class Animation:
    """A loop of equally spaced frames."""

    frames: int
    width: int
    height: int

    def clock(self, frame: int) -> float:
        """Where in the loop a frame lies, in [0, 1): the last frame is one step before the first."""
        return frame / self.frames

    def name(self, frame: int) -> str:
        return f"frame-{frame:04d}"


def animation(frames: int, size: str) -> Animation:
    """Check the user's numbers; raise EyrieError on bad ones."""
    if not 1 <= frames <= MOST_FRAMES:
        raise EyrieError(
            "--frames", seen=frames, wanted=f"1 to {MOST_FRAMES}", next_step="12 makes a good first picture"
        )
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", size)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (16 <= width <= 4096 and 16 <= height <= 4096):
        raise EyrieError(
            "--size",
            seen=size,
            wanted="WIDTHxHEIGHT, each 16 to 4096",
            next_step="for example --size 160x120",
        )
    return Animation(frames, width, height)


def submit_description(what: Animation) -> str:
    """The submit file: one job a frame, on desktops only."""
    rows = "\n".join(f"  {what.name(frame)}, {what.clock(frame):.6f}" for frame in range(what.frames))
    # No transfer_output_files: when POV-Ray fails there is no picture, and a file that was asked for and is
    # missing holds the job at once instead of counting as one of its tries.
    # +WT1: one core is all a guest has. -D: no display. Neither include files nor a home are needed.
    return f"""\
universe = vanilla
batch_name = eyrie-demo
executable = /usr/bin/povray
transfer_executable = false
arguments = "+I{SCENE} +O$(name).png +W{what.width} +H{what.height} +K$(clock) +A0.2 +AM2 +R3 +WT1 -D"
environment = "HOME=."
error = $(name).err
log = {LOG}
ulog_execute_attrs = EyrieDesktop
should_transfer_files = yes
when_to_transfer_output = on_exit
transfer_input_files = {SCENE}
request_cpus = 1
request_memory = {MEMORY_MIB}MB
request_disk = 16MB
requirements = (TARGET.EyrieDesktop =!= undefined)
max_retries = 2
notification = never
queue name, clock from (
{rows}
)
"""
