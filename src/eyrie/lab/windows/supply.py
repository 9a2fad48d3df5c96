# SPDX-License-Identifier: GPL-3.0-or-later
"""Mains or battery: files as in Linux's /sys/class/power_supply, which Wine reads for Windows' programs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from eyrie.errors import EyrieError

PLACE = "/sys/class/power_supply"
FULL = 4_000_000  # microampere-hours
SUPPLIES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "none": {},  # a machine without battery, which is all of a kernel without the class, too
    "mains": {"AC": {"type": "Mains", "online": "1"}, "BAT0": {"type": "Battery", "status": "Charging"}},
    "battery": {"AC": {"type": "Mains", "online": "0"}, "BAT0": {"type": "Battery", "status": "Discharging"}},
}
BATTERY = {"scope": "System", "charge_full": f"{FULL}", "charge_now": f"{FULL // 2}"}
BATTERY |= {"voltage_now": "12000000", "current_now": "1000000"}


def write(folder: Path, supply: str) -> None:
    """Say what the desktop runs on; what runs there sees it at its next call."""
    if supply not in SUPPLIES:
        wanted = f"one of {', '.join(SUPPLIES)}"
        raise EyrieError("the power supply of a desktop", seen=supply, wanted=wanted, next_step="correct it")
    if not Path(PLACE).is_dir():
        raise EyrieError(
            "scripting a battery",
            seen=f"no {PLACE}",
            wanted="a kernel with it",
            next_step="use another kernel",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():  # the folder itself is mounted inside
        shutil.rmtree(old)
    for name, files in SUPPLIES[supply].items():
        (folder / name).mkdir()
        for key, value in {**files, **(BATTERY if files["type"] == "Battery" else {})}.items():
            (folder / name / key).write_text(f"{value}\n", encoding="ascii")
