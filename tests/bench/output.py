# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures for a terminal, for docs/benchmarks.md, and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from tests.bench.figure import Figure
from tests.bench.machine import Machine

HEADINGS = ("what", "reach", "measured", "verdict")
_STYLES = {True: "green", False: "bold red", None: "yellow"}


def table(figures: Sequence[Figure], machine: Machine) -> Table:
    """A rich table."""
    shown = Table(title="Figures", caption=escape(machine.sentence()), title_justify="left", show_lines=True)
    for heading in HEADINGS:
        shown.add_column(heading)
    for figure in figures:
        what = escape(figure.what) + (f"\n[dim]{escape(figure.note)}[/]" if figure.note else "")
        style = _STYLES[figure.reached]
        shown.add_row(what, figure.reach, figure.measured, f"[{style}]{escape(figure.verdict)}[/]")
    return shown


def markdown(figures: Sequence[Figure], machine: Machine) -> str:
    """A table for the documentation, the notes below it."""
    lines = [
        f"Machine: {machine.sentence()}.",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|" + "---|" * len(HEADINGS),
    ]
    notes: list[str] = []
    for figure in figures:
        mark = ""
        if figure.note:
            notes.append(figure.note)
            mark = f" [{len(notes)}]"
        cells = (figure.what + mark, figure.reach, figure.measured, figure.verdict)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    if notes:
        lines += ["", *(f"[{number}] {note}  " for number, note in enumerate(notes, 1))]
    return "\n".join(lines) + "\n"


def as_json(figures: Sequence[Figure], machine: Machine) -> str:
    """Everything, each sample included."""
    rows = [asdict(figure) | {"verdict": figure.verdict, "measured": figure.measured} for figure in figures]
    return json.dumps({"machine": asdict(machine), "figures": rows}, indent=1, ensure_ascii=False) + "\n"
